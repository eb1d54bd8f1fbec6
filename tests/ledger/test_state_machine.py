"""The books against a model in plain Python, over random histories."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.ledger.enums import AccountKind, Phase
from apps.ledger.errors import InsufficientFunds
from apps.ledger.models import Transfer
from apps.ledger.selectors import account_for, balance_of
from apps.ledger.services import Leg, hold_post, hold_void, holds_expire
from apps.ledger.verification import violations
from tests.ledger.books import ACTOR, posted

NAMES = ["bank", "ana", "ben", "transit", "house"]
KINDS = {
    "bank": AccountKind.PSP_CLEARING,
    "ana": AccountKind.CLIENT_WALLET,
    "ben": AccountKind.CLIENT_WALLET,
    "transit": AccountKind.WITHDRAWAL_IN_TRANSIT,
    "house": AccountKind.BBOOK_PNL,
}
DEBIT_NORMAL = {"bank"}
BOUNDED = {"ana", "ben", "transit"}
START = clock.now().replace(microsecond=0)
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
amounts = st.integers(1, 500)


class Books(RuleBasedStateMachine):
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.minute = 0
        self.number = 0
        self.accounts = {name: account_for(KINDS[name], "USD", f"model:{name}") for name in NAMES}
        self.posted = dict.fromkeys(NAMES, 0)
        self.pending_in = dict.fromkeys(NAMES, 0)
        self.pending_out = dict.fromkeys(NAMES, 0)
        self.open: dict[int, tuple[str, str, int, int | None]] = {}
        self.resolved: set[int] = set()

    def teardown(self) -> None:
        assert violations() == []
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def _key(self) -> str:
        self.number += 1
        return f"model:{self.number}"

    def _now(self):
        return clock.frozen(START + timedelta(minutes=self.minute))

    def _move(
        self, debit: str, credit: str, amount: int, book: dict[str, int] | None = None
    ) -> None:
        """A debit grows a debit-normal account and shrinks the others."""
        for name, is_debit in ((debit, True), (credit, False)):
            grows = is_debit == (name in DEBIT_NORMAL)
            if book is None:
                self.posted[name] += amount if grows else -amount
            else:
                (self.pending_in if grows else self.pending_out)[name] += amount

    def _affordable(self, debit: str, credit: str, amount: int) -> bool:
        shrinking = [debit] if debit not in DEBIT_NORMAL else []
        shrinking += [credit] if credit in DEBIT_NORMAL else []
        return all(
            name not in BOUNDED or self.posted[name] - self.pending_out[name] >= amount
            for name in shrinking
        )

    @rule(pair=pairs, amount=amounts)
    def transfer(self, pair, amount) -> None:
        debit, credit = pair
        leg = Leg(self.accounts[debit], self.accounts[credit], Money.from_minor(amount, "USD"))
        with self._now():
            made, code = self._tried(leg)
        assert code == ("DONE" if self._affordable(debit, credit, amount) else "INSUFFICIENT_FUNDS")
        if made is not None:
            self._move(debit, credit, amount)

    def _tried(self, leg: Leg) -> tuple[Transfer | None, str]:
        try:
            return posted(leg, key=self._key()).transfers.get(), "DONE"
        except InsufficientFunds as refusal:
            return None, refusal.code

    @rule(target=holds, pair=pairs, amount=amounts, minutes=st.none() | st.integers(1, 30))
    def hold(self, pair, amount, minutes):
        debit, credit = pair
        expiry = None if minutes is None else self.minute + minutes
        expires_at = None if expiry is None else START + timedelta(minutes=expiry)
        leg = Leg(
            self.accounts[debit],
            self.accounts[credit],
            Money.from_minor(amount, "USD"),
            Phase.PENDING,
            expires_at=expires_at,
        )
        affordable = self._affordable(debit, credit, amount)
        with self._now():
            made, _ = self._tried(leg)
        assert (made is not None) == affordable
        if made is None:
            return None
        self._move(debit, credit, amount, self.pending_in)
        self.open[made.pk] = (debit, credit, amount, expiry)
        return made

    def _release(self, key: int) -> tuple[str, str, int, int | None]:
        debit, credit, amount, expiry = self.open.pop(key)
        self.resolved.add(key)
        self._move(debit, credit, -amount, self.pending_in)
        return debit, credit, amount, expiry

    @rule(hold=holds, share=st.integers(1, 120), void=st.booleans())
    def resolve(self, hold, share, void) -> None:
        if hold is None:
            return
        amount = max(1, int(hold.amount) * share // 100)
        try:
            with self._now(), transaction.atomic():
                if void:
                    hold_void(pending=hold, kind="model", key=self._key(), actor=ACTOR)
                else:
                    money = Money.from_minor(amount, "USD")
                    hold_post(
                        pending=hold, amount=money, kind="model", key=self._key(), actor=ACTOR
                    )
            code = "DONE"
        except DomainError as refusal:
            code = refusal.code
        assert code == self._expected(hold, amount, void)
        if code == "DONE":
            debit, credit, *_ = self._release(hold.pk)
            if not void:
                self._move(debit, credit, amount)

    def _expected(self, hold, amount: int, void: bool) -> str:
        if hold.pk in self.resolved:
            return "HOLD_ALREADY_RESOLVED"
        if not void and amount > int(hold.amount):
            return "INVALID_POSTING"
        expiry = self.open[hold.pk][3]
        if not void and expiry is not None and expiry <= self.minute:
            return "HOLD_EXPIRED"
        return "DONE"

    @rule(hold=consumes(holds))
    def forget(self, hold) -> None:
        """Keeps the bundle fresh."""

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes) -> None:
        self.minute += minutes
        due = [k for k, v in self.open.items() if v[3] is not None and v[3] <= self.minute]
        with self._now():
            assert holds_expire.__wrapped__(actor=ACTOR) == len(due)
        for key in due:
            self._release(key)

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        for name, account in self.accounts.items():
            seen = balance_of(account)
            model = (self.posted[name], self.pending_in[name], self.pending_out[name])
            assert (seen.posted.minor, seen.pending_in.minor, seen.pending_out.minor) == model


@pytest.mark.django_db
def test_any_history_of_the_books_agrees_with_the_model():
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=int(os.environ.get("LEDGER_EXAMPLES", "40")),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
