"""What holds for every story: hypothesis drives the desk, the laws are checked after every command."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apps.orders.engine.commands import DayEnded
from apps.orders.engine.fix import BUY, OrdStatus
from apps.orders.engine.states import TRANSITIONS
from apps.orders.engine.valuation import commission_of
from tests.orders.desk import EXPONENTS, Desk, replayed

ACCOUNTS = ("hedger", "netter", "passed")
LOTS = st.integers(1, 300).map(lambda steps: f"{steps / 100:.2f}")
SIDE = st.sampled_from(("buy", "sell"))
SYMBOL = st.sampled_from(("EURUSD", "GBPUSD", "USDJPY"))
MIDDLE = {"EURUSD": 110_000, "GBPUSD": 125_000, "USDJPY": 150_000}


class Trading(RuleBasedStateMachine):
    """Three accounts (hedging, netting, passed on) trade, cancel, close, get reports in any order, and prices move."""

    @initialize()
    def open_the_desk(self) -> None:
        self.desk = Desk(orders_per_second=0)
        for symbol, middle in MIDDLE.items():
            self._price(symbol, middle)
        terms = {"funds": "50000", "leverage": 100, "commission_minor": 333}
        self.desk.account("hedger", **terms)
        self.desk.account("netter", mode="NETTING", currency="GBP", **terms)
        self.desk.account("passed", book="A", markup=(("*", 3),), **terms)
        self.deposited = {
            name: account.balance for name, account in self.desk.state.accounts.items()
        }

    def _price(self, symbol: str, bid: int) -> None:
        shift = 10 ** self.desk.state.instruments[symbol].digits
        self.desk.quote(symbol, f"{bid / shift:.5f}", f"{(bid + 12) / shift:.5f}")

    @rule(symbol=SYMBOL, move=st.integers(-2000, 2000))
    def prices_move(self, symbol: str, move: int) -> None:
        self._price(symbol, MIDDLE[symbol] + move)

    @rule(account=st.sampled_from(ACCOUNTS), side=SIDE, lots=LOTS, symbol=SYMBOL)
    def market_order(self, account: str, side: str, lots: str, symbol: str) -> None:
        self.desk.order(side, lots, symbol, account=account)

    @rule(
        account=st.sampled_from(ACCOUNTS),
        side=SIDE,
        lots=LOTS,
        offset=st.integers(-1500, 1500),
        tif=st.sampled_from("0134"),
    )
    def limit_order(self, account: str, side: str, lots: str, offset: int, tif: str) -> None:
        self.desk.order(
            side, lots, account=account, order_type="2", price=110_000 + offset, tif=tif
        )

    @rule(account=st.sampled_from(ACCOUNTS), which=st.integers(0, 20), lots=LOTS)
    def close(self, account: str, which: int, lots: str) -> None:
        positions = self.desk.positions(account)
        if positions:
            position = positions[which % len(positions)]
            side = "sell" if position.side == BUY else "buy"
            self.desk.order(side, lots, position.symbol, account=account, position=position.id)

    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        orders = list(self.desk.state.orders.values())
        if orders:
            order = orders[which % len(orders)]
            self.desk.cancel(order.id, account=order.account)

    @rule(
        which=st.integers(0, 50),
        kind=st.sampled_from(
            (
                "ACKNOWLEDGED",
                "FILL",
                "FILL",
                "FILL",
                "REJECTED",
                "CANCELED",
                "EXPIRED",
                "UNKNOWN",
                "NOT_FOUND",
                "CANCEL_REJECTED",
            )
        ),
        steps=st.integers(1, 300),
        exec_id=st.sampled_from(("", "a", "b", "c", "d", "e", "f")),
    )
    def report(self, which: int, kind: str, steps: int, exec_id: str) -> None:
        children = list(self.desk.state.children.values())
        if not children:
            return
        child = children[which % len(children)]
        price = MIDDLE[child.symbol] + 5
        exec_id = f"{child.id}-{exec_id}" if exec_id else f"{child.id}-{len(self.desk.log)}"
        fields = {"steps": steps, "price": price} if kind == "FILL" else {"cum": child.cum}
        self.desk.report(kind, child.id, exec_id=exec_id, **fields)

    @rule()
    def day_ends(self) -> None:
        self.desk.do(DayEnded(at=self.desk.later(5)))

    @rule(amount=st.integers(1, 60_000))
    def withdraw(self, amount: int) -> None:
        reply = self.desk.reserve(str(amount), "hedger", reference=f"w{len(self.desk.log)}")
        if reply.ok:
            self.deposited["hedger"] -= amount * 100

    # the laws

    @invariant()
    def quantities_add_up(self) -> None:
        if not hasattr(self, "desk"):
            return
        fills = defaultdict(lambda: [0, 0])
        orders = {}
        for result in self.desk.results:
            orders.update(result.orders)
            for deal in result.executions:
                fills[deal.order][0] += deal.steps
                fills[deal.order][1] += deal.steps * deal.price
        for order in orders.values():
            assert [order.cum, order.notional] == fills[order.id]
            live = order.status not in OrdStatus.TERMINAL
            assert order.leaves == (order.steps - order.cum if live else 0)
            assert order.cum <= order.steps or order.flagged

    @invariant()
    def positions_are_the_fold_of_deals(self) -> None:
        if not hasattr(self, "desk"):
            return
        held: dict[int, int] = defaultdict(int)
        for result in self.desk.results:
            for deal in result.executions:
                held[deal.position] += deal.steps if deal.entry == "IN" else -deal.steps
        open_positions = {p.id: p.steps for name in ACCOUNTS for p in self.desk.positions(name)}
        assert open_positions == {number: steps for number, steps in held.items() if steps}

    @invariant()
    def legs_are_the_sum_of_positions(self) -> None:
        if not hasattr(self, "desk"):
            return
        for account in self.desk.state.accounts.values():
            sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
            for p in account.positions.values():
                offset = 0 if p.side == BUY else 2
                sums[p.symbol][offset] += p.steps
                sums[p.symbol][offset + 1] += p.cost
            legs = {
                s: [leg.long_steps, leg.long_cost, leg.short_steps, leg.short_cost]
                for s, leg in account.legs.items()
            }
            assert legs == sums

    @invariant()
    def money_moves_only_with_deals(self) -> None:
        if not hasattr(self, "desk"):
            return
        expected = dict(self.deposited)
        for result in self.desk.results:
            for deal in result.executions:
                expected[deal.account] += deal.realized - deal.commission
        assert {n: a.balance for n, a in self.desk.state.accounts.items()} == expected

    @invariant()
    def netting_accounts_hold_one_position_per_symbol(self) -> None:
        if hasattr(self, "desk"):
            symbols = [p.symbol for p in self.desk.positions("netter")]
            assert len(symbols) == len(set(symbols))

    @invariant()
    def every_move_is_in_the_table(self) -> None:
        if not hasattr(self, "desk"):
            return
        legal = {(before, TRANSITIONS[before, trigger]) for before, trigger in TRANSITIONS}
        for result in self.desk.results[-1:]:
            for event in result.events:
                assert (event.before, event.after) in legal or (event.before, "working") in legal

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        assert replayed(self.desk.log).digest() == self.desk.state.digest()
        commission = defaultdict(int)
        steps = defaultdict(int)
        for result in self.desk.results:
            for deal in result.executions:
                commission[deal.order] += deal.commission
                steps[deal.order, deal.account, deal.symbol] += deal.steps
        for (order, account, symbol), total in steps.items():
            spec = self.desk.state.instruments[symbol]
            whole = commission_of(self.desk.state.accounts[account], spec, total)
            assert commission[order] == whole


TestTrading = Trading.TestCase
TestTrading.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_the_exponents_of_the_desk_are_those_of_the_house():
    from apps.core.money import exponent

    assert dict(EXPONENTS) == {code: exponent(code) for code, _ in EXPONENTS}


def test_two_states_that_differ_in_anything_durable_have_different_digests():
    desk = Desk()
    desk.quote("EURUSD", "1.10000", "1.10010")
    desk.account(funds="10000")
    digests = {desk.state.digest()}
    for act in (
        lambda: desk.order("buy", "0.10"),
        lambda: desk.order("buy", "0.10", limit="1.00000"),
        lambda: desk.kill("firm"),
        lambda: desk.reserve("1.00"),
        lambda: desk.account("bob", funds="0"),
    ):
        act()
        digests.add(desk.state.digest())
    assert len(digests) == 6
