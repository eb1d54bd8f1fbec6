"""FIX 4.4 code values, stored as they stand in the specification (volume 6, fields 39, 40, 54, 59, 150)."""

from __future__ import annotations

BUY = 1
SELL = 2


def opposite(side: int) -> int:
    return SELL if side == BUY else BUY


class OrdStatus:
    PENDING_NEW = "A"
    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    CANCELED = "4"
    PENDING_CANCEL = "6"
    REJECTED = "8"
    EXPIRED = "C"
    PENDING_REPLACE = "E"

    ALL = (
        PENDING_NEW,
        NEW,
        PARTIALLY_FILLED,
        FILLED,
        CANCELED,
        PENDING_CANCEL,
        REJECTED,
        EXPIRED,
        PENDING_REPLACE,
    )
    TERMINAL = frozenset((FILLED, CANCELED, REJECTED, EXPIRED))


class ExecType:
    PENDING_NEW = "A"
    NEW = "0"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    REJECTED = "8"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"
    TRIGGERED = "L"


class OrdType:
    MARKET = "1"
    LIMIT = "2"

    ALL = frozenset((MARKET, LIMIT))


class TimeInForce:
    DAY = "0"
    GTC = "1"
    IOC = "3"
    FOK = "4"

    ALL = frozenset((DAY, GTC, IOC, FOK))
