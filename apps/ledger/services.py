"""The only way money moves in the books.

Readers find the promises in README.md; the rules that hold even without this code are in
migration `0002`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves, require_none_open
from apps.core.audit import audit
from apps.core.clock import now
from apps.core.commands import command
from apps.core.errors import NotVisible
from apps.core.ids import new_id
from apps.core.models import Approval
from apps.core.money import Money

from .batch import BatchRow, post_batch
from .enums import Normal, Phase
from .errors import (
    AccountClosed,
    HoldExpired,
    HoldResolved,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidPosting,
    PeriodClosed,
)
from .locks import balances_locked
from .models import Account, Balance, Entry, PeriodClose, Transfer
from .permissions import CLOSE_PERIOD, CORRECT_ENTRY

__all__ = [
    "BatchRow",
    "Leg",
    "entry_correct",
    "entry_corrected",
    "hold_post",
    "hold_void",
    "holds_expire",
    "period_close",
    "post",
    "post_batch",
]


CORRECTION = "ledger.correct_entry"


@dataclass(frozen=True, slots=True)
class Leg:
    """One transfer. With phase POST or VOID the accounts are those of `pending`."""

    debit: Account
    credit: Account
    amount: Money
    phase: Phase = Phase.SINGLE
    pending: Transfer | None = None
    expires_at: datetime | None = None


def post(
    *,
    kind: str,
    key: str,
    legs: Sequence[Leg],
    actor: Actor,
    reason: str = "",
    effective_at: datetime | None = None,
    corrects: Entry | None = None,
    request: dict[str, Any] | None = None,
) -> Entry:
    """Write one business event into the books, all its transfers or none.

    The same `key` with the same content returns the stored entry and moves nothing; with other
    content it raises `IdempotencyConflict`. `request` replaces the content that is compared,
    for callers whose legs may differ between repeats of one request. Raises
    `InsufficientFunds`, `HoldResolved`, `HoldExpired`, `AccountClosed`, `PeriodClosed`. Must
    run inside the caller's transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("post() runs inside the caller's transaction")
    _require_sound(legs)
    digest = request_hash(kind, legs, request, corrects)
    balances = balances_locked(i for leg in legs for i in (leg.debit.pk, leg.credit.pk))

    stored = Entry.objects.filter(idempotency_key=key).first()
    if stored is not None:
        return _replayed(stored, digest)
    created_at = now()
    effective_at = effective_at or created_at
    _require_open_period(effective_at)
    _require_open_accounts(legs)
    _require_resolvable(legs, created_at)
    _require_funds(legs, balances)

    entry = Entry(
        id=new_id(),
        idempotency_key=key,
        request_hash=digest,
        kind=kind,
        actor=actor.id,
        reason=reason,
        effective_at=effective_at,
        created_at=created_at,
        corrects=corrects,
    )
    if not _insert_entry(entry):
        return _replayed(Entry.objects.get(idempotency_key=key), digest)
    Transfer.objects.bulk_create([_transfer(entry, leg) for leg in legs])
    return Entry.objects.get(pk=entry.pk)


def hold_post(
    *,
    pending: Transfer,
    kind: str,
    key: str,
    actor: Actor,
    amount: Money | None = None,
    reason: str = "",
) -> Entry:
    """Make a hold final, in whole or in part; a partial post releases the rest."""
    return _resolve(pending, Phase.POST, amount or pending.money, kind, key, actor, reason)


def hold_void(*, pending: Transfer, kind: str, key: str, actor: Actor, reason: str = "") -> Entry:
    """Release a hold in whole."""
    return _resolve(pending, Phase.VOID, pending.money, kind, key, actor, reason)


def _resolve(
    pending: Transfer, phase: Phase, amount: Money, kind: str, key: str, actor: Actor, reason: str
) -> Entry:
    leg = Leg(pending.debit, pending.credit, amount, phase=phase, pending=pending)
    return post(kind=kind, key=key, legs=[leg], actor=actor, reason=reason)


