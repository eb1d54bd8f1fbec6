"""A small trading desk for engine tests: instruments, accounts and quotes in the field's own units."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from apps.orders.engine import State, decide
from apps.orders.engine.commands import (
    AccountSet,
    AccountSpec,
    CancelOrder,
    Command,
    CurrencySet,
    FundsApplied,
    FundsReserve,
    InstrumentChanged,
    InstrumentSpec,
    KillSwitch,
    NewOrder,
    Policy,
    PolicySet,
    Quotes,
    VenueReported,
)
from apps.orders.engine.fix import BUY, SELL
from apps.orders.engine.result import Reply, Result
from apps.orders.engine.state import Account, Order, Position

START = 1_767_600_000_000_000  # Monday 2026-01-05 08:00 UTC
SIDES = {"buy": BUY, "sell": SELL}
EXPONENTS = (("EUR", 2), ("GBP", 2), ("JPY", 0), ("USD", 2))


def instrument(
    symbol: str,
    *,
    digits: int = 5,
    contract: int = 100_000,
    lot_step: str = "0.01",
    quote: str | None = None,
    pair: bool = True,
    **changes: object,
) -> InstrumentSpec:
    quote = quote or symbol[3:]
    step = Decimal(lot_step)
    value = step * contract * Decimal(10) ** (dict(EXPONENTS).get(quote, 2) - digits)
    num, den = value.as_integer_ratio()
    lot_num, lot_den = step.as_integer_ratio()
    return InstrumentSpec(
        **{
            "symbol": symbol,
            "asset_class": "FX",
            "margin_class": "FX_MAJOR",
            "base": symbol[:3],
            "quote": quote,
            "digits": digits,
            "value_num": num,
            "value_den": den,
            "lot_num": lot_num,
            "lot_den": lot_den,
            "min_steps": 1,
            "max_steps": 10_000,
            "pair": pair,
            **changes,
        }
    )


class Desk:
    """Drives `decide` and remembers every command, so any story can be replayed."""

    def __init__(self, **policy: object) -> None:
        self.state = State()
        self.log: list[Command] = []
        self.results: list[Result] = []
        self.at = START
        self._ids = count(1)
        self.do(CurrencySet(at=self.at, exponents=EXPONENTS))
        self.do(PolicySet(at=self.at, policy=Policy(**{"venues": ("LP1", "LP2"), **policy})))
        for spec in (
            instrument("EURUSD"),
            instrument("GBPUSD"),
            instrument("USDJPY", digits=3),
            instrument(
                "XAUUSD",
                digits=2,
                contract=100,
                pair=False,
                asset_class="METAL",
                margin_class="GOLD",
            ),
        ):
            self.do(InstrumentChanged(at=self.at, spec=spec))

    def do(self, command: Command) -> Result:
        self.log.append(command)
        result = decide(self.state, command)
        self.results.append(result)
        return result

    def later(self, seconds: float = 1.0) -> int:
        self.at += int(seconds * 1_000_000)
        return self.at

    def quote(self, symbol: str, bid: str, ask: str) -> Result:
        shift = Decimal(10) ** self.state.instruments[symbol].digits
        at = self.later(0.5)
        row = (symbol, int(Decimal(bid) * shift), int(Decimal(ask) * shift), at)
        return self.do(Quotes(at=at, rows=(row,)))

    def account(
        self, name: str = "ann", *, funds: str = "10000", currency: str = "USD", **spec: object
    ) -> Account:
        spec.setdefault("client", f"client-{name}")
        self.do(AccountSet(at=self.at, spec=AccountSpec(account=name, currency=currency, **spec)))
        if Decimal(funds):
            self.do(
                FundsApplied(
                    at=self.at,
                    key=f"deposit-{name}-{next(self._ids)}",
                    account=name,
                    amount=int(Decimal(funds) * 10 ** dict(EXPONENTS)[currency]),
                    reference="first deposit",
                )
            )
        return self.state.accounts[name]

    def order(
        self,
        side: str,
        lots: str,
        symbol: str = "EURUSD",
        *,
        account: str = "ann",
        limit: str | None = None,
        **fields: object,
    ) -> Reply:
        return self.ordered(side, lots, symbol, account=account, limit=limit, **fields).reply

    def ordered(
        self,
        side: str,
        lots: str,
        symbol: str = "EURUSD",
        *,
        account: str = "ann",
        limit: str | None = None,
        **fields: object,
    ) -> Result:
        spec = self.state.instruments.get(symbol)
        lot = Decimal(spec.lot_num) / spec.lot_den if spec else Decimal("0.01")
        digits = spec.digits if spec else 5
        fields.setdefault("client_order_id", f"c{next(self._ids)}")
        if limit is not None:
            fields.setdefault("order_type", "2")
            fields.setdefault("tif", "1")
            fields.setdefault("price", int(Decimal(limit) * 10**digits))
        fields.setdefault("order_type", "1")
        return self.do(
            NewOrder(
                at=self.later(0.2),
                account=account,
                symbol=symbol,
                side=SIDES[side],
                steps=int(Decimal(lots) / lot),
                **fields,
            )
        )

    def cancel(self, order: int, account: str = "ann") -> Result:
        return self.do(CancelOrder(at=self.later(0.2), account=account, order=order))

    def reserve(self, amount: str, account: str = "ann", reference: str = "w1") -> Reply:
        return self.do(
            FundsReserve(
                at=self.later(0.2),
                key=f"reserve:{reference}",
                account=account,
                amount=int(Decimal(amount) * 100),
                reference=reference,
            )
        ).reply

    def kill(self, scope: str, mode: str = "REJECT_NEW") -> None:
        self.do(KillSwitch(at=self.later(0.2), scope=scope, mode=mode))

    def report(self, kind: str, child: int, **fields: object) -> Result:
        fields.setdefault("exec_id", f"x{next(self._ids)}")
        return self.do(VenueReported(at=self.later(0.1), kind=kind, child=child, **fields))

    def positions(self, account: str = "ann") -> list[Position]:
        return list(self.state.accounts[account].positions.values())

    def live(self, order: int) -> Order:
        return self.state.orders[order]

    def money(self, account: str = "ann") -> int:
        return self.state.accounts[account].balance


def replayed(log: list[Command]) -> State:
    state = State()
    for command in log:
        decide(state, command)
    return state
