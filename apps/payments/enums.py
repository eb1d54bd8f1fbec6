"""The codes of money that comes in, goes out and moves inside the house; vocabulary.md names them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Method(models.TextChoices):
    CARD = "CARD", _("Card")
    BANK_TRANSFER = "BANK_TRANSFER", _("Bank transfer")
    EWALLET = "EWALLET", _("E-wallet")


class ProviderKind(models.TextChoices):
    """Which adapter speaks to it."""

    SIMULATED = "SIMULATED", _("Simulated provider")


class PaymentState(models.TextChoices):
    """What the provider says of the client's payment."""

    CREATED = "CREATED", _("Created")
    REQUIRES_ACTION = "REQUIRES_ACTION", _("Waiting for payment")
    PROCESSING = "PROCESSING", _("Processing")
    SUCCEEDED = "SUCCEEDED", _("Paid")
    FAILED = "FAILED", _("Failed")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELED = "CANCELED", _("Canceled")
    CONFLICTED = "CONFLICTED", _("Differs from what was asked")


class CreditState(models.TextChoices):
    """What became of the money in the client's wallet."""

    NOT_CREDITED = "NOT_CREDITED", _("Not credited")
    UNDER_REVIEW = "UNDER_REVIEW", _("Under review")
    CREDITED = "CREDITED", _("Credited")
    REJECTED_RETURN = "REJECTED_RETURN", _("Being returned")
    RETURNED = "RETURNED", _("Returned")
    UNMATCHED = "UNMATCHED", _("In suspense")


class SettlementState(models.TextChoices):
    """Whether the provider has paid it out to the house."""

    UNSETTLED = "UNSETTLED", _("Not settled")
    SETTLED = "SETTLED", _("Settled")
    RECONCILED = "RECONCILED", _("Reconciled")


class AttemptState(models.TextChoices):
    """UNKNOWN: sent and not answered; it is asked about and never sent again."""

    STARTED = "STARTED", _("Started")
    PENDING = "PENDING", _("With the provider")
    CHARGED = "CHARGED", _("Charged")
    FAILED = "FAILED", _("Failed")
    UNKNOWN = "UNKNOWN", _("No answer")


ATTEMPT_OPEN = (AttemptState.STARTED, AttemptState.PENDING, AttemptState.UNKNOWN)


class WithdrawalState(models.TextChoices):
    REQUESTED = "REQUESTED", _("Requested")
    FUNDS_HELD = "FUNDS_HELD", _("Money held")
    CHECKS = "CHECKS", _("Checks")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waiting for approval")
    APPROVED = "APPROVED", _("Approved")
    SUBMITTED = "SUBMITTED", _("Being sent")
    SENT = "SENT", _("Sent")
    UNKNOWN = "UNKNOWN", _("Provider silent")
    ASSISTANCE = "ASSISTANCE", _("Needs a person")
    SETTLED = "SETTLED", _("Paid out")
    REJECTED = "REJECTED", _("Rejected")
    CANCELED = "CANCELED", _("Canceled")
    FAILED = "FAILED", _("Failed")
    RETURNED = "RETURNED", _("Returned by the bank")
    RELEASED = "RELEASED", _("Money back in the wallet")


CANCELABLE = (
    WithdrawalState.REQUESTED,
    WithdrawalState.FUNDS_HELD,
    WithdrawalState.CHECKS,
    WithdrawalState.PENDING_APPROVAL,
    WithdrawalState.APPROVED,
)
IN_FLIGHT = (WithdrawalState.SUBMITTED, WithdrawalState.SENT, WithdrawalState.UNKNOWN)
WITHDRAWAL_DONE = (WithdrawalState.SETTLED, WithdrawalState.RELEASED)


class CheckResult(models.TextChoices):
    """FAIL blocks whatever people vote; REVIEW needs a person's eyes."""

    PASS = "PASS", _("Passed")
    REVIEW = "REVIEW", _("Needs a look")
    FAIL = "FAIL", _("Failed")


class Direction(models.TextChoices):
    TO_ACCOUNT = "TO_ACCOUNT", _("Wallet to trading account")
    FROM_ACCOUNT = "FROM_ACCOUNT", _("Trading account to wallet")


class TransferState(models.TextChoices):
    REQUESTED = "REQUESTED", _("Requested")
    SOURCE_DEBITED = "SOURCE_DEBITED", _("Taken from the source")
    IN_TRANSIT = "IN_TRANSIT", _("On its way")
    DEST_CREDITED = "DEST_CREDITED", _("Done")
    COMPENSATED = "COMPENSATED", _("Not carried out")
    STUCK = "STUCK", _("Stuck")


TRANSFER_DONE = (TransferState.DEST_CREDITED, TransferState.COMPENSATED)


class ReceiptOutcome(models.TextChoices):
    """What a webhook led to."""

    APPLIED = "APPLIED", _("Applied")
    NO_CHANGE = "NO_CHANGE", _("Already known")
    STALE = "STALE", _("Older than what is known")
    CONFLICTED = "CONFLICTED", _("Differs: in suspense")
    UNMATCHED = "UNMATCHED", _("Belongs to nothing: in suspense")
    IGNORED = "IGNORED", _("Of no concern")


class SuspenseKind(models.TextChoices):
    UNMATCHED = "UNMATCHED", _("Belongs to no payment of ours")
    AMOUNT = "AMOUNT", _("Another amount")
    CURRENCY = "CURRENCY", _("Another currency")
    CLOSED = "CLOSED", _("Paid after it was closed")


class SuspenseState(models.TextChoices):
    OPEN = "OPEN", _("Open")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waiting for approval")
    ALLOCATED = "ALLOCATED", _("Allocated to a client")
    RETURNED = "RETURNED", _("Returned to the payer")
