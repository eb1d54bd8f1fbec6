"""Every reason for which the engine says no: our code, with FIX 4.4's OrdRejReason (103) or CxlRejReason (102)."""

from __future__ import annotations

ORDER_REJECT_REASON: dict[str, int] = {
    "KILL_SWITCH": 0,
    "ACCOUNT_UNKNOWN": 15,
    "ACCOUNT_NOT_ACTIVE": 0,
    "ACCOUNT_CLOSE_ONLY": 0,
    "CLIENT_RESTRICTED": 0,
    "INSTRUMENT_UNKNOWN": 1,
    "INSTRUMENT_NOT_TRADABLE": 0,
    "INSTRUMENT_CLOSE_ONLY": 0,
    "MARKET_CLOSED": 2,
    "QUOTE_MISSING": 0,
    "QUOTE_STALE": 0,
    "QUANTITY_INVALID": 13,
    "QUANTITY_TOO_SMALL": 13,
    "QUANTITY_TOO_LARGE": 13,
    "PRICE_INVALID": 99,
    "UNSUPPORTED_ORDER": 11,
    "DUPLICATE_CLIENT_ORDER_ID": 6,
    "ORDER_RATE_EXCEEDED": 3,
    "PRICE_OUTSIDE_COLLAR": 16,
    "SIZE_FAT_FINGER": 3,
    "NOTIONAL_TOO_LARGE": 3,
    "FREE_MARGIN_TOO_LOW": 3,
    "CONVERSION_RATE_MISSING": 0,
    "POSITION_UNKNOWN": 99,
    "POSITION_CLOSED": 99,
    "CLOSE_EXCEEDS_POSITION": 13,
    "NOT_FILLABLE_NOW": 0,
    "VENUE_REJECTED": 0,
    "VENUE_NOT_FOUND": 0,
    "VENUE_MISSING": 0,
}

CANCEL_REJECT_REASON: dict[str, int] = {
    "TOO_LATE_TO_CANCEL": 0,
    "ORDER_UNKNOWN": 1,
    "CANCEL_ALREADY_PENDING": 3,
}


class IllegalTransition(Exception):
    """The FIX 4.4 matrices do not know this pair of status and trigger."""

    code = "ILLEGAL_TRANSITION"

    def __init__(self, status: str, trigger: str) -> None:
        super().__init__(f"{status} does not accept {trigger}")
        self.status = status
        self.trigger = trigger


class RateMissing(Exception):
    """No chain of quotes connects two currencies."""

    code = "CONVERSION_RATE_MISSING"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"no rate from {source} to {target}")
        self.source = source
        self.target = target
