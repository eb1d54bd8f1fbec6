"""Instruments, carried between installations by their symbol. Halting one is a command, never configuration."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.config_rows import Rows, register_rows
from apps.core.events import emit
from apps.market.events import InstrumentChanged
from apps.market.models import Instrument

register_rows(
    "market.instruments",
    _("Instruments"),
    Rows(
        Instrument,
        ("symbol",),
        (
            "name",
            "base",
            "quote",
            "contract_size",
            "digits",
            "tick_size",
            "lot_step",
            "min_lot",
            "max_lot",
            "margin_rate",
            "swap_long_points",
            "swap_short_points",
            "triple_swap_weekday",
            "expires_on",
            "isin",
            "cfi",
            "reference_price",
            "typical_spread_points",
        ),
        relations={"asset_class": "code", "margin_class": "code", "calendar": "code"},
        changed=lambda row: emit(InstrumentChanged(symbol=row.symbol)),
    ),
    order=50,
)
