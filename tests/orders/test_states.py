"""The FIX 4.4 order state table, over every pair of status and trigger."""

from __future__ import annotations

import itertools

import pytest

from apps.orders.engine.errors import IllegalTransition
from apps.orders.engine.fix import OrdStatus as S
from apps.orders.engine.states import TRANSITIONS, Trigger, next_status, working_status

T = Trigger
W = "working"

# rows: status before; columns: trigger. "" is refused.
MATRIX = {
    #                   ACCEPT REJECT TRADE BUST CXL_REQ CXL_REF CANCEL RPL_REQ RPL_REF REPLACE EXPIRE
    S.PENDING_NEW: ("0", "8", W, "", "6", "", "4", "", "", "", "C"),
    S.NEW: ("", "8", W, "", "6", "", "4", "E", "", "", "C"),
    S.PARTIALLY_FILLED: ("", "", W, W, "6", "", "4", "E", "", "", "C"),
    S.FILLED: ("", "", "2", W, "", "", "", "E", "", "", ""),
    S.CANCELED: ("", "", "4", "4", "", "", "", "", "", "", ""),
    S.PENDING_CANCEL: ("6", "8", "6", "6", "", W, "4", "", "", "", "C"),
    S.REJECTED: ("", "", "8", "", "", "", "", "", "", "", ""),
    S.EXPIRED: ("", "", "C", "C", "", "", "", "", "", "", ""),
    S.PENDING_REPLACE: ("", "", "E", "E", "6", "", "4", "", W, W, "C"),
}
COLUMNS = (
    T.ACCEPT,
    T.REJECT,
    T.TRADE,
    T.BUST,
    T.CANCEL_REQUEST,
    T.CANCEL_REFUSED,
    T.CANCEL,
    T.REPLACE_REQUEST,
    T.REPLACE_REFUSED,
    T.REPLACE,
    T.EXPIRE,
)


def test_the_matrix_here_names_every_status_and_every_trigger():
    assert set(MATRIX) == set(S.ALL)
    assert set(COLUMNS) == set(Trigger)
    assert all(len(row) == len(COLUMNS) for row in MATRIX.values())


@pytest.mark.parametrize(("status", "trigger"), list(itertools.product(S.ALL, Trigger)))
def test_every_pair_of_status_and_trigger_is_tabled_or_refused(status, trigger):
    expected = MATRIX[status][COLUMNS.index(trigger)]
    if not expected:
        with pytest.raises(IllegalTransition) as refusal:
            next_status(status, trigger, cum=1, leaves=1)
        assert refusal.value.code == "ILLEGAL_TRANSITION"
        assert (status, trigger) not in TRANSITIONS
        return
    for cum, leaves in ((0, 3), (1, 2), (3, 0)):
        wanted = working_status(cum, leaves) if expected == W else expected
        assert next_status(status, trigger, cum=cum, leaves=leaves) == wanted


@pytest.mark.parametrize(
    ("cum", "leaves", "status"),
    [(0, 5, S.NEW), (2, 3, S.PARTIALLY_FILLED), (5, 0, S.FILLED), (0, 0, S.FILLED)],
)
def test_the_quantities_say_whether_an_order_is_new_partial_or_filled(cum, leaves, status):
    assert working_status(cum, leaves) == status


def test_nothing_moves_a_rejected_order():
    assert {TRANSITIONS[pair] for pair in TRANSITIONS if pair[0] == S.REJECTED} == {S.REJECTED}
