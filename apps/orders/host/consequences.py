"""What a batch means to others: postings in the ledger and events in the outbox, in the batch's own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.money import from_minor
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for
from apps.ledger.services import BatchRow
from apps.orders.engine.fix import BUY, OrdStatus
from apps.orders.engine.state import Execution, State
from apps.orders.events import DealExecuted, FundsApplied, OrderRejected
from apps.orders.host.units import moment

if TYPE_CHECKING:
    from apps.orders.host.writing import Batch

Scale = Callable[[State, str], tuple[int, Decimal]]
Place = tuple[AccountKind, str]  # kind and owner


class Books:
    """The ledger accounts that deals move, by their numbers."""

    def __init__(self) -> None:
        self._ledger_ids: dict[tuple[str, str, str], int] = {}

    def forget(self) -> None:
        """After a rollback: accounts that were opened in it do not exist."""
        self._ledger_ids.clear()

    def _ledger_id(self, kind: AccountKind, currency: str, owner: str = "") -> int:
        key = (kind.value, currency, owner)
        known = self._ledger_ids.get(key)
        if known is None:
            known = self._ledger_ids[key] = account_for(kind, currency, owner).pk
        return known

    def postings(self, executions: Iterable[Execution]) -> Iterable[BatchRow]:
        """Realised P/L against the house book (B) or the venues' collateral (A), commission and mark-up to income.

        A client's result with a venue carries the mark-up of both deals; booked back to the collateral at each deal, it
        leaves there exactly what the venue itself made of them.
        """
        for e in executions:
            if not (e.realized or e.commission or e.markup):
                continue
            client = (AccountKind.CLIENT_TRADING, f"trading:{e.account}")
            other = (AccountKind.LP_COLLATERAL if e.book == "A" else AccountKind.BBOOK_PNL, "")
            if e.realized > 0:
                yield self._row(e, "pnl", other, client, e.realized)
            elif e.realized < 0:
                yield self._row(e, "pnl", client, other, -e.realized)
            if e.commission > 0:
                yield self._row(
                    e, "commission", client, (AccountKind.INCOME_COMMISSION, ""), e.commission
                )
            if e.markup > 0:
                yield self._row(e, "markup", other, (AccountKind.INCOME_SPREAD, ""), e.markup)

    def _row(self, e: Execution, part: str, debit: Place, credit: Place, amount: int) -> BatchRow:
        return BatchRow(
            key=f"deal:{e.id}:{part}",
            kind=f"deal.{part}",
            debit_id=self._ledger_id(debit[0], e.currency, debit[1]),
            credit_id=self._ledger_id(credit[0], e.currency, credit[1]),
            currency=e.currency,
            amount_minor=amount,
            at=moment(e.at),
        )


def events_of(batch: Batch, scale: Scale) -> Iterable[Any]:
    state = batch.state
    for e in batch.executions:
        digits, lot_step = scale(state, e.symbol)
        yield DealExecuted(
            deal_id=e.id,
            order_id=e.order,
            position_id=e.position,
            account_id=UUID(e.account),
            client_id=UUID(state.accounts[e.account].spec.client),
            symbol=e.symbol,
            side="BUY" if e.side == BUY else "SELL",
            entry=e.entry,
            quantity_lots=lot_step * e.steps,
            price=Decimal(e.price).scaleb(-digits),
            book=e.book,
            commission=from_minor(e.commission, e.currency),
            spread_cost=from_minor(e.spread_cost, e.currency),
            realized_pnl=from_minor(e.realized, e.currency),
            currency=e.currency,
            executed_at=moment(e.at),
        )
    for order in batch.rows["orders"].values():
        if order.status == OrdStatus.REJECTED:
            yield OrderRejected(
                order_id=order.id,
                account_id=UUID(order.account),
                client_id=UUID(state.accounts[order.account].spec.client),
                symbol=order.symbol,
                code=order.code,
                rejected_at=moment(order.ended_at),
            )
    for moved in batch.funds:
        currency = state.accounts[moved.account].currency
        yield FundsApplied(
            account_id=UUID(moved.account),
            reference=moved.reference,
            kind=moved.kind,
            amount=from_minor(moved.amount, currency),
            balance=from_minor(moved.balance, currency),
            currency=currency,
        )
