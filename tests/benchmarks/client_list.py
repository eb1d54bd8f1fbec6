"""A page of 50 clients out of many, as the back office lists them: queries and database time of the whole request.

    python tests/benchmarks/client_list.py [--small] [--home DIR]

PostgreSQL with fsync. Staff who see their own, a desk's, a company's and all clients open the list, search it by number
and by name, and filter it; each request is repeated and the quickest taken, beside a bare read of the same fifty rows
by primary key in the same run. `waited` is what the application waits for its database; `worked` is what the server
itself says of the same statements (planning and execution). Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
PAGE = 50
OWNERS, DESKS = 100, 10


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
        figures = run(rows=2_000 if options.small else 100_000, times=3 if options.small else 15)
    print(json.dumps(figures))


def run(*, rows: int, times: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.test import Client as Browser

    from apps.clients.models import Client

    call_command("migrate", verbosity=0)
    staff = fill(rows)
    keys = list(Client.objects.values_list("pk", flat=True)[:PAGE])
    bare = min(measured(lambda: list(Client.objects.filter(pk__in=keys)))[1] for _ in range(times))
    number = Client.objects.order_by("pk")[0].number
    name = Client.objects.select_related("person").order_by("-created_at")[0].person.last_name
    print(f"{rows:,} clients; a bare read of {PAGE} rows is waited for {bare:.2f} ms\n")
    print(
        f"{'who':8} {'what':10} {'queries':>7} {'worked ms':>9} {'waited ms':>9} {'x bare':>7} {'whole ms':>9}"
    )
    figures: dict[str, Any] = {"clients": rows, "bare_ms": round(bare, 3)}
    for who, user in staff.items():
        browser = Browser()
        browser.force_login(user)
        for what, query in {
            "list": "", "page 20": "?p=20", "number": f"?q={number}", "name": f"?q={name}",
            "state": "?lifecycle__exact=ACTIVE",
        }.items():  # fmt: skip
            ask = partial(browser.get, f"/admin/clients/client/{query}")
            ask()
            seen = [measured(ask) for _ in range(times)]
            worked = min(server_ms(seen[0][3]) for _ in range(times))
            waited, whole = (min(line[part] for line in seen) for part in (1, 2))
            count = seen[0][0]
            print(
                f"{who:8} {what:10} {count:7} {worked:9.2f} {waited:9.2f} {waited / bare:7.1f} {whole:9.1f}"
            )
            figures[f"{who} {what}"] = {
                "queries": count, "worked_ms": round(worked, 2), "waited_ms": round(waited, 2)
            }  # fmt: skip
    return figures


def measured(ask: Any) -> tuple[int, float, float, list[tuple[str, Any]]]:
    """Queries, milliseconds waited for the database, milliseconds in all, and the statements."""
    from django.db import connection

    spent: list[float] = []
    asked: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, params: Any, *args: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, *args)
        finally:
            spent.append(1000 * (time.perf_counter() - start))
            asked.append((sql, params))

    start = time.perf_counter()
    with connection.execute_wrapper(watch):
        answer = ask()
    assert getattr(answer, "status_code", 200) in (200, 302), answer
    return len(spent), sum(spent), 1000 * (time.perf_counter() - start), asked


def server_ms(asked: list[tuple[str, Any]]) -> float:
    """Planning and execution of these statements, as the server measures them."""
    from django.db import connection

    total = 0.0
    with connection.cursor() as cursor:
        for sql, params in asked:
            if sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0][0]
                total += plan["Planning Time"] + plan["Execution Time"]
    return total


def fill(rows: int) -> dict[str, Any]:
    """Clients spread over companies, desks and owners; the newest page of each member of staff is of real people."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from apps.clients.management.commands.load_entities import entities_load
    from apps.clients.models import Client, LegalEntity, Person
    from apps.core.actor import Actor
    from apps.core.ids import new_id
    from apps.users.models import Desk, Role
    from apps.users.roles import load_roles

    load_roles()
    entities_load(actor=Actor.system("benchmark"))
    users = get_user_model().objects
    desks = [Desk.objects.create(code=f"desk-{n}", name=f"Desk {n}") for n in range(DESKS)]
    entities = list(LegalEntity.objects.order_by("code"))
    levels = {"own": "OWN", "desk": "DESK", "entity": "ENTITY", "all": "ALL"}
    staff = {
        who: users.create_user(
            f"{who}@bench.example", is_staff=True, scope_level=level, desk=desks[0],
            entities=[entities[0].code] if who != "all" else [],
        )
        for who, level in levels.items()
    }  # fmt: skip
    for user in staff.values():
        user.groups.add(Role.objects.get(name="compliance"))
    owners = [staff["own"], *(users.create_user(f"o{n}@bench.example") for n in range(OWNERS - 1))]
    for n in range(PAGE + 10):
        person = Person(
            id=new_id(), first_name=f"Ana{n}", last_name=f"Keller{n}", email=f"ana{n}@bench.example",
            phone=f"+4915100{n:05}", country="DE",
        )  # fmt: skip
        person.save()
        Client(
            id=new_id(), number=f"N{n:08}", entity=entities[0], person=person, country="DE",
            owner=owners[0], desk=desks[0], lifecycle="ACTIVE",
        ).save()  # fmt: skip
    with connection.cursor() as cursor:
        _copy(cursor, "clients_person", rows, {
            "id": "gen_random_uuid()", "names": "ARRAY[left(md5(n::text), 12), left(md5('x' || n), 12)]",
            "email_index": "md5('e' || n)", "mailbox_index": "md5('m' || n)", "phone_index": "md5('p' || n)",
        })  # fmt: skip
        cursor.execute(
            "CREATE TEMP TABLE people AS SELECT id, row_number() OVER () n FROM clients_person "
            "WHERE id NOT IN (SELECT person_id FROM clients_client)"
        )
        cursor.execute("CREATE UNIQUE INDEX ON people (n)")
        pick = "(ARRAY[{}])[1 + n %% {}]".format
        _copy(cursor, "clients_client", rows, {
            "id": "gen_random_uuid()", "number": "'C' || lpad(n::text, 8, '0')",
            "person_id": "(SELECT id FROM people WHERE people.n = s.n)",
            "entity_id": pick(",".join(f"'{e.pk}'::uuid" for e in entities), len(entities)),
            "owner_id": pick(",".join(str(o.pk) for o in owners), len(owners)),
            "desk_id": pick(",".join(str(d.pk) for d in desks), len(desks)),
            "created_at": "now() - interval '1 day' - n * interval '1 minute'",
            "lifecycle": "(ARRAY['ACTIVE','ONBOARDING','REGISTERED'])[1 + n %% 3]",
        })  # fmt: skip
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("VACUUM ANALYZE")
    return staff


def _copy(cursor: Any, table: str, rows: int, changed: dict[str, str]) -> None:
    """Many rows like one that is there, with these columns made anew."""
    cursor.execute(f"SELECT * FROM {table} LIMIT 0")
    sealed = 17  # bytea: the copies are of nobody, and nobody's values open
    columns = [column.name for column in cursor.description]
    blank = {c.name: "''::bytea" for c in cursor.description if c.type_code == sealed}
    changed = blank | changed
    made = ", ".join(f"{changed[c]}" if c in changed else f't."{c}"' for c in columns)
    named = ", ".join(f'"{c}"' for c in columns)
    cursor.execute(
        f"INSERT INTO {table} ({named}) SELECT {made} "
        f"FROM generate_series(1, %s) AS s(n), (SELECT * FROM {table} LIMIT 1) AS t",
        [rows],
    )


if __name__ == "__main__":
    main()
