"""The venues of this installation: which adapter speaks to which, and under which names."""

from __future__ import annotations

import os

from django.conf import settings

from apps.market.enums import VenueKind
from apps.market.selectors import venue_symbols
from apps.orders.adapters.protocol import VenueAdapter
from apps.orders.adapters.venues.symbology import SymbolTerms
from apps.orders.adapters.venues.tcp import TcpVenue

SIMULATOR_PORTS = {"LP_ALPHA": 8111, "LP_BRAVO": 8112, "LP_CHARLIE": 8113}


def symbol_terms(venue: str) -> dict[str, SymbolTerms]:
    """A venue's symbology by canonical symbol, as pure values."""
    return {
        symbol: SymbolTerms(
            symbol=symbol,
            venue_symbol=row.symbol,
            contract_size=row.instrument.contract_size,
            venue_size=row.contract_size,
            lot_step=row.instrument.lot_step,
            digits=row.instrument.digits,
        )
        for symbol, row in venue_symbols(venue).items()
    }


def address_of(venue: str) -> tuple[str, int] | None:
    """Where a venue listens: the setting `<VENUE>_ADDRESS` as host:port, or its simulator's port."""
    named = os.environ.get(f"{venue}_ADDRESS") or getattr(settings, f"{venue}_ADDRESS", "")
    if named:
        host, _, port = named.rpartition(":")
        return host, int(port)
    port = os.environ.get(f"{venue}_PORT") or SIMULATOR_PORTS.get(venue)
    return ("127.0.0.1", int(port)) if port else None


def adapters() -> list[VenueAdapter]:
    """One adapter for every liquidity provider that has an address."""
    from apps.market.models import Venue

    codes = Venue.objects.filter(kind=VenueKind.LIQUIDITY_PROVIDER).values_list("code", flat=True)
    places = {code: address_of(code) for code in codes}
    return [TcpVenue(code, place, symbol_terms(code)) for code, place in places.items() if place]
