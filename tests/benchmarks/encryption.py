"""Microseconds to seal, to open and to index one value, beside what a list page of 50 people costs.

    python tests/benchmarks/encryption.py [--small]

The first table is pure work in memory under a known key. The second reads 50 people from PostgreSQL with cold keys, as
a list page does, and shows the time in the database apart from the time in Python. Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="to see that it runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        os.environ["BROKEROS_HOME"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "brokeros.settings.demo"
        from brokeros import embedded

        with embedded.running(home, durable=False):
            import django

            django.setup()
            figures = run(
                rounds=2_000 if options.small else 50_000, people=60 if options.small else 2_000
            )
    print(json.dumps(figures))


def run(*, rounds: int, people: int) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    figures = {**pure(rounds), **page(people)}
    return figures


def microseconds(work: Callable[[], Any], rounds: int) -> float:
    """Processor time, the best of ten: what the work costs, not what else runs meanwhile."""
    best = float("inf")
    for _ in range(10):
        began = time.process_time()
        for _ in range(rounds // 10):
            work()
        best = min(best, (time.process_time() - began) / (rounds // 10))
    return best * 1e6


def pure(rounds: int) -> dict[str, float]:
    from apps.core.privacy.blind import blind
    from apps.core.privacy.fields import seal, unseal
    from apps.core.privacy.keys import Keep, key_for_writing

    key = key_for_writing(uuid4(), Keep.STATUTORY)
    value, place = (
        b"DE89370400440532013000",
        b"payments_paymentinstrument.details:" + str(uuid4()).encode(),
    )
    sealed, nonce = seal(key, value, place), bytes(12)
    figures = {
        "seal_us": microseconds(lambda: seal(key, value, place), rounds),
        "open_us": microseconds(lambda: unseal(sealed, place), rounds),
        "bare_cipher_us": microseconds(lambda: key.cipher.encrypt(nonce, value, place), rounds),
        "blind_index_us": microseconds(lambda: blind("compact", "DE89370400440532013000"), rounds),
    }
    print(f"{'one value of 22 bytes':34} {'microseconds':>12} {'at most':>8}")
    for name, figure in figures.items():
        print(f"{name:34} {figure:12.2f} {5.0 if name in ('seal_us', 'open_us') else '':>8}")
    print(f"{'stored bytes':34} {len(sealed):12}")
    return {
        **{name: round(figure, 2) for name, figure in figures.items()},
        "stored_bytes": len(sealed),
    }


def page(people: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from apps.clients.models import Person
    from apps.core.privacy import keys

    for number in range(people):
        Person(
            first_name=f"Lena{number}", last_name="Vogel", email=f"p{number}@client.example",
            phone="+4915123456789", date_of_birth=date(1990, 5, 17), country="DE",
        ).save()  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    best: dict[str, float] = {}
    for kind in ("cold", "warm") * 4:
        if kind == "cold":
            keys.forget()
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            shown = [(p.full_name, p.email, p.phone) for p in Person.objects.all()[:50]]
            whole = (time.perf_counter() - began) * 1000
        database = sum(float(query["time"]) for query in queries) * 1000
        assert len(shown) == 50
        for name, figure in ((f"page_{kind}_ms", whole), (f"page_{kind}_database_ms", database)):
            best[name] = min(best.get(name, figure), figure)
        best[f"page_{kind}_queries"] = len(queries)
    print(
        f"\n{'50 people of ' + str(people) + ', 4 fields each':34} {'ms':>12} {'database':>8} {'queries':>8}"
    )
    for kind in ("cold", "warm"):
        print(
            f"{kind + ' keys':34} {best[f'page_{kind}_ms']:12.2f} "
            f"{best[f'page_{kind}_database_ms']:8.2f} {best[f'page_{kind}_queries']:8.0f}"
        )
    return {name: round(figure, 2) for name, figure in best.items()}


if __name__ == "__main__":
    main()
