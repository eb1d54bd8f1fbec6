"""What providers tell us: proven, kept byte for byte, and believed only after asking them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from standardwebhooks.webhooks import Webhook

from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.payments.adapters import access_to, adapter_for
from apps.payments.enums import ReceiptOutcome
from apps.payments.errors import ForgedWebhook, ProviderSaysNo, UnknownProvider
from apps.payments.events import WebhookReceived
from apps.payments.models import PaymentProvider, WebhookOutcome, WebhookReceipt
from apps.payments.services.incoming import payment_apply
from apps.payments.services.payouts import payout_apply
from apps.payments.services.receipts import receipt_close

MAX_BODY = 64 * 1024


def webhook_receive(
    *, provider_code: str, raw: bytes, headers: Mapping[str, str]
) -> WebhookReceipt:
    """Prove that a message is the provider's and store it once; what it means is worked out afterwards.

    Raises `UnknownProvider`, and `ForgedWebhook` for a wrong, missing or old signature: then nothing is stored.
    """
    access = access_to(provider_code)
    if len(raw) > MAX_BODY or not any(_proves(s, raw, headers) for s in access.webhook_secrets):
        raise ForgedWebhook
    try:
        message = msgspec.json.decode(raw)
        event_type, object_id = str(message["type"])[:80], str(message["data"]["id"])[:120]
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(field="body", problem=_("it is not a message we know")) from error
    named = {name.lower(): value for name, value in headers.items()}
    return webhook_store(
        provider_code=provider_code,
        event_id=named["webhook-id"][:120],
        event_type=event_type,
        object_id=object_id,
        raw=raw,
        signature=named["webhook-signature"][:500],
        sent_at=datetime.fromtimestamp(float(named["webhook-timestamp"]), UTC),
    )


def _proves(secret: str, raw: bytes, headers: Mapping[str, str]) -> bool:
    """Constant-time comparison and five minutes' tolerance are the library's; anything it cannot read is a no."""
    try:
        Webhook(secret).verify(raw, dict(headers), json_parse=False)
    except Exception:
        return False
    return True


@command
def webhook_store(
    *,
    provider_code: str,
    event_id: str,
    event_type: str,
    object_id: str,
    raw: bytes,
    signature: str,
    sent_at: datetime,
) -> WebhookReceipt:
    """The same event, delivered again, is the same receipt."""
    provider = PaymentProvider.objects.filter(code=provider_code).first()
    if provider is None:
        raise UnknownProvider(provider=provider_code)
    receipt = WebhookReceipt(
        provider=provider,
        event_id=event_id,
        event_type=event_type,
        object_id=object_id,
        raw=raw,
        signature=signature,
        sent_at=sent_at,
    )
    WebhookReceipt.objects.bulk_create([receipt], ignore_conflicts=True)
    stored = WebhookReceipt.objects.get(provider=provider, event_id=event_id)
    if stored.pk == receipt.pk:
        emit(WebhookReceived(receipt_id=stored.pk, object_id=object_id))
    return stored


def webhook_process(*, receipt_id: UUID) -> None:
    """Read the object from the provider and apply what is true now, not what the message says.

    Repeats are harmless. Raises when the provider does not answer, so that the message is tried again.
    """
    receipt = WebhookReceipt.objects.select_related("provider").get(pk=receipt_id)
    if WebhookOutcome.objects.filter(receipt=receipt).exists():
        return
    adapter = adapter_for(receipt.provider.code)
    code = receipt.provider.code
    try:
        if receipt.event_type.startswith("payment."):
            payment_apply(
                provider_code=code,
                seen=adapter.payment_get(payment_id=receipt.object_id),
                receipt_id=receipt.pk,
            )
        elif receipt.event_type.startswith("payout."):
            payout_apply(
                provider_code=code,
                seen=adapter.payout_get(payout_id=receipt.object_id),
                receipt_id=receipt.pk,
            )
        else:
            receipt_close(
                receipt_id=receipt.pk, answer=(ReceiptOutcome.IGNORED, ""), subject_id=None
            )
    except ProviderSaysNo as refusal:
        answer = (ReceiptOutcome.IGNORED, f"the provider does not confirm it: {refusal}")
        receipt_close(receipt_id=receipt.pk, answer=answer, subject_id=None)
