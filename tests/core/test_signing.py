"""Signatures: what they bind, which keys count, and what a rotation keeps."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from apps.core import signing
from apps.core.pdf import Document, printable
from apps.core.signing import Signature

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_signature_binds_the_bytes_the_purpose_and_the_key():
    made = signing.sign(b"content", purpose="receipt")

    assert signing.verify(b"content", made, purpose="receipt")
    assert not signing.verify(b"content.", made, purpose="receipt")
    assert not signing.verify(b"content", made, purpose="audit-head")
    assert not signing.verify(b"content", Signature("0" * 16, made.value), purpose="receipt")
    assert not signing.verify(b"content", Signature(made.key_id, "AAAA"), purpose="receipt")
    assert not signing.verify(b"content", Signature(made.key_id, "no!"), purpose="receipt")
    assert signing.sign(b"content", purpose="receipt") == made


def test_the_canonical_form_does_not_depend_on_order_and_knows_no_floats():
    one = {"b": [Decimal("1.50"), NOON], "a": UUID(int=1)}
    other = {"a": UUID(int=1), "b": (Decimal("1.50"), NOON)}

    assert signing.canonical(one) == signing.canonical(other)
    assert signing.canonical(one) == (
        b'{"a":"00000000-0000-0000-0000-000000000001","b":["1.50","2026-03-02T12:00:00+00:00"]}'
    )
    with pytest.raises(TypeError):
        signing.canonical({"rate": 0.1})


def test_a_rotated_key_keeps_verifying_what_it_signed_and_signs_no_more(settings, tmp_path):
    settings.SIGNING_KEY, settings.SIGNING_FOLDER = "", tmp_path / "signing"
    before = signing.sign(b"content", purpose="receipt")
    out = io.StringIO()

    call_command("signing_key", "--rotate", stdout=out)

    after = signing.sign(b"content", purpose="receipt")
    assert after.key_id != before.key_id == signing.key_id_of(signing.public_keys()[before.key_id])
    assert signing.verify(b"content", before, purpose="receipt")
    assert signing.verify(b"content", after, purpose="receipt")
    assert (tmp_path / "signing" / "active.key").stat().st_mode & 0o077 == 0
    assert [line.split()[:2] for line in out.getvalue().splitlines()[1:]] == [
        [after.key_id, "active"], [before.key_id, "retired"],
    ]  # fmt: skip


def test_a_key_from_the_environment_is_replaced_there_and_its_public_half_retired_there(settings):
    old = signing.sign(b"content", purpose="receipt")
    kept = signing.public_text(signing.public_keys()[old.key_id])
    with pytest.raises(CommandError, match="BROKEROS_SIGNING_RETIRED_KEYS"):
        call_command("signing_key", "--rotate")

    settings.SIGNING_KEY = signing.new_seed()
    assert not signing.verify(b"content", old, purpose="receipt")
    settings.SIGNING_RETIRED_KEYS = [kept]
    assert signing.verify(b"content", old, purpose="receipt")


@pytest.mark.parametrize("key", ["short", "not base64!", "AAAA"])
def test_a_broken_key_is_one_sentence(settings, key):
    settings.SIGNING_KEY = key
    with pytest.raises(signing.SigningKeyMissing, match="not 32 bytes"):
        signing.sign(b"content", purpose="receipt")


def document(at: datetime = NOON) -> bytes:
    paper = Document(title="Entscheid für Čapek Ωmega Ярослав", at=at, reference="R-1")
    paper.heading("Inputs")
    paper.facts([("amount", "10.00"), ("name", "中"), ("note", "")])
    paper.table(["rule", "result"], [["a", "b"]] * 60, widths=(30, 70))
    signature = signing.sign(b"content", purpose="receipt")
    paper.signature(signature, digest="0" * 64, check="manage.py verify_receipt FILE")
    paper.attach("content.json", b"{}")
    return paper.output()


def test_a_document_is_the_same_bytes_each_time_and_other_bytes_for_another_moment():
    first = document()

    assert first.startswith(b"%PDF-")
    assert document() == first
    assert document(NOON.replace(hour=13)) != first


def test_a_character_that_the_font_lacks_is_named_and_never_dropped():
    assert printable("Čapek Ω Я 中") == "Čapek Ω Я [U+4E2D]"
    assert printable(None) == "-"
