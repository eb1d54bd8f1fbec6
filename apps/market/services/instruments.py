"""Changes to instruments: status, terms, limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.market.enums import InstrumentStatus
from apps.market.errors import InvalidTerms
from apps.market.events import InstrumentChanged
from apps.market.locks import instrument_locked
from apps.market.models import Instrument, InstrumentTerms
from apps.market.permissions import EDIT_INSTRUMENT, HALT_INSTRUMENT

EDITABLE = frozenset(
    {
        "name",
        "lot_step",
        "min_lot",
        "max_lot",
        "margin_rate",
        "swap_long_points",
        "swap_short_points",
        "triple_swap_weekday",
        "expires_on",
        "typical_spread_points",
    }
)


@command
def instrument_halt(*, instrument_id: UUID, actor: Actor, reason: str) -> Instrument:
    """Stop all trading of an instrument. Halting a halted one changes nothing."""
    return _move(instrument_id, InstrumentStatus.HALTED, "halt", actor, reason)


@command
def instrument_close_only(*, instrument_id: UUID, actor: Actor, reason: str) -> Instrument:
    """Let clients leave but not enter."""
    return _move(instrument_id, InstrumentStatus.CLOSE_ONLY, "restrict_to_closing", actor, reason)


@command
def instrument_resume(*, instrument_id: UUID, actor: Actor, reason: str) -> Instrument:
    """Open the instrument again."""
    return _move(instrument_id, InstrumentStatus.TRADABLE, "resume", actor, reason)


@command
def instrument_update(
    *, instrument_id: UUID, actor: Actor, reason: str, **changes: Any
) -> Instrument:
    """Change limits, margin rate, swaps or the name.

    Raises `InvalidTerms` for a field that has its own service or a value that contradicts another.
    """
    actor.require(EDIT_INSTRUMENT)
    instrument = instrument_locked(instrument_id)
    foreign = sorted(set(changes) - EDITABLE)
    if foreign:
        raise InvalidTerms(
            symbol=instrument.symbol, problem=f"{', '.join(foreign)} cannot be changed here"
        )
    for name, value in changes.items():
        setattr(instrument, name, value)
    check_limits(instrument)
    instrument.save_as(actor, reason)
    emit(InstrumentChanged(symbol=instrument.symbol))
    return instrument


@command
def instrument_terms_change(
    *,
    instrument_id: UUID,
    contract_size: Decimal,
    tick_size: Decimal,
    actor: Actor,
    reason: str,
) -> Instrument:
    """Put new contract terms in force from now on; the former ones stay readable for old deals.

    Raises `InvalidTerms` when the tick is finer than a point or a size is not positive.
    """
    actor.require(EDIT_INSTRUMENT)
    instrument = instrument_locked(instrument_id)
    if (instrument.contract_size, instrument.tick_size) == (contract_size, tick_size):
        return instrument
    instrument.contract_size, instrument.tick_size = contract_size, tick_size
    check_limits(instrument)
    instrument.save_as(actor, reason, action="instrument.change_terms")
    terms_write(instrument, actor, reason)
    emit(InstrumentChanged(symbol=instrument.symbol))
    return instrument


def terms_write(instrument: Instrument, actor: Actor, reason: str) -> InstrumentTerms:
    """Keep the instrument's present terms as in force from now on."""
    return InstrumentTerms.objects.create(
        instrument=instrument,
        valid_from=clock.now(),
        contract_size=instrument.contract_size,
        tick_size=instrument.tick_size,
        digits=instrument.digits,
        recorded_by=actor.id,
        reason=reason,
    )


def check_limits(instrument: Instrument) -> None:
    """Raises `InvalidTerms` when sizes, steps and limits do not fit together."""
    problem = _problem(instrument)
    if problem:
        raise InvalidTerms(symbol=instrument.symbol, problem=problem)


def _problem(i: Instrument) -> str:
    point = Decimal(1).scaleb(-i.digits)
    positive = (i.contract_size, i.tick_size, i.lot_step, i.min_lot, i.margin_rate)
    if min(positive) <= 0:
        return "sizes, steps and the margin rate are above zero"
    if i.tick_size % point:
        return f"the tick is a multiple of the point {point}"
    if i.max_lot < i.min_lot:
        return "the largest order is not smaller than the smallest"
    if i.min_lot % i.lot_step or i.max_lot % i.lot_step:
        return f"the smallest and largest order are multiples of the step {i.lot_step}"
    return ""


def _move(
    instrument_id: UUID, target: InstrumentStatus, transition: str, actor: Actor, reason: str
) -> Instrument:
    actor.require(HALT_INSTRUMENT)
    instrument = instrument_locked(instrument_id)
    if instrument.status == target:
        return instrument
    getattr(instrument, transition)(by=actor, reason=reason)
    instrument.save_as(actor, reason, action=f"instrument.{transition}")
    emit(InstrumentChanged(symbol=instrument.symbol))
    return instrument
