"""What it costs to carry a change out through its last vote, beside the bare service doing the same.

    python tests/benchmarks/approvals.py [--n 200]

Runs against the embedded servers in a database of its own, prints a table with the ratio and ends with one JSON line.
The change is a correction of the books: the bare service posts the entry and writes its record in the trail.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.test")


def prepared() -> Callable[[], None]:
    """Django on a fresh test database; answers what removes it."""
    import django
    from django.conf import settings

    from brokeros import embedded

    embedded.start(settings.HOME, durable=False)
    django.setup()
    from django.test.utils import get_runner

    runner = get_runner(settings)(verbosity=0, interactive=False)
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"bench_approvals_{os.getpid()}"
    kept = runner.setup_databases()
    return lambda: runner.teardown_databases(kept)


def timed(call: Callable[[int], object], n: int) -> float:
    """Median in microseconds over `n` calls, each on a row of its own."""
    runs = []
    for number in range(n):
        started = perf_counter_ns()
        call(number)
        runs.append((perf_counter_ns() - started) / 1000)
    return median(runs)


def figures(n: int) -> dict[str, float]:
    from types import SimpleNamespace

    from apps.core.actor import Actor
    from apps.core.approvals import approval_vote
    from apps.core.audit import audit
    from apps.core.commands import command
    from apps.ledger.services import entry_correct, entry_corrected
    from tests.ledger.books import deposited, wallet

    maker, checkers = Actor.system("maker"), [Actor.system("first"), Actor.system("second")]
    account = wallet("bench")
    bare = [deposited(account, "5.00") for _ in range(n)]
    asked = [
        entry_correct(entry_id=deposited(account, "5.00").pk, actor=maker, reason="typo")
        for _ in range(n)
    ]

    @command
    def corrected(*, entry: object) -> None:
        request = SimpleNamespace(payload={"entry_id": str(entry.pk)}, reason="typo")
        entry_corrected(request, actor=maker)
        audit(actor=maker, action="entry.correct", subject=entry, reason="typo")

    def vote(number: int, checker: Actor) -> None:
        approval_vote(
            approval_id=asked[number].pk, actor=checker, verdict="APPROVE", reason="looked"
        )

    for number in range(n):
        for checker in checkers[: asked[number].required - 1]:
            vote(number, checker)
    last = Actor.system("last")
    return {
        "bare_service_us": timed(lambda number: corrected(entry=bare[number]), n),
        "last_vote_and_execution_us": timed(lambda number: vote(number, last), n),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--small", action="store_true", help="a few, to see that it runs")
    options = parser.parse_args()
    n = 10 if options.small else options.n
    remove = prepared()
    try:
        measured = figures(n)
    finally:
        remove()
    ratio = measured["last_vote_and_execution_us"] / measured["bare_service_us"]
    print(f"{'':36}{'µs':>12}{'× bare':>10}")
    for name, value in measured.items():
        print(f"{name:36}{value:>12.1f}{value / measured['bare_service_us']:>10.2f}")
    rounded = {name: round(value, 1) for name, value in measured.items()}
    print(json.dumps(rounded | {"ratio": round(ratio, 2), "n": n}))


if __name__ == "__main__":
    main()
