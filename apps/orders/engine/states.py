"""Where FIX 4.4 puts an order: the order state change matrices (volume 4, appendix D, A to D) as one table.

`WORKING` in the table means the status that the quantities themselves say: New, Partially filled or Filled.
A pair that is not in the table is refused with `IllegalTransition`; nothing falls through to a guess.
"""

from __future__ import annotations

from enum import StrEnum

from apps.orders.engine.errors import IllegalTransition
from apps.orders.engine.fix import OrdStatus

S = OrdStatus


class Trigger(StrEnum):
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    TRADE = "TRADE"
    BUST = "BUST"
    CANCEL_REQUEST = "CANCEL_REQUEST"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCEL = "CANCEL"
    REPLACE_REQUEST = "REPLACE_REQUEST"
    REPLACE_REFUSED = "REPLACE_REFUSED"
    REPLACE = "REPLACE"
    EXPIRE = "EXPIRE"


T = Trigger
WORKING = "working"

TRANSITIONS: dict[tuple[str, Trigger], str] = {
    # A.1: the order and the first answer to it
    (S.PENDING_NEW, T.ACCEPT): S.NEW,
    (S.PENDING_NEW, T.REJECT): S.REJECTED,
    (S.PENDING_NEW, T.TRADE): WORKING,  # A.1.c: a venue may fill before it acknowledges
    (S.PENDING_NEW, T.CANCEL): S.CANCELED,
    (S.PENDING_NEW, T.EXPIRE): S.EXPIRED,
    (S.PENDING_NEW, T.CANCEL_REQUEST): S.PENDING_CANCEL,
    (S.NEW, T.REJECT): S.REJECTED,  # A.1.b: accepted by us, refused by the venue before any fill
    (S.NEW, T.TRADE): WORKING,
    (S.PARTIALLY_FILLED, T.TRADE): WORKING,
    (S.NEW, T.CANCEL): S.CANCELED,  # A.1.d: unsolicited cancel
    (S.PARTIALLY_FILLED, T.CANCEL): S.CANCELED,
    (S.NEW, T.EXPIRE): S.EXPIRED,  # D: time in force ran out
    (S.PARTIALLY_FILLED, T.EXPIRE): S.EXPIRED,
    # B.1: cancel request
    (S.NEW, T.CANCEL_REQUEST): S.PENDING_CANCEL,
    (S.PARTIALLY_FILLED, T.CANCEL_REQUEST): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, T.ACCEPT): S.PENDING_CANCEL,
    (S.PENDING_CANCEL, T.TRADE): S.PENDING_CANCEL,  # B.1.b: pending cancel outranks the fill
    (S.PENDING_CANCEL, T.CANCEL): S.CANCELED,
    (
        S.PENDING_CANCEL,
        T.CANCEL_REFUSED,
    ): WORKING,  # B.1.c: too late; what was filled meanwhile shows now
    (S.PENDING_CANCEL, T.REJECT): S.REJECTED,
    (S.PENDING_CANCEL, T.EXPIRE): S.EXPIRED,
    # C.1 to C.3: replace request
    (S.NEW, T.REPLACE_REQUEST): S.PENDING_REPLACE,
    (S.PARTIALLY_FILLED, T.REPLACE_REQUEST): S.PENDING_REPLACE,
    (
        S.FILLED,
        T.REPLACE_REQUEST,
    ): S.PENDING_REPLACE,  # C.3.a: a larger quantity revives a filled order
    (
        S.PENDING_REPLACE,
        T.TRADE,
    ): S.PENDING_REPLACE,  # C.1.c: fills keep the original quantity and price
    (S.PENDING_REPLACE, T.REPLACE): WORKING,  # C.2: to or below what is filled means Filled
    (S.PENDING_REPLACE, T.REPLACE_REFUSED): WORKING,
    (S.PENDING_REPLACE, T.CANCEL_REQUEST): S.PENDING_CANCEL,  # D.1: cancel chases the replace
    (S.PENDING_REPLACE, T.CANCEL): S.CANCELED,
    (S.PENDING_REPLACE, T.EXPIRE): S.EXPIRED,
    # E: trades that are taken back
    (S.PARTIALLY_FILLED, T.BUST): WORKING,
    (S.FILLED, T.BUST): WORKING,
    (S.PENDING_CANCEL, T.BUST): S.PENDING_CANCEL,
    (S.PENDING_REPLACE, T.BUST): S.PENDING_REPLACE,
    (S.CANCELED, T.BUST): S.CANCELED,  # E.1.b: a bust after cancel keeps Canceled
    (S.EXPIRED, T.BUST): S.EXPIRED,
    # a fill that was under way when the order ended, or more than was ordered: it happened, so it is booked and flagged
    (S.CANCELED, T.TRADE): S.CANCELED,
    (S.EXPIRED, T.TRADE): S.EXPIRED,
    (S.REJECTED, T.TRADE): S.REJECTED,
    (S.FILLED, T.TRADE): S.FILLED,
}


def working_status(cum: int, leaves: int) -> str:
    """The status that the quantities themselves say."""
    if leaves == 0:
        return S.FILLED
    return S.PARTIALLY_FILLED if cum else S.NEW


def next_status(status: str, trigger: Trigger, *, cum: int, leaves: int) -> str:
    """Where FIX 4.4 puts an order whose quantities after the trigger are `cum` and `leaves`.

    Raises `IllegalTransition` for a pair that the standard does not know.
    """
    target = TRANSITIONS.get((status, trigger))
    if target is None:
        raise IllegalTransition(status, trigger)
    return working_status(cum, leaves) if target is WORKING else target
