"""Sealed and verified audit records per second, beside a bare read of the same rows, in one run.

    python tests/benchmarks/sealing.py [--small] [--home DIR]

PostgreSQL with fsync; the records are of ordinary width (before and after with six values each). The bare read fetches
the same columns and does nothing with them. Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

FILL = """
    INSERT INTO core_auditrecord (at, actor_kind, actor_id, actor_label, on_behalf_of, action, subject_type,
      subject_id, client_id, before, after, reason, decision_id, approval_id, rule_versions, request_id, ip)
    SELECT now() - n * interval '1 second', 'STAFF', 'user:' || n %% 50, 'Officer ' || n %% 50, '', 'client.change',
      'clients.Client', n::text, gen_random_uuid(),
      jsonb_build_object('state', 'APPLIED', 'limit', n, 'country', 'CY', 'level', 'A', 'open', true, 'note', 'x'),
      jsonb_build_object('state', 'ACTIVE', 'limit', n + 1, 'country', 'CY', 'level', 'B', 'open', false, 'note', 'y'),
      'the documents agree with what was said', gen_random_uuid(), NULL, '["CY/clients.activation v3"]',
      md5(n::text), '10.1.2.3'
    FROM generate_series(1, %s) n
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="few rows, to see that it runs")
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
        figures = run(rows=2_000 if options.small else 200_000)
    print(json.dumps(figures))


def run(*, rows: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection

    from apps.core import heads, sealing, verification

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [rows])
        cursor.execute("VACUUM ANALYZE core_auditrecord")

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM core_auditrecord ORDER BY id")
            return sum(len(part) for part in iter(lambda: cursor.fetchmany(sealing.BATCH), []))

    def verify() -> int:
        found = list(verification.verify())
        if found:
            raise SystemExit(f"the chain is broken: {found[:3]}")
        return sealing.sealed_and_waiting()[0]

    read()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = psutil.Process(cursor.fetchone()[0])
    timed = [
        ("bare read of the records", *_rate(read, rows, server)),
        ("seal", *_rate(sealing.seal_all, rows, server)),
        ("bare read once more", *_rate(read, rows, server)),
        ("verify", *_rate(verify, rows, server)),
    ]
    started = time.perf_counter()
    heads.head_sign()
    head_ms = (time.perf_counter() - started) * 1_000
    bare = timed[0][1]
    print(
        f"{rows:,} records\n{'':28}{'rows/s':>12}{'× bare read':>14}{'CPU µs/row':>14}{'rows per CPU s':>16}"
    )
    for name, rate, cpu in timed:
        print(f"{name:28}{rate:>12,.0f}{rate / bare:>14.2f}{cpu:>14.1f}{1e6 / cpu:>16,.0f}")
    print("CPU: this process and its database session together")
    print(f"signing and keeping a head takes {head_ms:.1f} ms, whatever the length of the trail")
    return {
        "rows": rows,
        "read_rows_per_second": round(bare),
        "seal_rows_per_second": round(timed[1][1]),
        "verify_rows_per_second": round(timed[3][1]),
        "seal_to_read": round(timed[1][1] / bare, 3),
        "verify_to_read": round(timed[3][1] / bare, 3),
        "seal_rows_per_cpu_second": round(1e6 / timed[1][2]),
        "verify_rows_per_cpu_second": round(1e6 / timed[3][2]),
        "head_ms": round(head_ms, 1),
    }


def _rate(work: Callable[[], int], rows: int, server: psutil.Process) -> tuple[float, float]:
    """Rows in a second, and microseconds of processor time for each."""
    cpu, started = _cpu(server), time.perf_counter()
    done = work()
    if done != rows:
        raise SystemExit(f"{done} rows instead of {rows}")
    return rows / (time.perf_counter() - started), (_cpu(server) - cpu) * 1e6 / rows


def _cpu(server: psutil.Process) -> float:
    used = server.cpu_times()
    return time.process_time() + used.user + used.system


if __name__ == "__main__":
    main()
