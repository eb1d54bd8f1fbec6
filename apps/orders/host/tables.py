"""Columns of the engine's tables, and how rows get there: COPY for new ones, one UPDATE for changed ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


ORDER_COLUMNS = columns(
    "id account_id client_order_id symbol digits lot_step side order_type tif steps price "
    "position book source status cum leaves notional opened venue_tries code text flagged "
    "failing checks event_count captured_at validated_at working_at routed_at executed_at "
    "ended_at"
)
ORDER_CHANGES = (
    ("status", "text"),
    ("cum", "bigint"),
    ("leaves", "bigint"),
    ("notional", "bigint"),
    ("opened", "bigint"),
    ("venue_tries", "smallint"),
    ("code", "text"),
    ("text", "text"),
    ("flagged", "text"),
    ("event_count", "smallint"),
    ("routed_at", "timestamptz"),
    ("executed_at", "timestamptz"),
    ("ended_at", "timestamptz"),
)
POSITION_COLUMNS = columns(
    "id account_id symbol digits lot_step side book steps cost realized commission opened_at "
    "updated_at closed_at close_reason"
)
POSITION_CHANGES = (
    ("steps", "bigint"),
    ("cost", "bigint"),
    ("realized", "bigint"),
    ("commission", "bigint"),
    ("updated_at", "timestamptz"),
    ("closed_at", "timestamptz"),
    ("close_reason", "text"),
)
CHILD_COLUMNS = columns(
    "id order_id account_id venue symbol digits lot_step side steps tif limit_price status cum "
    "notional venue_order_id exec_ids final final_cum final_code unknown_since created_at "
    "updated_at"
)
CHILD_CHANGES = (
    ("status", "text"),
    ("cum", "bigint"),
    ("notional", "bigint"),
    ("venue_order_id", "text"),
    ("exec_ids", "jsonb"),
    ("final", "text"),
    ("final_cum", "bigint"),
    ("final_code", "text"),
    ("unknown_since", "timestamptz"),
    ("updated_at", "timestamptz"),
)
EXECUTION_COLUMNS = columns(
    "id order_id account_id position symbol digits lot_step side entry steps price book "
    "currency realized commission spread_cost bid ask child venue_exec_id flagged at"
)
EVENT_COLUMNS = columns("order_id number at exec_type before after code text")


def copy_rows(
    cursor: Any, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]], present: bool
) -> None:
    if not present:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(
    cursor: Any,
    table: str,
    changes: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set absolute values by id in one statement."""
    if not rows:
        return
    assignments = ", ".join(f'"{name}" = u."{name}"' for name, _ in changes)
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{kind}[]" for _, kind in changes)])
    names = ", ".join(["id", *(f'"{name}"' for name, _ in changes)])
    cursor.execute(
        f"UPDATE {table} t SET {assignments} FROM unnest({arrays}) AS u({names}) WHERE t.id = u.id",  # noqa: S608
        [list(column) for column in zip(*rows, strict=True)],
    )
