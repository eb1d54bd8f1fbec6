"""Double entry, after TigerBeetle's data model.

One `Transfer` row is both legs, so nothing here can be out of balance. The rules that no
program may break are written in SQL (migration `0002`): transfers and entries never change, and
only an inserted transfer moves a balance.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.money import Money

from .enums import AccountKind, Normal, Phase
from .querysets import AccountQuerySet, EntryQuerySet, TransferQuerySet


def minor_units(**kwargs: object) -> models.DecimalField:
    """NUMERIC(38,0): a 64-bit integer overflows at 9.22 ETH in wei."""
    return models.DecimalField(max_digits=38, decimal_places=0, **kwargs)  # type: ignore[arg-type]


class Currency(models.Model):
    code = models.CharField(max_length=12, primary_key=True)
    exponent = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")
        constraints = [
            models.CheckConstraint(
                condition=Q(exponent__gte=0, exponent__lte=18), name="ledger_currency_exponent"
            )
        ]

    def __str__(self) -> str:
        return self.code


class Account(models.Model):
    """A place where money of one currency stands. What it is never changes; it may be closed."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=32, choices=AccountKind.choices)
    currency = models.ForeignKey(
        Currency, on_delete=models.PROTECT, related_name="+", db_column="currency", db_index=False
    )
    owner = models.CharField(max_length=120, blank=True)
    shard = models.PositiveSmallIntegerField(default=0)
    normal = models.CharField(max_length=1, choices=Normal.choices)
    bounded = models.BooleanField()
    opened_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        ordering = ["kind", "currency", "owner", "shard"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "currency", "owner", "shard"], name="ledger_account_place"
            ),
            models.UniqueConstraint(fields=["id", "currency"], name="ledger_account_id_currency"),
            models.CheckConstraint(
                condition=Q(normal__in=["D", "C"]), name="ledger_account_normal"
            ),
        ]
        indexes = [models.Index(fields=["owner"], name="ledger_account_owner")]

    def __str__(self) -> str:
        owner = f" {self.owner}" if self.owner else ""
        shard = f"/{self.shard}" if self.shard else ""
        return f"{self.get_kind_display()} {self.currency_id}{owner}{shard}"

    def money(self, minor: Decimal | int) -> Money:
        return Money.from_minor(int(minor), self.currency_id)


class Balance(models.Model):
    """Four monotone counters per account. Only the trigger on `Transfer` writes here."""

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="balance"
    )
    normal = models.CharField(max_length=1, choices=Normal.choices)
    bounded = models.BooleanField()
    debits_posted = minor_units(default=0)
    credits_posted = minor_units(default=0)
    debits_pending = minor_units(default=0)
    credits_pending = minor_units(default=0)
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        constraints = [
            models.CheckConstraint(condition=Q(debits_posted__gte=0), name="ledger_debits_posted"),
            models.CheckConstraint(
                condition=Q(credits_posted__gte=0), name="ledger_credits_posted"
            ),
            models.CheckConstraint(
                condition=Q(debits_pending__gte=0), name="ledger_debits_pending"
            ),
            models.CheckConstraint(
                condition=Q(credits_pending__gte=0), name="ledger_credits_pending"
            ),
            models.CheckConstraint(
                name="ledger_no_overdraft",
                condition=Q(bounded=False)
                | Q(normal="C", credits_posted__gte=F("debits_posted") + F("debits_pending"))
                | Q(normal="D", debits_posted__gte=F("credits_posted") + F("credits_pending")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.account_id)


class Entry(models.Model):
    """One business event. Its key has exactly one effect, however often it is asked for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    idempotency_key = models.CharField(max_length=200, unique=True)
    request_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    actor = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="corrections"
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="ledger_entry_created")]
        constraints = [
            models.CheckConstraint(condition=~Q(actor=""), name="ledger_entry_has_an_actor")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.idempotency_key}"


class Transfer(models.Model):
    """Money from the credited to the debited side: both legs in one row, so it always balances."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="transfers")
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    currency = models.ForeignKey(
        Currency, on_delete=models.PROTECT, related_name="+", db_column="currency", db_index=False
    )
    amount = minor_units()
    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.SINGLE)
    pending = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="resolutions",
        db_index=False,
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = TransferQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger transfer")
        verbose_name_plural = _("ledger transfers")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_transfer_positive"),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="ledger_transfer_two_accounts"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=["post", "void"], pending__isnull=False)
                | Q(phase__in=["single", "pending"], pending__isnull=True),
                name="ledger_transfer_phase",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(phase="pending"),
                name="ledger_transfer_expiry",
            ),
            models.UniqueConstraint(
                fields=["pending"],
                condition=Q(pending__isnull=False),
                name="ledger_transfer_resolved_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.money} {self.phase}"

    @property
    def money(self) -> Money:
        return Money.from_minor(int(self.amount), self.currency_id)


class PeriodClose(models.Model):
    """The books through this instant are final; a later correction goes to the open period."""

    id = models.BigAutoField(primary_key=True)
    closed_through = models.DateTimeField(unique=True)
    closed_by = models.CharField(max_length=120)
    reason = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("period close")
        verbose_name_plural = _("period closes")
        ordering = ["-closed_through"]

    def __str__(self) -> str:
        return self.closed_through.isoformat()
