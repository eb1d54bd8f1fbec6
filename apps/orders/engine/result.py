"""What a decision leaves behind: the answer, and the rows that must be stored before anybody hears it."""

from __future__ import annotations

import msgspec

from apps.orders.engine.fix import OrdStatus
from apps.orders.engine.state import (
    Account,
    ChildOrder,
    Execution,
    Order,
    OrderEvent,
    Position,
    State,
)
from apps.orders.engine.states import Trigger, next_status


class Reply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answer to one command. `duplicate` means it had its effect before and nothing happened now."""

    ok: bool
    code: str = ""
    text: str = ""
    order: int = 0
    status: str = ""
    cum: int = 0
    leaves: int = 0
    notional: int = 0
    position: int = 0
    duplicate: bool = False
    failing: tuple[str, ...] = ()
    values: dict[str, int | str] = {}


class FundsMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Money of an account changed for a reason outside trading."""

    account: str
    amount: int
    balance: int
    reference: str
    kind: str


class ChildWish(msgspec.Struct, frozen=True):
    """Something the gateway must do after the commit: NEW or CANCEL one child order."""

    kind: str
    child: ChildOrder


class Result:
    """Collects what one command changed. Rows are absolute, so the writer may merge the results of a batch."""

    __slots__ = (
        "accounts",
        "children",
        "events",
        "executions",
        "funds",
        "instructions",
        "new_keys",
        "orders",
        "positions",
        "reply",
        "specs",
    )

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.orders: dict[int, Order] = {}
        self.positions: dict[int, Position] = {}
        self.accounts: dict[str, Account] = {}
        self.children: dict[int, ChildOrder] = {}
        self.executions: list[Execution] = []
        self.events: list[OrderEvent] = []
        self.instructions: list[ChildWish] = []
        self.funds: list[FundsMoved] = []
        self.new_keys: list[str] = []
        self.specs: bool = False

    @property
    def effect(self) -> bool:
        """Whether anything durable changed."""
        return bool(
            self.orders
            or self.positions
            or self.accounts
            or self.children
            or self.executions
            or self.funds
            or self.new_keys
            or self.specs
        )

    def touch(self, account: Account) -> None:
        if account.spec.account not in self.accounts:
            account.version += 1
            self.accounts[account.spec.account] = account

    def move(
        self,
        order: Order,
        trigger: Trigger,
        *,
        at: int,
        exec_type: str,
        code: str = "",
        text: str = "",
    ) -> None:
        """Take an order along the FIX table and write the line. Raises `IllegalTransition`."""
        before = order.status
        order.status = next_status(before, trigger, cum=order.cum, leaves=order.leaves)
        order.event_count += 1
        self.orders[order.id] = order
        self.events.append(
            OrderEvent(
                order=order.id,
                number=order.event_count,
                at=at,
                exec_type=exec_type,
                before=before,
                after=order.status,
                code=code,
                text=text,
            )
        )

    def end(
        self,
        state: State,
        order: Order,
        trigger: Trigger,
        *,
        at: int,
        exec_type: str,
        code: str = "",
        text: str = "",
    ) -> None:
        """Bring an order to its end: nothing is left to fill, and the engine lets go of it."""
        order.leaves = 0
        order.code = code or order.code
        order.text = text or order.text
        order.ended_at = at
        self.move(order, trigger, at=at, exec_type=exec_type, code=code, text=text)
        state.release_order(order)

    def answer(self, order: Order, *, ok: bool | None = None, duplicate: bool = False) -> None:
        """Reply with where the order stands; a rejected order is a no unless `ok` speaks of something else."""
        self.reply = Reply(
            ok=order.status != OrdStatus.REJECTED if ok is None else ok,
            code=order.code,
            text=order.text,
            order=order.id,
            status=order.status,
            cum=order.cum,
            leaves=order.leaves,
            notional=order.notional,
            position=order.opened or order.position,
            duplicate=duplicate,
            failing=order.failing,
        )

    def refuse(self, code: str, text: str = "", **values: int | str) -> None:
        self.reply = Reply(ok=False, code=code, text=text, values=values)
