"""Which rows of this app say something about a person."""

from __future__ import annotations

from apps.core.privacy.blind import Blind
from apps.core.privacy.destruction import destroy_keys
from apps.core.privacy.exporting import ALL
from apps.core.privacy.keys import Keep
from apps.core.privacy.registry import (
    DataClass,
    Erase,
    Subject,
    not_personal,
    register_personal_data,
    withhold,
)
from apps.payments.models import DepositAttempt, PaymentInstrument, WebhookReceipt, Withdrawal
from apps.payments.models.provider import object_key_subject


def _unrecognisable(subject: Subject) -> int:
    """Each erased instrument stays one of its own: nobody can tell any more which."""
    rows = PaymentInstrument.objects.filter(client_id=subject.client_id)
    for pk in rows.values_list("pk", flat=True):
        PaymentInstrument.objects.filter(pk=pk).update(fingerprint=Blind(pk.hex))
    return 0


def _objects(subject: Subject) -> set[str]:
    """The providers' ids of everything that the client paid in and out."""
    attempts = DepositAttempt.objects.filter(deposit__client_id=subject.client_id)
    payouts = Withdrawal.objects.filter(client_id=subject.client_id)
    return {
        *attempts.values_list("provider_payment_id", flat=True),
        *payouts.values_list("provider_payout_id", flat=True),
    } - {""}


def _messages_unreadable(subject: Subject) -> int:
    """What providers told of the client's payments stays as proof that it came, and opens for nobody."""
    return sum(
        len(destroy_keys(object_key_subject(object_id), Keep.STATUTORY))
        for object_id in sorted(_objects(subject))
    )


def register() -> None:
    register_personal_data(
        "payments.PaymentInstrument",
        DataClass.INSTRUMENTS,
        ("details", "holder_name", "masked"),
        rows=lambda subject: PaymentInstrument.objects.filter(client_id=subject.client_id),
        effect=_unrecognisable,
    )
    not_personal(
        "money of a client number, kept as the law on records says",
        "payments.Deposit", "payments.DepositAttempt", "payments.DepositSettlement", "payments.Transfer",
        "payments.Withdrawal", "payments.WithdrawalCheck", "payments.SuspenseItem",
    )  # fmt: skip
    register_personal_data(
        "payments.WebhookReceipt", DataClass.INSTRUMENTS, ("raw",),
        rows=lambda subject: WebhookReceipt.objects.filter(object_id__in=_objects(subject)),
        erase=Erase.KEEP, effect=_messages_unreadable,
    )  # fmt: skip
    withhold("payments.PaymentInstrument", "fingerprint", "details")
    withhold("payments.Withdrawal", "flagged", "approval_id", "decision_id")
    withhold("payments.WithdrawalCheck", ALL)
    withhold("payments.SuspenseItem", ALL)
