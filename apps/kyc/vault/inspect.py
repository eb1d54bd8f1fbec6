"""Is this file what it must be, and only that? Bytes in, safe bytes out.

The type is found from the content; the name and the declared type of an upload are never believed.
Pictures are decoded and drawn anew, so nothing but pixels survives: no EXIF with the place where
it was taken, no appended archive, no second format in the same file. PDFs are kept as they are,
because drawing them needs system libraries, and are refused when they carry anything active.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from apps.kyc.errors import (
    FileDamaged,
    FileTooLarge,
    FileTypeRefused,
    PdfActive,
    TooFewPixels,
    TooManyPixels,
)

MAX_MEGABYTES = 10
MAX_BYTES = MAX_MEGABYTES * 1024 * 1024
MAX_MEGAPIXELS = 40
MIN_SHORT_SIDE = 300
KEPT_LONG_SIDE = 2600
JPEG_QUALITY = 88
PDF_INFLATE_LIMIT = 64 * 1024 * 1024
PDF_STREAMS_LIMIT = 5_000
"""Far more than a scanned paper has: what claims more is made to be slow to look at."""

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
_PILLOW_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}


@dataclass(frozen=True)
class SafeFile:
    """What may be kept. `source_sha256` is of the bytes as sent: it finds the same file again."""

    content: bytes
    content_type: str
    source_sha256: str
    stored_sha256: str
    width: int | None = None
    height: int | None = None


def inspect(content: bytes) -> SafeFile:
    """Make a safe file of what somebody sent. Raises a subclass of `UploadRefused`."""
    if len(content) > MAX_BYTES:
        raise FileTooLarge(limit=MAX_MEGABYTES)
    kind = sniff(content)
    if kind == PDF:
        check_pdf(content)
        return _safe(content, content, PDF)
    return _redrawn(content, kind)


def sniff(content: bytes) -> str:
    """The type by its first bytes. Raises `FileTypeRefused` for all that is not on the list."""
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    if re.match(rb"%PDF-[12]\.\d", content):
        return PDF
    raise FileTypeRefused


def _redrawn(content: bytes, kind: str) -> SafeFile:
    """The pixels alone, upright, as a JPEG of a size that can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=[_PILLOW_FORMATS[kind]])
            _check_size(image)
            if kind == JPEG:
                image.draft("RGB", (KEPT_LONG_SIDE, KEPT_LONG_SIDE))
            image.load()
            upright = ImageOps.exif_transpose(image)
            canvas = _on_white(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(limit=MAX_MEGAPIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, zlib.error) as error:
        raise FileDamaged from error
    canvas.thumbnail((KEPT_LONG_SIDE, KEPT_LONG_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return _safe(content, out.getvalue(), JPEG, canvas.size)


def _check_size(image: Image.Image) -> None:
    """By the header alone, before a single pixel is unpacked."""
    width, height = image.size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise TooManyPixels(limit=MAX_MEGAPIXELS)
    if min(width, height) < MIN_SHORT_SIDE:
        raise TooFewPixels(limit=MIN_SHORT_SIDE)


def _on_white(image: Image.Image) -> Image.Image:
    """Flat RGB in a new image, which carries none of the old one's `info`."""
    rgba = image.convert("RGBA")
    canvas = Image.new("RGB", rgba.size, "white")
    canvas.paste(rgba, mask=rgba.getchannel("A"))
    return canvas


def _safe(source: bytes, kept: bytes, kind: str, size: tuple[int, int] | None = None) -> SafeFile:
    return SafeFile(
        content=kept,
        content_type=kind,
        source_sha256=hashlib.sha256(source).hexdigest(),
        stored_sha256=hashlib.sha256(kept).hexdigest(),
        width=size[0] if size else None,
        height=size[1] if size else None,
    )


_ACTIVE = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|GoToR|XFA|Encrypt"
    rb"|Rendition|Movie|Sound)\b"
)
_HEX_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_STEP = 64 * 1024
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")


def check_pdf(content: bytes) -> None:
    """Refuse what runs, hides, calls out or is encrypted (ISO 32000-1, 7.11.4, 12.6.4, 12.6.4.16).

    Names may be written with `#xx` and dictionaries packed into compressed object streams; both
    are undone before looking. A PDF that another format follows, or that inflates without end, is
    refused as well.
    """
    tail = content[-2048:]
    if b"%%EOF" not in tail:
        raise FileDamaged
    after = tail.rsplit(b"%%EOF", 1)[1]
    if after.strip(b"\r\n\t \x00"):
        raise FileDamaged
    if _active(content):
        raise PdfActive
    _check_streams(content)


def _active(data: bytes) -> bool:
    plain = _HEX_NAME.sub(lambda match: bytes([int(match[1], 16)]), data)
    return _ACTIVE.search(plain) is not None


def _check_streams(content: bytes) -> None:
    budget = PDF_INFLATE_LIMIT
    whole = memoryview(content)
    for number, match in enumerate(_STREAM.finditer(content)):
        if number >= PDF_STREAMS_LIMIT:
            raise FileDamaged
        head = _HEX_NAME.sub(
            lambda name: bytes([int(name[1], 16)]),
            content[max(0, match.start() - 600) : match.start()],
        )
        head = head.rsplit(b"endobj", 1)[-1]
        inflated, whole_stream = _inflate(whole[match.end() :], budget)
        budget -= len(inflated)
        if budget <= 0:
            raise FileDamaged
        if _OBJECT_STREAM.search(head) and (not whole_stream or _active(inflated)):
            raise PdfActive


def _inflate(data: memoryview, limit: int) -> tuple[bytes, bool]:
    """What could be inflated of a stream, and whether it is deflated at all: in steps, so that neither the rest of
    the file is copied for each stream nor work goes uncounted when a stream breaks off far inside."""
    inflater = zlib.decompressobj()
    out = bytearray()
    try:
        for start in range(0, len(data), _STEP):
            rest: bytes | memoryview = data[start : start + _STEP]
            while rest and not inflater.eof and len(out) < limit:
                out += inflater.decompress(rest, min(_STEP, limit - len(out)))
                rest = inflater.unconsumed_tail
            if inflater.eof or len(out) >= limit:
                break
    except zlib.error:
        return bytes(out), False
    return bytes(out), True
