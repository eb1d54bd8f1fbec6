"""Reads of the books. Money is always decided from the primary, under a lock; these are for
showing and planning.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Sum

from apps.core.clock import now
from apps.core.money import Money, exponent

from .enums import CHART, SHARDS, AccountKind, Group, Normal
from .models import Account, Balance, Entry, Transfer


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Seen in the account's normal direction: positive is what the account is there to hold."""

    posted: Money
    pending_in: Money
    pending_out: Money

    @property
    def available(self) -> Money:
        """What can leave now: posted money less what is held for going out."""
        return self.posted - self.pending_out


@dataclass(frozen=True, slots=True)
class TrialLine:
    group: Group
    kind: AccountKind
    currency: str
    accounts: int
    debits: Money
    credits: Money
    held: Money

    @property
    def balance(self) -> Money:
        """In the kind's normal direction."""
        if CHART[self.kind].normal == Normal.DEBIT:
            return self.debits - self.credits
        return self.credits - self.debits


_INSERT_CURRENCY = (
    "INSERT INTO ledger_currency (code, exponent) VALUES (%s, %s) ON CONFLICT DO NOTHING"
)
_INSERT_ACCOUNT = """
INSERT INTO ledger_account (kind, currency, owner, shard, normal, bounded, opened_at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (kind, currency, owner, shard) DO NOTHING
"""


def account_for(
    kind: AccountKind | str, currency: str, owner: str = "", *, shard_key: str = ""
) -> Account:
    """The account of this kind, currency and owner, opened at first use.

    `shard_key` spreads a hot house account over `SHARDS` rows; without it the first row is
    used. Reports sum them.
    """
    kind = AccountKind(kind)
    behaviour = CHART[kind]
    shard = zlib.crc32(shard_key.encode()) % SHARDS if shard_key and behaviour.sharded else 0
    place = {"kind": kind, "currency_id": currency, "owner": owner, "shard": shard}
    found = Account.objects.filter(**place).first()
    if found is not None:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_CURRENCY, [currency, exponent(currency)])
        cursor.execute(
            _INSERT_ACCOUNT,
            [kind.value, currency, owner, shard, behaviour.normal.value, behaviour.bounded, now()],
        )
    return Account.objects.get(**place)


def _seen(balance: Balance, currency: str) -> AccountBalance:
    credit = balance.normal == Normal.CREDIT
    posted = balance.credits_posted - balance.debits_posted
    pending = (balance.credits_pending, balance.debits_pending)
    pending_in, pending_out = pending if credit else reversed(pending)
    return AccountBalance(
        posted=Money.from_minor(int(posted if credit else -posted), currency),
        pending_in=Money.from_minor(int(pending_in), currency),
        pending_out=Money.from_minor(int(pending_out), currency),
    )


def balance_of(account: Account) -> AccountBalance:
    """The account's balance as committed, plus what this transaction has posted."""
    return _seen(Balance.objects.get(pk=account.pk), account.currency_id)


def balances_of(accounts: Iterable[Account]) -> dict[int, AccountBalance]:
    """Balances by account id, in one query."""
    by_id = {account.pk: account for account in accounts}
    return {
        row.account_id: _seen(row, by_id[row.account_id].currency_id)
        for row in Balance.objects.filter(pk__in=by_id)
    }


def posted_of(kind: AccountKind, owners: Mapping[str, str]) -> dict[str, Money]:
    """What stands posted for each owner in its currency (owner → currency), in a fixed number of queries.

    Opens nothing: who has no account yet has zero.
    """
    accounts = list(Account.objects.filter(kind=kind, owner__in=owners))
    seen = balances_of(accounts)
    posted = {owner: Money.zero(currency) for owner, currency in owners.items()}
    for account in accounts:
        if account.currency_id == owners[account.owner] and account.pk in seen:
            posted[account.owner] += seen[account.pk].posted
    return posted


def accounts_of(owner: str, kind: AccountKind | None = None) -> list[Account]:
    """All accounts of an owner such as `client:<id>`, by kind and currency."""
    accounts = Account.objects.filter(owner=owner)
    return list(accounts.filter(kind=kind) if kind else accounts)


def total_of(kind: AccountKind, currency: str, owner: str | None = None) -> Money:
    """The posted balance of all accounts of a kind, in the kind's normal direction; shards are
    summed.
    """
    rows = Balance.objects.filter(account__kind=kind, account__currency_id=currency)
    if owner is not None:
        rows = rows.filter(account__owner=owner)
    sums = rows.aggregate(debits=Sum("debits_posted"), credits=Sum("credits_posted"))
    net = int((sums["credits"] or 0) - (sums["debits"] or 0))
    return Money.from_minor(net if CHART[kind].normal == Normal.CREDIT else -net, currency)


def trial_balance() -> list[TrialLine]:
    """Every kind of account per currency: debits, credits and open holds. Each currency's
    debits equal its credits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.kind, a.currency, count(*), sum(b.debits_posted), sum(b.credits_posted),"
            " sum(b.debits_pending + b.credits_pending)"
            " FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id"
            " GROUP BY a.kind, a.currency"
        )
        rows = cursor.fetchall()
    order = list(AccountKind)
    lines = [
        TrialLine(
            group=CHART[AccountKind(kind)].group,
            kind=AccountKind(kind),
            currency=currency,
            accounts=count,
            debits=_money(debits, currency),
            credits=_money(credits, currency),
            held=_money(held, currency),
        )
        for kind, currency, count, debits, credits, held in rows
    ]
    return sorted(lines, key=lambda line: (line.currency, order.index(line.kind)))


def _money(minor: Decimal, currency: str) -> Money:
    return Money.from_minor(int(minor), currency)


def entry_by_key(key: str) -> Entry | None:
    return Entry.objects.filter(idempotency_key=key).first()


def hold_open(transfer: Transfer) -> bool:
    """Whether this pending transfer still waits to be posted or voided."""
    return transfer.phase == "pending" and not transfer.resolutions.exists()
