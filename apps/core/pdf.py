"""Documents on paper: one layout for receipts, dossiers and data extracts.

The same content gives the same bytes: no clock, no random id, only the moment that the document is about. The font is
the back office's own (Inter, SIL Open Font License), which knows Latin, Greek, Cyrillic and Vietnamese; a character it
lacks is printed as its code point, never dropped.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import segno
import unfold
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from apps.core.signing import Signature

_FONTS = Path(unfold.__file__).parent / "static" / "unfold" / "fonts" / "inter"
_FAMILY = "inter"
_INK, _MUTED, _LINE, _SHADE = (24, 29, 39), (96, 104, 117), (214, 219, 227), (245, 246, 248)
_MARGIN = 18.0
_QR_MM = 30.0

TABLE_LINE = 5.2


@functools.cache
def _known_characters() -> frozenset[int]:
    with TTFont(_FONTS / "Inter-Regular.woff2", lazy=True) as font:
        return frozenset(font.getBestCmap())


def printable(value: Any) -> str:
    """The text with every character that the font lacks replaced by its code point."""
    known = _known_characters()
    text = "-" if value in (None, "") else str(value)
    return "".join(c if c in "\n\t" or ord(c) in known else f"[U+{ord(c):04X}]" for c in text)


class _Pages(FPDF):
    """A4 with a running foot: what the document is, and which page of how many."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(_FAMILY, size=7.5)
        self.set_text_color(*_MUTED)
        self.cell(self.epw * 0.75, 5, self.foot)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")


class Document:
    """Headings, facts, tables and a signature block, in the order in which they are added."""

    def __init__(
        self, *, title: Any, at: datetime, subtitle: Any = "", reference: str = ""
    ) -> None:
        self._pdf = pdf = _Pages(
            printable(f"{title}  {reference}".strip() if reference else str(title))
        )
        pdf.set_creation_date(at)
        pdf.set_title(printable(title))
        pdf.set_producer("Broker OS")
        pdf.set_lang("en")
        pdf.add_font(_FAMILY, "", _FONTS / "Inter-Regular.woff2")
        pdf.add_font(_FAMILY, "B", _FONTS / "Inter-SemiBold.woff2")
        pdf.set_margins(_MARGIN, _MARGIN)
        pdf.set_auto_page_break(True, margin=20)
        pdf.add_page()
        self._text(title, size=18, style="B", height=9)
        if subtitle:
            self._text(subtitle, size=10, color=_MUTED, height=5.5)
        pdf.ln(3)
        self._rule()

    def heading(self, text: Any) -> None:
        if self._pdf.will_page_break(22):
            self._pdf.add_page()
        self._pdf.ln(4)
        self._text(text, size=11.5, style="B", height=7)

    def paragraph(self, text: Any, *, muted: bool = False) -> None:
        self._text(text, size=9, color=_MUTED if muted else _INK, height=4.8)

    def facts(self, rows: Iterable[tuple[Any, Any]]) -> None:
        """Names on the left, values on the right."""
        pdf = self._pdf
        pdf.set_font(_FAMILY, size=9)
        pdf.set_text_color(*_INK)
        pdf.set_draw_color(*_LINE)
        with pdf.table(
            col_widths=(30, 70),
            first_row_as_headings=False,
            borders_layout="HORIZONTAL_LINES",
            line_height=TABLE_LINE,
            text_align="LEFT",
            padding=(0.6, 1),
        ) as table:
            for name, value in rows:
                row = table.row()
                row.cell(printable(name), style=FontFace(color=_MUTED))
                row.cell(printable(value))

    def table(
        self,
        head: Sequence[Any],
        rows: Iterable[Sequence[Any]],
        *,
        widths: Sequence[int] | None = None,
        numbers: Sequence[int] = (),
    ) -> None:
        """`numbers` names the columns that are set to the right, from 0."""
        pdf = self._pdf
        pdf.set_font(_FAMILY, size=8.2)
        pdf.set_text_color(*_INK)
        pdf.set_draw_color(*_LINE)
        with pdf.table(
            col_widths=tuple(widths) if widths else None,
            borders_layout="HORIZONTAL_LINES",
            line_height=TABLE_LINE - 0.6,
            text_align=tuple("RIGHT" if n in numbers else "LEFT" for n in range(len(head))),
            headings_style=FontFace(emphasis="BOLD", color=_MUTED, fill_color=_SHADE),
            padding=(0.7, 1),
        ) as table:
            for cells in (head, *rows):
                row = table.row()
                for cell in cells:
                    row.cell(printable(cell))

    def signature(self, signature: Signature, *, digest: str, check: str) -> None:
        """What was signed, by which key, and how anybody verifies it. The code carries all three."""
        pdf = self._pdf
        if pdf.will_page_break(_QR_MM + 22):
            pdf.add_page()
        self.heading(_("Signature"))
        top = pdf.get_y() + 1
        code = f"BROKEROS:1:{digest}:{signature.key_id}:{signature.value}"
        self._code(code, pdf.w - _MARGIN - _QR_MM, top)
        width = pdf.epw - _QR_MM - 6
        for name, value in (
            (_("SHA-256 of the content"), digest),
            (_("ed25519 key"), signature.key_id),
            (_("Signature"), signature.value),
            (_("Verify with"), check),
        ):
            pdf.set_font(_FAMILY, size=7)
            pdf.set_text_color(*_MUTED)
            pdf.multi_cell(width, 3.6, printable(name), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            pdf.set_font(_FAMILY, size=7.6)
            pdf.set_text_color(*_INK)
            pdf.multi_cell(
                width,
                3.8,
                printable(value),
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
                align="L",
                wrapmode=WrapMode.CHAR,
            )
            pdf.ln(0.8)
        pdf.set_y(max(pdf.get_y(), top + _QR_MM + 2))

    def attach(self, name: str, content: bytes, *, description: str = "") -> None:
        """Put a file inside the document as it is, e.g. the exact bytes that were signed."""
        self._pdf.embed_file(
            bytes=content,
            basename=name,
            desc=description,
            mime_type="application/json",
            compress=False,
        )

    def output(self) -> bytes:
        return bytes(self._pdf.output())

    def _text(
        self,
        text: Any,
        *,
        size: float,
        height: float,
        style: str = "",
        color: tuple[int, int, int] = _INK,
    ) -> None:
        pdf = self._pdf
        pdf.set_font(_FAMILY, style, size)
        pdf.set_text_color(*color)
        pdf.multi_cell(0, height, printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def _rule(self) -> None:
        pdf = self._pdf
        pdf.set_draw_color(*_LINE)
        pdf.line(_MARGIN, pdf.get_y(), pdf.w - _MARGIN, pdf.get_y())
        pdf.ln(2)

    def _code(self, text: str, x: float, y: float) -> None:
        rows = list(segno.make_qr(text, error="m").matrix)
        side = _QR_MM / len(rows)
        self._pdf.set_fill_color(*_INK)
        for line, row in enumerate(rows):
            for column, dark in enumerate(row):
                if dark:
                    self._pdf.rect(x + column * side, y + line * side, side, side, style="F")
