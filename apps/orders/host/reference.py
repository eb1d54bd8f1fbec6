"""What the engine has to be told of the apps below: instruments, currencies, house policy, accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.accounts.selectors import AccountEngineView, account_engine_view
from apps.core import clock
from apps.core.money import EXPONENTS, exponent
from apps.market.models import Instrument
from apps.market.selectors import instrument_list, session_calendar, venues_enabled
from apps.market.sessions import ALWAYS_OPEN, SessionCalendar
from apps.orders.engine.commands import (
    AccountSet,
    AccountSpec,
    Command,
    CurrencySet,
    InstrumentChanged,
    InstrumentSpec,
    Policy,
    PolicySet,
)
from apps.orders.engine.state import State
from apps.orders.host.units import to_us

CONVERTING_CLASSES = frozenset(("FX", "CRYPTO"))
SESSION_DAYS_BACK = 1
SESSION_DAYS_AHEAD = 14
STATUS_OF_RIGHTS = {"FULL": "ACTIVE", "CLOSE_ONLY": "CLOSE_ONLY"}


def instrument_spec(instrument: Instrument, at: datetime) -> InstrumentSpec:
    """An instrument in the engine's integers, with the sessions of the coming two weeks."""
    value = (
        instrument.lot_step
        * instrument.contract_size
        * Decimal(10) ** (exponent(instrument.quote) - instrument.digits)
    )
    value_num, value_den = value.as_integer_ratio()
    lot_num, lot_den = instrument.lot_step.as_integer_ratio()
    margin_num, margin_den = instrument.margin_rate.as_integer_ratio()
    tick = instrument.tick_size.scaleb(instrument.digits)
    return InstrumentSpec(
        symbol=instrument.symbol,
        asset_class=instrument.asset_class.code,
        margin_class=instrument.margin_class.code,
        base=instrument.base,
        quote=instrument.quote,
        digits=instrument.digits,
        value_num=value_num,
        value_den=value_den,
        lot_num=lot_num,
        lot_den=lot_den,
        min_steps=int(instrument.min_lot / instrument.lot_step),
        max_steps=int(instrument.max_lot / instrument.lot_step),
        tick_points=max(int(tick), 1),
        margin_num=margin_num,
        margin_den=margin_den,
        status=instrument.status,
        sessions=_sessions(session_calendar(instrument), at, instrument),
        pair=instrument.asset_class.code in CONVERTING_CLASSES,
    )


def _sessions(
    calendar: SessionCalendar, at: datetime, instrument: Instrument
) -> tuple[tuple[int, int], ...] | None:
    """Open stretches in microseconds, joined where they touch; None for a market that never closes."""
    if (
        calendar.sessions == ALWAYS_OPEN.sessions
        and not calendar.holidays
        and not instrument.expires_on
    ):
        return None
    stretches: list[tuple[int, int]] = []
    first = at.date() - timedelta(days=SESSION_DAYS_BACK)
    for offset in range(SESSION_DAYS_BACK + SESSION_DAYS_AHEAD):
        day = first + timedelta(days=offset)
        if instrument.expires_on is not None and day > instrument.expires_on:
            break
        for opens, closes in calendar.intervals_of(day):
            start, end = to_us(opens), to_us(closes)
            if stretches and stretches[-1][1] == start:
                start = stretches.pop()[0]
            stretches.append((start, end))
    return tuple(stretches)


def account_spec(view: AccountEngineView) -> AccountSpec:
    """An account in the engine's terms; anything but full or close-only rights means that it does not trade."""
    return AccountSpec(
        account=str(view.account_id),
        client=str(view.client_id),
        currency=view.currency,
        entity=view.entity,
        group=view.group,
        mode=view.mode,
        status=STATUS_OF_RIGHTS.get(view.rights, "READ_ONLY"),
        leverage=view.leverage,
        leverage_caps=tuple(sorted(view.leverage_caps.items())),
        restrictions=tuple(sorted(view.restrictions)),
        commission_minor=_group_term(view, "commission_minor", 0),
        markup=tuple(sorted(_group_term(view, "markup", {}).items())),
        book=_group_term(view, "book", "B"),
        orders_per_second=_group_term(view, "orders_per_second", 0),
    )


def _group_term(view: AccountEngineView, name: str, default: Any) -> Any:
    """A term of the account type, as `ENGINE_ACCOUNT_TERMS` says; `*` holds for all types."""
    terms = settings.ENGINE_ACCOUNT_TERMS
    return terms.get(view.account_type, {}).get(name, terms.get("*", {}).get(name, default))


def account_command(account_id: UUID, at: datetime) -> AccountSet:
    """The command that tells the engine what is true of an account now."""
    return AccountSet(at=to_us(at), spec=account_spec(account_engine_view(account_id)))


def policy() -> Policy:
    """House limits from the settings, and the venues that take orders, in order."""
    values: dict[str, Any] = dict(settings.ENGINE_POLICY)
    values.setdefault("venues", tuple(venue.code for venue in venues_enabled()))
    return Policy(**values)


def reference_changes(state: State) -> Iterator[Command]:
    """Commands that bring the engine's reference data up to date; none when nothing changed."""
    at = clock.now()
    us = to_us(at)
    wanted_policy = policy()
    if state.policy != wanted_policy:
        yield PolicySet(at=us, policy=wanted_policy)
    instruments = list(instrument_list().order_by("symbol"))
    currencies = {i.quote for i in instruments} | {i.base for i in instruments} | set(EXPONENTS)
    exponents = tuple(sorted((code, exponent(code)) for code in currencies | {"USD", "EUR", "GBP"}))
    if dict(exponents) != state.exponents:
        yield CurrencySet(at=us, exponents=exponents)
    for instrument in instruments:
        spec = instrument_spec(instrument, at)
        if state.instruments.get(spec.symbol) != spec:
            yield InstrumentChanged(at=us, spec=spec)
