"""Files that attack, files that tell too much, and what is kept of the others."""

from __future__ import annotations

import io
import stat
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageOps

from apps.core.errors import InvalidInput, NotAllowed, NotVisible
from apps.core.models import AuditRecord, OutboxEvent
from apps.kyc.errors import (
    FileDamaged,
    FileTooLarge,
    FileTypeRefused,
    PdfActive,
    TooFewPixels,
    TooManyPixels,
    UploadRefused,
)
from apps.kyc.models import Document, KycCase
from apps.kyc.services import document_open, document_upload
from apps.kyc.services.documents import safe_name
from apps.kyc.vault import store
from apps.kyc.vault.inspect import MAX_BYTES, inspect
from tests.clients import world

from . import story

GPS = 0x8825


def with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SpyPhone"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (53.0, 4.0, 30.0)
    exif[0x0112] = 6
    return world.picture((900, 600), exif=exif)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def pdf_with(body: bytes) -> bytes:
    return world.PDF.replace(b"trailer", b"3 0 obj\n" + body + b"\nendobj\ntrailer")


def object_stream(inner: bytes, *, extra: bytes = b"") -> bytes:
    packed = zlib.compress(inner)
    return (
        b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode " + extra
        + b"/Length %d >>\nstream\n" % len(packed) + packed + b"\nendstream"
    )  # fmt: skip


def test_the_place_where_a_photo_was_taken_does_not_survive():
    source = with_gps()
    assert Image.open(io.BytesIO(source)).getexif().get_ifd(GPS)
    safe = inspect(source)
    kept = Image.open(io.BytesIO(safe.content))
    assert dict(kept.getexif()) == {}
    assert "exif" not in kept.info
    assert b"SpyPhone" not in safe.content
    assert (kept.size, safe.content_type) == ((600, 900), "image/jpeg")
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(source)))
    assert kept.size == upright.size


def test_what_hides_behind_a_picture_is_cut_off():
    zipped = world.picture() + b"PK\x03\x04" + b"payload" * 100
    script = world.picture() + b"<script>alert(1)</script>"
    for source in (zipped, script):
        safe = inspect(source)
        assert b"payload" not in safe.content
        assert b"<script>" not in safe.content


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_kept_as_jpeg(form):
    safe = inspect(world.picture(form=form))
    assert safe.content.startswith(b"\xff\xd8\xff")
    assert (safe.width, safe.height) == (1200, 800)


def test_a_large_picture_is_kept_readable_and_no_larger():
    safe = inspect(world.picture((5200, 3900)))
    assert (safe.width, safe.height) == (2600, 1950)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", FileTypeRefused),
        (b"MZ\x90\x00 program", FileTypeRefused),
        (b"<svg onload='alert(1)'/>", FileTypeRefused),
        (b"GIF89a" + b"\0" * 100, FileTypeRefused),
        (b"PK\x03\x04" + world.picture(), FileTypeRefused),
        (b"\n" + world.PDF, FileTypeRefused),
        (b"\xff\xd8\xff" + b"not a jpeg" * 50, FileDamaged),
        (world.picture()[:2000], FileDamaged),
        (b"\x89PNG\r\n\x1a\n" + world.picture(), FileDamaged),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", FileDamaged),
        (png_header(50_000, 50_000), TooManyPixels),
        (png_header(8_001, 5_000), TooManyPixels),
        (world.picture((299, 900)), TooFewPixels),
        (b"\xff\xd8\xff" + b"\0" * MAX_BYTES, FileTooLarge),
        (world.PDF + b"PK\x03\x04 appended archive", FileDamaged),
        (world.PDF.replace(b"%%EOF", b""), FileDamaged),
        (pdf_with(b"<< /S /JavaScript /JS (app.alert(1)) >>"), PdfActive),
        (pdf_with(b"<< /S /J#61vaScript /JS (app.alert(1)) >>"), PdfActive),
        (pdf_with(b"<< /S /Launch /F (cmd.exe) >>"), PdfActive),
        (pdf_with(b"<< /Type /EmbeddedFile >>"), PdfActive),
        (pdf_with(b"<< /Names << /EmbeddedFiles 4 0 R >> >>"), PdfActive),
        (pdf_with(b"<< /S /SubmitForm /F (http://x) >>"), PdfActive),
        (pdf_with(b"<< /Encrypt 5 0 R >>"), PdfActive),
        (pdf_with(object_stream(b"4 0 << /S /JavaScript /JS (x) >>")), PdfActive),
        (pdf_with(object_stream(b"4 0 << /S /J#61vaScript >>")), PdfActive),
        (
            pdf_with(b"<< /Type /ObjStm /Filter /ASCIIHexDecode >>\nstream\n2F4A53>\nendstream"),
            PdfActive,
        ),
    ],
    ids=range(26),
)
def test_attacks_are_refused(content, error):
    with pytest.raises(error):
        inspect(content)


