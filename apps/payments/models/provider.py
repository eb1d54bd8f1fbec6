"""Who moves money for the house, what they offer, and what they tell us."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.models import AppendOnlyModel, AuditedModel
from apps.core.money import Money
from apps.core.privacy.blind import BlindIndexField
from apps.core.privacy.fields import EncryptedBytesField, EncryptedTextField
from apps.payments.enums import Method, ProviderKind, ReceiptOutcome
from apps.payments.models.base import minor_units
from apps.payments.querysets import ClientMoneyQuerySet, HouseQuerySet, UnsortedQuerySet


class PaymentProvider(AuditedModel):
    """A payment company. Loaded from `data/providers.toml`; its address and secrets are settings, never rows."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16, choices=ProviderKind.choices)
    takes_deposits = models.BooleanField(_("takes deposits"), default=True)
    sends_payouts = models.BooleanField(_("sends payouts"), default=True)

    objects = HouseQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment provider")
        verbose_name_plural = _("payment providers")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def ledger_owner(self) -> str:
        return f"psp:{self.code}"


class PaymentMethod(AuditedModel):
    """One way to pay in one currency at one provider: limits, the client's fee, the provider's cost."""

    provider = models.ForeignKey(
        PaymentProvider, models.PROTECT, related_name="methods", verbose_name=_("provider")
    )
    method = models.CharField(_("method"), max_length=16, choices=Method.choices)
    currency = models.CharField(_("currency"), max_length=12)
    entities = ArrayField(models.CharField(max_length=20), verbose_name=_("entities"))
    deposits = models.BooleanField(_("for deposits"), default=True)
    payouts = models.BooleanField(_("for payouts"), default=True)
    deposit_min_minor = minor_units(_("smallest deposit"))
    deposit_max_minor = minor_units(_("largest deposit"))
    payout_min_minor = minor_units(_("smallest payout"))
    payout_max_minor = minor_units(_("largest payout"))
    deposit_fee_percent = models.DecimalField(
        _("deposit fee, %"), max_digits=6, decimal_places=3, default=0
    )
    deposit_fee_fixed_minor = minor_units(_("deposit fee, fixed"), default=0)
    payout_fee_percent = models.DecimalField(
        _("payout fee, %"), max_digits=6, decimal_places=3, default=0
    )
    payout_fee_fixed_minor = minor_units(_("payout fee, fixed"), default=0)
    deposit_time = models.CharField(_("time to credit"), max_length=80)
    payout_time = models.CharField(_("time to pay out"), max_length=80)

    objects = HouseQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        ordering = ["provider", "method", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "method", "currency"], name="payments_method_once"
            ),
            models.CheckConstraint(
                condition=Q(deposit_min_minor__gt=0, deposit_max_minor__gte=F("deposit_min_minor"))
                & Q(payout_min_minor__gt=0, payout_max_minor__gte=F("payout_min_minor")),
                name="payments_method_limits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.currency}"

    def money(self, minor: int) -> Money:
        return Money.from_minor(int(minor), self.currency)

    @property
    def deposit_min(self) -> Money:
        return self.money(self.deposit_min_minor)

    @property
    def deposit_max(self) -> Money:
        return self.money(self.deposit_max_minor)

    @property
    def payout_min(self) -> Money:
        return self.money(self.payout_min_minor)

    @property
    def payout_max(self) -> Money:
        return self.money(self.payout_max_minor)

    @property
    def payout_fee_fixed(self) -> Money:
        return self.money(self.payout_fee_fixed_minor)


class PaymentInstrument(AuditedModel):
    """A card, bank account or e-wallet of a client: where money came from and may go back to.

    `details` is what a payout needs (a provider's token, an IBAN) and lies sealed; people see `masked`. The
    fingerprint recognises the same instrument and tells nothing about it.
    """

    personal_fields = {"details": "iban", "holder_name": "name"}

    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="+", verbose_name=_("client")
    )
    method = models.CharField(_("method"), max_length=16, choices=Method.choices)
    fingerprint = BlindIndexField(normalise="plain", max_length=64, blank=False)
    masked = EncryptedTextField(_("instrument"), max_length=80, subject="client_id")
    details = EncryptedTextField(max_length=200, subject="client_id")
    holder_name = EncryptedTextField(_("holder"), max_length=160, subject="client_id")
    holder_matches = models.BooleanField(_("in the client's name"))
    first_paid_at = models.DateTimeField(_("first deposit from it"), null=True, blank=True)

    objects = ClientMoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment instrument")
        verbose_name_plural = _("payment instruments")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "method", "fingerprint"], name="payments_instrument_once"
            ),
        ]

    def __str__(self) -> str:
        return self.masked


def object_key_subject(object_id: str) -> UUID:
    """Whose key seals what providers tell of one of their objects."""
    return uuid5(NAMESPACE_URL, f"provider-object:{object_id}")


class WebhookReceipt(AppendOnlyModel):
    """An authentic message of a provider, byte for byte, once per event.

    It may name the payer and is written before anybody knows whose payment it is about, and never again: so it lies
    under a key of the provider's object, which goes when the client to whom that belonged is erased.
    """

    personal_fields = {"raw": "free"}

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(
        PaymentProvider, models.PROTECT, related_name="receipts", verbose_name=_("provider")
    )
    event_id = models.CharField(_("event"), max_length=120)
    event_type = models.CharField(_("type"), max_length=80)
    object_id = models.CharField(_("object"), max_length=120)
    raw = EncryptedBytesField(_("message"), subject="key_subject")
    signature = models.CharField(_("signature"), max_length=500)
    sent_at = models.DateTimeField(_("signed at"))
    received_at = models.DateTimeField(_("received"), default=clock.now)

    objects = UnsortedQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("webhook receipt")
        verbose_name_plural = _("webhook receipts")
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "event_id"], name="payments_webhook_event_once"
            ),
        ]
        indexes = [models.Index(fields=["object_id"], name="payments_webhook_object")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"

    @property
    def key_subject(self) -> UUID:
        return object_key_subject(self.object_id)


class WebhookOutcome(AppendOnlyModel):
    """What a message led to, once its object was read from the provider."""

    id = models.BigAutoField(primary_key=True)
    receipt = models.OneToOneField(WebhookReceipt, models.PROTECT, related_name="outcome")
    outcome = models.CharField(_("outcome"), max_length=16, choices=ReceiptOutcome.choices)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    subject_id = models.UUIDField(_("concerns"), null=True, blank=True)
    at = models.DateTimeField(_("at"), default=clock.now)

    class Meta(AppendOnlyModel.Meta):
        verbose_name = _("webhook outcome")
        verbose_name_plural = _("webhook outcomes")

    def __str__(self) -> str:
        return self.outcome

    @property
    def audit_client_id(self) -> UUID | None:
        return None
