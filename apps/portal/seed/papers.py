"""Documents that nobody could take for real ones: drawn specimens, each different."""

from __future__ import annotations

import io
from datetime import date

from PIL import Image, ImageDraw

SIZE = (1100, 760)
INK, SHADE, MARK = (40, 48, 70), (120, 130, 150), (190, 60, 60)


def identity_card(*, name: str, country: str, number: str, born: date, expires: date) -> bytes:
    """The picture side of an invented identity document."""
    sheet, pen = _sheet((225, 233, 245))
    pen.rectangle((60, 200, 360, 600), fill=(200, 208, 222), outline=SHADE, width=3)
    pen.ellipse((150, 270, 270, 390), fill=SHADE)
    pen.pieslice((110, 400, 310, 660), 180, 360, fill=SHADE)
    _lines(pen, 420, 210, [
        ("PASSPORT", country), ("NUMBER", number), ("NAME", name),
        ("DATE OF BIRTH", born.isoformat()), ("VALID UNTIL", expires.isoformat()),
    ])  # fmt: skip
    return _png(sheet)


def utility_bill(
    *, name: str, street: str, city: str, number: str, issued: date, blurred: bool
) -> bytes:
    """An invented bill for power, or a picture of one that nobody can read."""
    sheet, pen = _sheet((250, 250, 246))
    _lines(pen, 90, 180, [
        ("ELECTRICITY BILL", number), ("CUSTOMER", name), ("ADDRESS", f"{street}, {city}"),
        ("DATE", issued.isoformat()), ("TO PAY", "64.20"),
    ])  # fmt: skip
    if blurred:
        sheet = sheet.resize((60, 42)).resize(SIZE)
    return _png(sheet)


def _sheet(colour: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", SIZE, colour)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, SIZE[0] - 12, SIZE[1] - 12), outline=SHADE, width=4)
    pen.text((60, 50), "SPECIMEN - NOT A REAL DOCUMENT", fill=MARK, font_size=40)
    return sheet, pen


def _lines(pen: ImageDraw.ImageDraw, left: int, top: int, rows: list[tuple[str, str]]) -> None:
    for place, (label, value) in enumerate(rows):
        pen.text((left, top + place * 88), label, fill=SHADE, font_size=22)
        pen.text((left, top + place * 88 + 28), value, fill=INK, font_size=36)


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