def test_a_pdf_that_inflates_without_end_is_refused():
    bomb = zlib.compress(b"\0" * (70 * 1024 * 1024), 9)
    content = pdf_with(b"<< /Filter /FlateDecode >>\nstream\n" + bomb + b"\nendstream")
    assert len(content) < 200_000
    with pytest.raises(FileDamaged):
        inspect(content)


@pytest.mark.parametrize(
    "stream",
    [
        b"stream\n",
        b"stream\n" + zlib.compress(b"x"),
        b"stream\n" + zlib.compress(b"\0" * 2_000_000)[:-4] + b"nope",
    ],
    ids=["of nothing", "that end at once", "that break off inside"],
)
def test_a_pdf_of_countless_streams_is_refused_before_it_costs_anything(stream):
    content = pdf_with(b"<< >>\n" + stream * (2_000_000 // len(stream)))
    with pytest.raises(FileDamaged):
        inspect(content)


def test_a_pdf_of_as_many_streams_as_papers_have_is_kept():
    content = pdf_with((b"<< >>\nstream\n" + zlib.compress(b"page") + b"\nendstream\n") * 500)
    assert inspect(content).content == content


def test_a_plain_pdf_is_kept_as_it_is():
    plain = pdf_with(object_stream(b"4 0 << /Type /Annot /Contents (Rent, November) >>"))
    safe = inspect(plain)
    assert (safe.content, safe.content_type) == (plain, "application/pdf")


@examples(deadline=None, max_examples=60)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b""]),
)
def test_nothing_that_is_sent_does_more_than_be_refused(noise, head):
    with suppress(UploadRefused):
        inspect(head + noise)


@examples(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_no_name_is_ever_a_path(raw):
    name = safe_name(raw)
    assert name
    assert len(name) <= 120
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")


def rows():
    return (Document.objects.count(), KycCase.objects.count(), OutboxEvent.objects.count())


@pytest.mark.usefixtures("house")
class TestVault:
    def test_a_refused_file_leaves_no_trace(self, settings):
        client = world.confirmed()
        before = rows()
        with pytest.raises(FileTypeRefused):
            story.send(client, content=b"MZ")
        with pytest.raises(InvalidInput):
            story.send(client, "PASSPORT", side="BACK")
        with pytest.raises(InvalidInput):
            story.send(client, "PASSPORT", expires_on=world.AT.date())
        with pytest.raises(InvalidInput):
            story.send(client, "SCROLL")
        assert rows() == before
        assert not (settings.PRIVATE_STORAGE_ROOT / "kyc").exists()

    def test_the_file_lies_under_its_id_for_this_process_alone(self):
        client = world.confirmed()
        document = story.send(client, original_name="../../etc/passwd\x00.jpg")
        path = store.path_of(document.id)
        assert path.name == document.id.hex
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert document.original_name == "passwd_.jpg"

    def test_the_same_file_twice_is_one_document_and_another_replaces_it(self):
        client = world.confirmed()
        first = story.send(client, content=world.picture(colour="red"))
        again = story.send(client, content=world.picture(colour="red"))
        assert first.id == again.id
        second = story.send(client, content=world.picture(colour="green"))
        assert dict(Document.objects.values_list("id", "state")) == {
            first.id: "SUPERSEDED",
            second.id: "UPLOADED",
        }

    def test_every_look_is_written_down_with_its_purpose(self):
        client = world.confirmed()
        document = story.send(client)
        compliance = world.staff("compliance")
        _row, content = document_open(document_id=document.id, purpose="review", actor=compliance)
        assert content.startswith(b"\xff\xd8\xff")
        looks = AuditRecord.objects.filter(action="document.view")
        assert [(look.actor_id, look.reason, look.client_id) for look in looks] == [
            (compliance.id, "review", client.id)
        ]

    def test_others_do_not_see_it(self):
        ana = world.confirmed()
        document = story.send(ana)
        omar = world.confirmed(email="omar@x.example", country="BR", phone="")
        for actor, error in [
            (world.acting(omar), NotVisible),
            (world.anonymous(), NotVisible),
            (world.staff("sales"), NotAllowed),
            (world.staff("support"), NotAllowed),
        ]:
            with pytest.raises(error):
                document_open(document_id=document.id, purpose="curiosity", actor=actor)
        assert AuditRecord.objects.filter(action="document.view").count() == 0

    def test_nobody_sends_for_another(self):
        ana = world.confirmed()
        omar = world.confirmed(email="omar@x.example", country="BR", phone="")
        before = rows()
        with pytest.raises(NotVisible):
            document_upload(
                client_id=ana.id,
                kind="PASSPORT",
                content=world.picture(),
                original_name="x.jpg",
                actor=world.acting(omar),
            )
        assert rows() == before

    def test_an_altered_file_is_never_shown(self):
        client = world.confirmed()
        document = story.send(client)
        path = store.path_of(document.id)
        path.write_bytes(b"forged")
        with pytest.raises(store.VaultDamaged):
            document_open(document_id=document.id, purpose="review", actor=world.SYSTEM)
        assert AuditRecord.objects.filter(action="document.view").count() == 0
