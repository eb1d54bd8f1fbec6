"""What leaves the house as a file: declared columns, harmless text, masked values, numbers that stay numbers."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotAllowed
from apps.core.exports import CSV, XLSX, Column, Export, export_rows, harmless, plain, write
from apps.core.money import Money
from apps.core.permissions import VIEW_AUDIT

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
READER = Actor(
    ActorKind.STAFF, "user:1", "Ana", user_id=1, permissions=frozenset({str(VIEW_AUDIT)})
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 170 1", "'+49 170 1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =cmd|' /C calc'!A0", "'  =cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("\x00=1", "'=1"),
        ("Ana = Ben", "Ana = Ben"),
        ("a-b@c.example", "a-b@c.example"),
        ("", ""),
        ("bell\x07", "bell"),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_made_plain(text, written):
    assert harmless(text) == written


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (Money(Decimal("-5.00"), "EUR"), Decimal("-5.00")),
        (Decimal("-1.5"), Decimal("-1.5")),
        (-3, -3),
        (True, "yes"),
        (None, None),
        (MOMENT, MOMENT.replace(tzinfo=None, microsecond=0)),
        (["b", "a"], "a, b"),
        (["=b"], "'=b"),
    ],
)
def test_values_as_a_spreadsheet_holds_them(value, cell):
    assert plain(value) == cell


def test_titles_are_harmless_too_in_both_formats():
    rows = [["x", Decimal("1.50"), None]]
    text = write(CSV, ["=name", "sum", "none"], rows).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [["'=name", "sum", "none"], ["x", "1.50", ""]]
    cells = cells_of(write(XLSX, ["=name", "sum", "none"], rows))
    assert [text for _, text in cells[0]] == ["'=name", "sum", "none"]
    assert cells[1] == [("s", "x"), ("n", "1.50")]


def cells_of(content: bytes) -> list[list[tuple[str, str]]]:
    """Type and text of every cell, row by row."""
    book = ZipFile(io.BytesIO(content))
    shared = [
        "".join(item.itertext())
        for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    ]
    rows = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(f"{MAIN}row")
    found = []
    for row in rows:
        texts = [(cell.get("t", "n"), cell.findtext(f"{MAIN}v") or "") for cell in row]
        found.append([(kind, shared[int(v)] if kind == "s" else v) for kind, v in texts])
    return found


def test_no_cell_of_a_workbook_is_a_formula():
    content = write(XLSX, ["a"], [[plain("=HYPERLINK(1)")], [plain("@x")]])
    assert [row[0][0] for row in cells_of(content)] == ["s", "s", "s"]
    assert b"<f>" not in ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")


def test_without_the_permission_of_the_export_nothing_is_read():
    export = Export("core.AuditRecord", VIEW_AUDIT, (Column("id", "id"),))
    nobody = Actor(ActorKind.STAFF, "user:2", "Ben")
    with pytest.raises(NotAllowed):
        next(export_rows(export, object(), export.columns, nobody))  # type: ignore[arg-type]


def test_columns_come_in_the_declared_order_and_undeclared_ones_do_not_exist():
    export = Export(
        "core.AuditRecord",
        VIEW_AUDIT,
        (Column("a", "A"), Column("b", "B"), Column("c", "C", extra=True)),
    )
    assert [c.name for c in export.chosen([])] == ["a", "b"]
    assert [c.name for c in export.chosen(["c", "a", "password"])] == ["a", "c"]


def test_a_personal_value_is_never_read_past_its_mask():
    column = Column("email", "E-mail", "person.email", personal="clients.Person.email")
    row = SimpleNamespace(person=SimpleNamespace(email="ana@example.com"))
    assert "ana@" not in str(column.read(row, READER))
    assert Column("x", "X", "person.email").read(SimpleNamespace(person=None), READER) is None
