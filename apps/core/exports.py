"""Exports: rows that leave the house as a file, within scope, masked, and written down.

An app declares its columns in `<app>/exports.py`; nothing that is not declared leaves. Personal values name
their field and are shown only as far as the actor's mask goes. Text that a spreadsheet would take for a
formula is made plain.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import reduce
from itertools import chain
from typing import Any

from django.db import models
from django.utils.encoding import force_str
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from apps.core.actor import Actor
from apps.core.masks import masked_text
from apps.core.money import Money
from apps.core.permissions import Permission

CSV, XLSX = "csv", "xlsx"
FORMATS = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULA = re.compile(r"^[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
CELL_LENGTH = 32_000
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Column:
    """`value` is a path (`person.email`) or a function of the row; empty means the name itself.

    `personal` names the field whose mask applies, e.g. `clients.Person.email`. `extra` columns are offered
    but not ticked.
    """

    name: str
    title: Any
    value: str | Callable[[Any], Any] = ""
    personal: str = ""
    extra: bool = False

    def read(self, row: Any, actor: Actor) -> Any:
        found = self.value(row) if callable(self.value) else _follow(row, self.value or self.name)
        return masked_text(actor, self.personal, found) if self.personal else found


@dataclass(frozen=True, slots=True)
class Export:
    """What may leave of one model: its columns, who may take it, and how many rows at most."""

    model: str
    permission: Permission
    columns: tuple[Column, ...]
    related: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()
    max_rows: int = 50_000
    at_once: int = 500

    def chosen(self, names: Sequence[str]) -> tuple[Column, ...]:
        """The columns of these names in the declared order; those ticked at first when none is named."""
        if not names:
            return tuple(column for column in self.columns if not column.extra)
        return tuple(column for column in self.columns if column.name in names)


EXPORTS: dict[str, Export] = {}


def register_export(export: Export) -> Export:
    """Offer it on the list of its model."""
    names = [column.name for column in export.columns]
    if len(set(names)) != len(names):
        raise ValueError(f"{export.model} names a column twice")
    EXPORTS[export.model.lower()] = export
    return export


def export_for(model: type[models.Model]) -> Export | None:
    return EXPORTS.get(model._meta.label_lower)


def export_rows(
    export: Export, queryset: models.QuerySet[Any], columns: Sequence[Column], actor: Actor
) -> Iterator[list[Any]]:
    """Plain cells, row by row, of what the actor sees. Raises `NotAllowed`."""
    actor.require(export.permission)
    visible: Any = queryset
    visible = visible.visible_to(actor) if hasattr(visible, "visible_to") else visible
    visible = visible.select_related(*export.related) if export.related else visible
    rows = visible.prefetch_related(*export.prefetch)[: export.max_rows]
    for row in rows.iterator(chunk_size=CHUNK):
        yield [plain(column.read(row, actor)) for column in columns]


def _follow(row: Any, path: str) -> Any:
    def step(value: Any, name: str) -> Any:
        found = getattr(value, name) if value is not None else None
        return found() if callable(found) and not isinstance(found, models.Manager) else found

    return reduce(step, path.split("."), row)


def plain(value: Any) -> Any:
    """A value as a spreadsheet holds it: numbers stay numbers, times are UTC, text is never a formula."""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or isinstance(value, int | Decimal | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return harmless(", ".join(sorted(map(str, value))))
    if isinstance(value, Enum):
        value = value.value
    return harmless(force_str(value) if isinstance(value, Promise) else str(value))


def harmless(text: str) -> str:
    """Text that no spreadsheet runs: what starts like a formula gets an apostrophe before it."""
    clean = UNPRINTABLE.sub("", text)[:CELL_LENGTH]
    return f"'{clean}" if FORMULA.match(clean) else clean


def write(format_: str, titles: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """The file's bytes. Titles are made harmless like everything else."""
    head = [harmless(str(title)) for title in titles]
    return _csv(head, rows) if format_ == CSV else _xlsx(head, rows)


def _csv(head: list[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _xlsx(head: list[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook made in memory. Text is said to be text, so that the reader does not guess."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(chain([head], rows)):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            else:
                sheet.write(number, column, value)
    book.close()
    return out.getvalue()
