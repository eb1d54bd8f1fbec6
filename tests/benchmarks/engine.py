"""Acknowledged-after-commit orders per second of the real engine, beside one ORM transaction per order, in one run.

    python tests/benchmarks/engine.py [--small] [--home DIR]

The engine is the real Celery worker with the real stream, PostgreSQL with fsync and Redis; an order counts when its
answer arrives, and the answer is sent after the commit. Every order is a market order of a netting account: order,
events, deal, position, balance, commission and realised P/L in the ledger, an outbox event. The ORM does the same work
for one order in one transaction, through models and the ledger's `post`. Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
SYMBOL = "BTCUSD"
PRICE = ("60000.00", "60010.00")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--small", action="store_true", help="a few hundred orders, to see that it runs"
    )
    parser.add_argument("--home", type=Path, help="keep the servers' files here")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = options.home or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        )
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        os.environ["BROKEROS_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "brokeros.settings.demo"
        from brokeros import embedded

        stack.enter_context(embedded.running(home, durable=True))
        import django

        django.setup()
        figures = run(small=options.small)
    print(json.dumps(figures))


def run(*, small: bool) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    accounts = open_accounts(20 if small else 200)
    orm = measure_orm(accounts, 100 if small else 1500)
    rows: list[tuple[str, dict[str, float]]] = [("ORM, one transaction per order", orm)]
    with engine_process() as worker:
        for window, orders in (
            ((16, 300), (128, 600)) if small else ((16, 10_000), (128, 40_000), (400, 40_000))
        ):
            figure = measure_engine(accounts, orders, window)
            rows.append((f"engine, {window} in flight", figure))
        memory_mib = resident_mib(worker.pid)
    print(f"{'':34}{'orders/s':>10}{'× ORM':>8}{'p50 ms':>9}{'p99 ms':>9}")
    for name, figure in rows:
        ratio = figure["per_second"] / orm["per_second"]
        print(
            f"{name:34}{figure['per_second']:>10,.0f}{ratio:>8.1f}{figure['p50_ms']:>9.1f}{figure['p99_ms']:>9.1f}"
        )
    check_books()
    best = max(rows[1:], key=lambda row: row[1]["per_second"])[1]
    return {
        "benchmark": "engine",
        "small": small,
        "cores": os.cpu_count(),
        "orders_per_second": round(best["per_second"]),
        "p99_ms": round(best["p99_ms"], 2),
        "orm_orders_per_second": round(orm["per_second"]),
        "ratio": round(best["per_second"] / orm["per_second"], 2),
        "engine_memory_mib": memory_mib,
        "runs": {name: {k: round(v, 2) for k, v in figure.items()} for name, figure in rows},
    }


def open_accounts(number: int) -> list[Any]:
    from django.conf import settings

    from apps.orders.host.gate import inline_engine
    from tests.orders import floor

    settings.ENGINE_ACCOUNT_TERMS = {"*": {"commission_minor": 350, "orders_per_second": 1_000_000}}
    with inline_engine():
        floor.open_market(**{SYMBOL: PRICE})
        client = floor.world.client_of("BOS-INT")
        return [
            floor.trading_account(client=client, mode="NETTING", funds="1000000")
            for _ in range(number)
        ]


@contextlib.contextmanager
def engine_process() -> Any:
    from apps.core.redis import redis_client

    worker = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "celery",
                "-A",
                "brokeros",
                "worker",
                "-P",
                "solo",
                "-Q",
                "engine.main",
            ),
            *("--without-gossip", "--without-mingle", "--loglevel", "error"),
        ],
        cwd=ROOT,
    )
    try:
        deadline = time.monotonic() + 60
        while redis_client().get("engine:main:heartbeat") is None:
            if time.monotonic() > deadline or worker.poll() is not None:
                raise SystemExit("The engine did not start.")
            time.sleep(0.1)
        yield worker
    finally:
        worker.terminate()
        worker.wait(20)


def measure_engine(accounts: list[Any], orders: int, window: int) -> dict[str, float]:
    """Keep `window` orders in flight until `orders` are answered."""
    import msgspec

    from apps.core import clock
    from apps.core.redis import redis_client
    from apps.orders.engine.commands import NewOrder, encode
    from apps.orders.host.delivery import Answer
    from apps.orders.host.units import to_us
    from tests.orders import floor

    client = redis_client()
    decode = msgspec.msgpack.Decoder(Answer).decode
    reply_to = f"engine:reply:{uuid4().hex}"
    run_id = uuid4().hex[:8]
    names = [str(account.id) for account in accounts]
    sent: dict[str, float] = {}
    latencies: list[float] = []
    refused: dict[str, int] = {}
    issued = 0

    def send(count: int) -> None:
        nonlocal issued
        pipe = client.pipeline(transaction=False)
        for _ in range(min(count, orders - issued)):
            tag = str(issued)
            command = NewOrder(
                at=to_us(clock.now()),
                account=names[issued % len(names)],
                client_order_id=f"{run_id}-{issued}",
                symbol=SYMBOL,
                side=1 if (issued // len(names)) % 2 == 0 else 2,
                order_type="1",
                steps=1,
            )
            pipe.xadd("engine:main:in", {b"c": encode(command), b"r": reply_to, b"t": tag})
            sent[tag] = time.perf_counter()
            issued += 1
        pipe.execute()

    started = quoted = time.perf_counter()
    floor.price(SYMBOL, *PRICE)
    time.sleep(0.2)
    started = time.perf_counter()
    send(window)
    while len(latencies) < orders:
        first = client.blpop([reply_to], timeout=30)
        if first is None:
            raise SystemExit("The engine stopped answering.")
        packed = [first[1], *(client.lpop(reply_to, window) or [])]
        arrived = time.perf_counter()
        for answer in map(decode, packed):
            latencies.append(arrived - sent.pop(answer.tag))
            if not answer.reply.ok:
                refused[answer.reply.code] = refused.get(answer.reply.code, 0) + 1
        if arrived - quoted > 5:
            quoted = arrived
            floor.price(SYMBOL, *PRICE)
        send(len(packed))
    elapsed = time.perf_counter() - started
    if refused:
        raise SystemExit(f"Orders were refused: {refused}")
    return figures(orders / elapsed, latencies)


def measure_orm(accounts: list[Any], orders: int) -> dict[str, float]:
    """The same rows, one order after another, each in its own transaction through the ORM."""
    from decimal import Decimal

    from django.db import transaction

    from apps.core import clock
    from apps.core.actor import Actor
    from apps.core.events import emit
    from apps.core.money import Money
    from apps.ledger.enums import AccountKind
    from apps.ledger.selectors import account_for
    from apps.ledger.services import Leg, post
    from apps.orders.events import DealExecuted
    from apps.orders.models import EngineAccount, Execution, Order, OrderEvent, Position

    actor = Actor.system("benchmark")
    income = account_for(AccountKind.INCOME_COMMISSION, "USD")
    trading = {
        account.id: account_for(AccountKind.CLIENT_TRADING, "USD", f"trading:{account.id}")
        for account in accounts
    }
    latencies = []
    shape = {"symbol": SYMBOL, "digits": 2, "lot_step": Decimal("0.01")}
    started = time.perf_counter()
    for number in range(orders):
        begun = time.perf_counter()
        account = accounts[number % len(accounts)]
        at = clock.now()
        key = -1 - 4 * number
        with transaction.atomic():
            row = EngineAccount.objects.select_for_update().get(pk=account.id)
            order = Order.objects.create(
                id=key, account_id=account.id, client_order_id=f"orm-{number}", side=1, order_type="1", tif="3",
                steps=1, cum=1, leaves=0, notional=6001000, book="B", status="2", captured_at=at, executed_at=at,
                checks=[["margin", True, "equity=100000000 required=20003"]] * 15, **shape,
            )  # fmt: skip
            OrderEvent.objects.create(
                order_id=order.id, number=1, at=at, exec_type="0", before="A", after="0"
            )
            OrderEvent.objects.create(
                order_id=order.id, number=2, at=at, exec_type="F", before="0", after="2"
            )
            position = Position.objects.create(
                id=key - 1, account_id=account.id, side=1, book="B", steps=1, cost=6001000, opened_at=at,
                updated_at=at, **shape,
            )  # fmt: skip
            Position.objects.filter(pk=position.pk).update(steps=0, cost=0, closed_at=at)
            deal = Execution.objects.create(
                id=key - 2, order=order, account_id=account.id, position=position.id, side=1, entry="IN", steps=1,
                price=6001000, book="B", currency="USD", commission=4, at=at, **shape,
            )  # fmt: skip
            row.version += 1
            row.save()
            post(
                kind="deal.commission",
                key=f"orm-deal:{number}",
                legs=[Leg(trading[account.id], income, Money.from_minor(4, "USD"))],
                actor=actor,
            )
            emit(
                DealExecuted(
                    deal_id=deal.id,
                    order_id=order.id,
                    position_id=position.id,
                    account_id=account.id,
                    client_id=account.client_id,
                    symbol=SYMBOL,
                    side="BUY",
                    entry="IN",
                    quantity_lots=Decimal("0.01"),
                    price=Decimal("60010.00"),
                    book="B",
                    commission=Decimal("0.04"),
                    spread_cost=Decimal(0),
                    realized_pnl=Decimal(0),
                    currency="USD",
                    executed_at=at,
                )
            )
        latencies.append(time.perf_counter() - begun)
    return figures(orders / (time.perf_counter() - started), latencies)


def figures(per_second: float, latencies: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(latencies, n=100)
    return {"per_second": per_second, "p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}


def check_books() -> None:
    """Speed counts only when the books agree: every balance of the engine is the ledger's."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM orders_engineaccount e JOIN ledger_account a "
            "ON a.owner = 'trading:' || e.account_id::text JOIN ledger_balance b ON b.account_id = a.id "
            "WHERE a.kind = 'CLIENT_TRADING' AND e.balance <> b.credits_posted - b.debits_posted "
            "+ (SELECT coalesce(sum(t.amount), 0) FROM ledger_transfer t JOIN ledger_entry y ON y.id = t.entry_id "
            "WHERE t.debit_id = a.id AND y.idempotency_key LIKE 'orm-deal:%')"
        )
        different = cursor.fetchone()[0]
    if different:
        raise SystemExit(f"{different} accounts differ from the ledger.")


def resident_mib(pid: int) -> int:
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    return 0


if __name__ == "__main__":
    main()