@command
def holds_expire(*, actor: Actor, limit: int = 500) -> int:
    """Release holds whose time is over; returns how many. A hold posted in the same instant
    stays posted.
    """
    due = Transfer.objects.open_holds().filter(expires_at__lte=now()).order_by("id")[:limit]
    holds = list(due.select_related("debit", "credit"))
    balances_locked(i for hold in holds for i in (hold.debit_id, hold.credit_id))
    still_open = set(
        Transfer.objects.open_holds()
        .filter(pk__in=[h.pk for h in holds])
        .values_list("pk", flat=True)
    )
    for hold in holds:
        if hold.pk in still_open:
            hold_void(pending=hold, kind="hold.expire", key=f"hold-expire:{hold.pk}", actor=actor)
    return len(still_open)


@command
def entry_correct(*, entry_id: Any, actor: Actor, reason: str) -> Approval:
    """Ask somebody else to undo an entry by a new one with the accounts swapped; the first stays as it was.

    Only posted money can be corrected; a hold is released instead. An entry is corrected once.
    Raises `NotVisible`, `NotAllowed`, `InvalidPosting`, `AlreadyAsked`.
    """
    actor.require(CORRECT_ENTRY)
    entry = Entry.objects.visible_to(actor).filter(pk=entry_id).first()
    if entry is None:
        raise NotVisible
    legs = _swapped(entry)
    require_none_open(CORRECTION, entry)
    amounts = [leg.amount for leg in legs]
    return approval_request(
        action=CORRECTION,
        title=_("Correct entry {key}").format(key=entry.idempotency_key),
        payload={"entry_id": str(entry.pk), "content": entry.request_hash},
        diff=[
            (str(place), f"{leg.credit} → {leg.debit}", str(leg.amount), _("back"))
            for place, leg in enumerate(legs)
        ],
        permission=CORRECT_ENTRY,
        actor=actor,
        reason=reason,
        subject=entry,
        amount=max(amounts) if len({amount.currency for amount in amounts}) == 1 else None,
    )


def _swapped(entry: Entry) -> list[Leg]:
    rows = list(entry.transfers.select_related("debit", "credit").order_by("id"))
    if any(row.phase in (Phase.PENDING, Phase.VOID) for row in rows):
        raise InvalidPosting(problem="a hold is released, not corrected")
    if entry.corrections.exists():
        raise InvalidPosting(problem="it was corrected before")
    return [Leg(debit=row.credit, credit=row.debit, amount=row.money) for row in rows]


@approves(CORRECTION)
def entry_corrected(approval: Approval, *, actor: Actor) -> None:
    """Post what was agreed to. Raises what `post` raises, and `InvalidPosting` when it was corrected meanwhile."""
    entry = Entry.objects.get(pk=approval.payload["entry_id"])
    post(
        kind=f"{entry.kind}.correction",
        key=f"correct:{entry.pk}",
        legs=_swapped(entry),
        actor=actor,
        reason=approval.reason,
        corrects=entry,
        request={"corrects": str(entry.pk)},
    )


@command
def period_close(*, closed_through: datetime, actor: Actor, reason: str) -> PeriodClose:
    """Make the books final through this instant. Waits for postings under way; none can slip in
    behind it.
    """
    actor.require(CLOSE_PERIOD)
    if closed_through > now():
        raise InvalidPosting(problem="a period is closed after it has ended")
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_entry IN SHARE ROW EXCLUSIVE MODE")
    period = PeriodClose.objects.create(
        closed_through=closed_through, closed_by=actor.id, reason=reason, created_at=now()
    )
    audit(
        actor=actor,
        action="period.close",
        subject=period,
        after={"closed_through": closed_through},
        reason=reason,
    )
    return period


