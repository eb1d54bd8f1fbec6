"""The check list of a withdrawal: each line passes, fails or asks for a person's eyes, and says what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import TradingAccount
from apps.clients.enums import Lifecycle
from apps.clients.selectors import client_restrictions, credentials_changed_at
from apps.core import clock
from apps.core.money import Money
from apps.ledger.selectors import balance_of, hold_open
from apps.orders.models import Position
from apps.orders.selectors import account_equities
from apps.payments.enums import CheckResult, Method
from apps.payments.models import PaymentInstrument, Withdrawal, WithdrawalCheck
from apps.payments.selectors import (
    instrument_net,
    wallet_account,
    withdrawals_alive,
)
from apps.payments.services.gates import destination_used

PASS, REVIEW, FAIL = CheckResult.PASS, CheckResult.REVIEW, CheckResult.FAIL
Seen = tuple[CheckResult, str]
DAY = timedelta(hours=24)
WITHDRAWALS_A_DAY = 3
MARGIN_CALL_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Check:
    code: str
    label: Any
    look: Callable[[Withdrawal], Seen]


def _identity(w: Withdrawal) -> Seen:
    level = _("verified to level %(level)d") % {"level": w.client.kyc_level}
    if w.client.verified and w.client.kyc_level >= 1:
        return PASS, level
    return FAIL, _("%(status)s, %(level)s") % {
        "status": w.client.get_kyc_status_display(),
        "level": level,
    }


def _restrictions(w: Withdrawal) -> Seen:
    kinds = client_restrictions(w.client_id)
    if "no_withdrawal" in kinds:
        return FAIL, _("withdrawals are blocked")
    if kinds:
        return REVIEW, ", ".join(sorted(kinds))
    return PASS, _("none in force")


def _relationship(w: Withdrawal) -> Seen:
    label = w.client.get_lifecycle_display()
    fine = (Lifecycle.ACTIVE, Lifecycle.DORMANT, Lifecycle.OFFBOARDING)
    return (PASS if w.client.lifecycle in fine else FAIL), label


def _money_held(w: Withdrawal) -> Seen:
    free = balance_of(wallet_account(w.client_id, w.currency)).available
    if w.hold is None or not hold_open(w.hold) or w.hold.money != w.amount:
        return FAIL, _("the hold is gone")
    return PASS, _("%(held)s held, %(free)s stays free") % {"held": w.amount, "free": free}


def _trading_risk(w: Withdrawal) -> Seen:
    """A client must not take money out of the house while an account of theirs is short of it."""
    accounts = {row.pk: row for row in TradingAccount.objects.filter(client=w.client).live()}
    lines, worst = [], PASS
    for account_id, equity in account_equities(accounts).items():
        login = accounts[account_id].login
        level = equity.margin_level
        if equity.equity.amount < 0:
            worst = FAIL
            lines.append(_("%(login)s owes %(sum)s") % {"login": login, "sum": -equity.equity})
        elif level is not None and level < MARGIN_CALL_PERCENT:
            worst = FAIL
            lines.append(
                _("%(login)s is in margin call at %(level)s %%") % {"login": login, "level": level}
            )
        elif not equity.complete and worst == PASS:
            worst = REVIEW
            lines.append(_("%(login)s cannot be valued now") % {"login": login})
    return worst, "; ".join(lines) or _("no account is short of margin")


def _beneficiary(w: Withdrawal) -> Seen:
    if w.destination.holder_matches:
        return PASS, _("%(instrument)s is in the client's name") % {
            "instrument": w.destination.masked
        }
    return FAIL, _("the name on it is not the client's")


def _closed_loop(w: Withdrawal) -> Seen:
    """Money goes back to where it came from first, profit after that (return to source)."""
    own = instrument_net(w.destination, without=w.pk).get(w.currency, Money.zero(w.currency))
    if own >= w.amount:
        return PASS, _("%(sum)s came from %(instrument)s") % {
            "sum": own,
            "instrument": w.destination.masked,
        }
    elsewhere = _still_owed_elsewhere(w)
    if elsewhere:
        return REVIEW, _("first due back: %(list)s") % {"list": ", ".join(elsewhere)}
    if w.method == Method.BANK_TRANSFER:
        return PASS, _("nothing is due back to cards or e-wallets")
    return REVIEW, _("%(sum)s came from it, %(asked)s is asked for") % {
        "sum": own,
        "asked": w.amount,
    }


def _still_owed_elsewhere(w: Withdrawal) -> list[str]:
    others = PaymentInstrument.objects.filter(
        client_id=w.client_id, first_paid_at__isnull=False
    ).exclude(pk=w.destination_id)
    zero = Money.zero(w.currency)
    owed = ((row, instrument_net(row).get(w.currency, zero)) for row in others)
    return [f"{net} {row.masked}" for row, net in owed if net > zero]


def _new_beneficiary(w: Withdrawal) -> Seen:
    if destination_used(w):
        return PASS, _("known since %(date)s") % {"date": f"{w.destination.created_at:%Y-%m-%d}"}
    return REVIEW, _("never used before")


def _sign_in_changed(w: Withdrawal) -> Seen:
    """Whoever takes a login over changes its password or second factor first, and then takes the money."""
    changed = credentials_changed_at(w.client_id)
    if changed is None or clock.now() - changed > DAY:
        return PASS, _("no change of password or second factor within 24 hours")
    return REVIEW, _("changed %(at)s UTC, within 24 hours") % {"at": f"{changed:%Y-%m-%d %H:%M}"}


def _velocity(w: Withdrawal) -> Seen:
    recent = withdrawals_alive(w.client_id).filter(created_at__gt=clock.now() - DAY).count()
    result = PASS if recent <= WITHDRAWALS_A_DAY else REVIEW
    return result, _("%(count)d in 24 hours, this one included") % {"count": recent}


def _use(w: Withdrawal) -> Seen:
    """Money that comes in and leaves untraded is a sign of layering."""
    accounts = TradingAccount.objects.filter(client=w.client).values("pk")
    if Position.objects.filter(account_id__in=accounts).exists():
        return PASS, _("the client has traded")
    return REVIEW, _("the client has never traded")


CHECKS: tuple[Check, ...] = (
    Check("IDENTITY", gettext_lazy("Identity"), _identity),
    Check("RESTRICTIONS", gettext_lazy("Restrictions"), _restrictions),
    Check("RELATIONSHIP", gettext_lazy("Relationship"), _relationship),
    Check("MONEY_HELD", gettext_lazy("Money held"), _money_held),
    Check("TRADING_RISK", gettext_lazy("Trading accounts"), _trading_risk),
    Check("BENEFICIARY", gettext_lazy("Beneficiary is the client"), _beneficiary),
    Check("CLOSED_LOOP", gettext_lazy("Back to the source first"), _closed_loop),
    Check("NEW_BENEFICIARY", gettext_lazy("Known destination"), _new_beneficiary),
    Check("SIGN_IN", gettext_lazy("Sign-in unchanged"), _sign_in_changed),
    Check("VELOCITY", gettext_lazy("Frequency"), _velocity),
    Check("USE", gettext_lazy("Traded before leaving"), _use),
)
LABELS = {check.code: check.label for check in CHECKS}


def checks_run(withdrawal: Withdrawal) -> list[WithdrawalCheck]:
    """Look at everything now; the rows are not stored yet."""
    latest = withdrawal.checks.order_by("-run").values_list("run", flat=True).first()
    rows = []
    for position, check in enumerate(CHECKS, start=1):
        result, evidence = check.look(withdrawal)
        rows.append(
            WithdrawalCheck(
                withdrawal=withdrawal,
                run=(latest or 0) + 1,
                position=position,
                code=check.code,
                result=result,
                evidence=evidence[:300],
                at=clock.now(),
            )
        )
    return rows


def failing(rows: list[WithdrawalCheck]) -> list[WithdrawalCheck]:
    return [row for row in rows if row.result == FAIL]


def in_words(rows: list[WithdrawalCheck]) -> str:
    """`Trading accounts: 500012 is in margin call at 82.10 %`, one after the other."""
    return "; ".join(f"{LABELS[row.code]}: {row.evidence}" for row in rows)
