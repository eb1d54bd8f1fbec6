"""Between the house's words and a venue's: symbol, quantity, price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.orders.adapters.protocol import ChildInstruction, ReportKind, VenueReport
from apps.orders.adapters.venues.wire import NewOrder, Report

MARKET = ""


class Untranslatable(ValueError):
    """A venue said something that does not fit the instrument, such as half a lot step."""


@dataclass(frozen=True)
class SymbolTerms:
    """One instrument at one venue. A lot is `contract_size` of the base; the venue counts in `venue_size`."""

    symbol: str
    venue_symbol: str
    contract_size: Decimal
    venue_size: Decimal
    lot_step: Decimal
    digits: int

    def quantity_of(self, lots: Decimal) -> Decimal:
        """Lots in the venue's units."""
        return lots * self.contract_size / self.venue_size

    def steps_of(self, quantity: Decimal) -> int:
        """A venue's quantity in lot steps. Raises `Untranslatable` when it is not a whole number of them."""
        steps = quantity * self.venue_size / self.contract_size / self.lot_step
        if steps != steps.to_integral_value():
            raise Untranslatable(
                f"{quantity} {self.venue_symbol} is {steps} steps of {self.symbol}"
            )
        return int(steps)

    def points_of(self, price: Decimal) -> int:
        """A venue's price in points. Raises `Untranslatable` when it is finer than a point."""
        points = price.scaleb(self.digits)
        if points != points.to_integral_value():
            raise Untranslatable(f"{price} is finer than a point of {self.symbol}")
        return int(points)


def plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros."""
    return f"{number.normalize():f}"


def order_for(instruction: ChildInstruction, terms: SymbolTerms) -> NewOrder:
    """The venue's order for an instruction."""
    limit = Decimal(instruction.limit_points).scaleb(-terms.digits)
    return NewOrder(
        cl_ord_id=instruction.client_order_id,
        symbol=terms.venue_symbol,
        side=instruction.side,
        quantity=plain(terms.quantity_of(Decimal(instruction.lots))),
        price=plain(limit) if instruction.limit_points else MARKET,
        tif=instruction.time_in_force,
    )


def report_for(report: Report, child_id: int, venue: str, terms: SymbolTerms) -> VenueReport:
    """The house's report for a venue's. Raises `Untranslatable` or ValueError for an unknown kind."""
    kind = ReportKind(report.kind)
    is_fill = kind is ReportKind.FILL
    return VenueReport(
        kind=kind,
        child_id=child_id,
        venue=venue,
        exec_id=report.exec_id,
        steps=terms.steps_of(Decimal(report.last_qty)) if is_fill else 0,
        price_points=terms.points_of(Decimal(report.last_px)) if is_fill else 0,
        cum_steps=terms.steps_of(Decimal(report.cum_qty)),
        venue_order_id=report.order_id,
        code=report.code,
        text=report.text,
        venue_time_us=report.time_us,
    )