def request_hash(
    kind: str,
    legs: Sequence[Leg],
    request: dict[str, Any] | None = None,
    corrects: Entry | None = None,
) -> str:
    """What a key stands for: kind and legs, or the caller's own request."""
    content: Any = request or [
        [
            leg.debit.pk,
            leg.credit.pk,
            leg.amount.minor,
            str(leg.phase),
            leg.pending and leg.pending.pk,
        ]
        for leg in legs
    ]
    canonical = json.dumps(
        [kind, content, corrects and str(corrects.pk)], sort_keys=True, default=str
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _require_sound(legs: Sequence[Leg]) -> None:
    if not legs:
        raise InvalidPosting(problem="it has no transfers")
    for leg in legs:
        if leg.amount.minor <= 0:
            raise InvalidPosting(problem=f"{leg.amount} is not more than zero")
        if leg.debit.pk == leg.credit.pk:
            raise InvalidPosting(problem="it debits and credits the same account")
        if {leg.debit.currency_id, leg.credit.currency_id} != {leg.amount.currency}:
            raise InvalidPosting(problem="a transfer stays within one currency")
        if (leg.phase in (Phase.POST, Phase.VOID)) != (leg.pending is not None):
            raise InvalidPosting(problem="only posting or voiding names a hold")


def _require_open_period(effective_at: datetime) -> None:
    closed = PeriodClose.objects.filter(closed_through__gte=effective_at).first()
    if closed is not None:
        raise PeriodClosed(closed_through=closed.closed_through)


def _require_open_accounts(legs: Sequence[Leg]) -> None:
    for leg in legs:
        for account in (leg.debit, leg.credit):
            if account.closed_at is not None:
                raise AccountClosed(account=account)


def _require_resolvable(legs: Sequence[Leg], at: datetime) -> None:
    for leg in legs:
        hold = leg.pending
        if hold is None:
            continue
        if hold.resolutions.exists():
            raise HoldResolved(hold=hold.pk)
        if leg.amount > hold.money or (leg.phase == Phase.VOID and leg.amount != hold.money):
            raise InvalidPosting(problem=f"the hold is {hold.money}, not {leg.amount}")
        if leg.phase == Phase.POST and hold.expires_at is not None and hold.expires_at <= at:
            raise HoldExpired(expires_at=hold.expires_at)


def _require_funds(legs: Sequence[Leg], balances: dict[int, Balance]) -> None:
    """The same sum that the database's CHECK does, for a sentence with the figure in it."""
    outgoing: dict[int, int] = {}
    accounts = {a.pk: a for leg in legs for a in (leg.debit, leg.credit)}
    for leg in legs:
        minor = leg.amount.minor
        held = int(leg.pending.amount) if leg.pending else 0
        leaves = {Phase.VOID: -held, Phase.POST: minor - held}.get(leg.phase, minor)
        arrives = minor if leg.phase in (Phase.SINGLE, Phase.POST) else 0
        for account, is_debit in ((leg.debit, True), (leg.credit, False)):
            outward = is_debit == (account.normal == Normal.CREDIT)
            change = leaves if outward else -arrives
            outgoing[account.pk] = outgoing.get(account.pk, 0) + change
    for account_id, change in outgoing.items():
        balance = balances[account_id]
        if balance.bounded and change > (available := available_minor(balance)):
            account = accounts[account_id]
            raise InsufficientFunds(available=account.money(available), account=account)


def available_minor(balance: Balance) -> int:
    if balance.normal == Normal.CREDIT:
        return int(balance.credits_posted - balance.debits_posted - balance.debits_pending)
    return int(balance.debits_posted - balance.credits_posted - balance.credits_pending)


_INSERT_ENTRY = """
INSERT INTO ledger_entry (id, idempotency_key, request_hash, kind, actor, reason,
                          effective_at, created_at, corrects_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (idempotency_key) DO NOTHING
"""


def _insert_entry(entry: Entry) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_ENTRY,
            [
                entry.id,
                entry.idempotency_key,
                entry.request_hash,
                entry.kind,
                entry.actor,
                entry.reason,
                entry.effective_at,
                entry.created_at,
                entry.corrects_id,
            ],
        )
        return cursor.rowcount == 1


def _transfer(entry: Entry, leg: Leg) -> Transfer:
    return Transfer(
        entry=entry,
        debit=leg.debit,
        credit=leg.credit,
        currency_id=leg.amount.currency,
        amount=leg.amount.minor,
        phase=leg.phase,
        pending=leg.pending,
        expires_at=leg.expires_at,
        created_at=entry.created_at,
    )


def _replayed(entry: Entry, digest: str) -> Entry:
    if entry.request_hash != digest:
        raise IdempotencyConflict(key=entry.idempotency_key)
    return entry
