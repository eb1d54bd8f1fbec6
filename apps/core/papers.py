"""Signed papers: receipts and dossiers that are a page, a document and a proof at once.

A paper is plain content: sections of facts and tables, in one language. The document is a pure function of it, and
carries it inside with the signature, so anybody can check both: that this installation signed exactly this content,
and that the pages show exactly this content.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.core import signing
from apps.core.models import AuditRecord
from apps.core.pdf import Document
from apps.core.signing import Signature

PURPOSE = "paper"
ATTACHED = "content.json"
_ENVELOPE = re.compile(rb'\{"content":\{.*?\n(?=endstream)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """Facts (name and value), or a table: `head` and `rows`. Values are text when they arrive here."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    widths: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """`at` is the last moment that the content speaks of: the same content is the same paper whenever it is printed."""

    kind: str
    id: str
    title: str
    at: datetime
    sections: Sequence[Section] = field(default_factory=list)
    subtitle: str = ""

    def content(self) -> dict[str, Any]:
        return json.loads(signing.canonical(asdict(self)))  # type: ignore[no-any-return]


def text(value: Any) -> str:
    """A value as it stands on paper."""
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(item) for item in value)
    return str(value)


def printed(paper: Paper) -> bytes:
    """The signed document. Raises `SigningKeyMissing`."""
    content = paper.content()
    made = signing.sign(signing.canonical(content), purpose=PURPOSE)
    return _document(content, made)


def paper_problems(raw: bytes, *, keys: Mapping[str, bytes] | None = None) -> list[str]:
    """What is wrong with a document; nothing when its content is genuine and its pages show exactly that content."""
    try:
        found = _ENVELOPE.search(raw)
        envelope = json.loads(found.group()) if found else None
        if envelope is None:
            return ["this document carries no signed content"]
        content, made = (
            envelope["content"],
            Signature(envelope["key_id"], envelope["signature"]),
        )
        if not signing.verify(signing.canonical(content), made, purpose=PURPOSE, keys=keys):
            return [f"the signature is not by a known key over this content ({made.key_id})"]
        if _document(content, made) != raw:
            return ["the content is genuine, but the pages are not those that were printed from it"]
    except (ValueError, KeyError, TypeError):
        return ["this document carries no signed content"]
    return []


def digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(signing.canonical(content)).hexdigest()


def _document(content: Mapping[str, Any], made: Signature) -> bytes:
    with translation.override("en"):
        paper = Document(
            title=content["title"],
            subtitle=content["subtitle"],
            reference=content["id"],
            at=datetime.fromisoformat(content["at"]),
        )
        for section in content["sections"]:
            paper.heading(section["title"])
            if section["note"]:
                paper.paragraph(section["note"], muted=True)
            if section["facts"]:
                paper.facts((name, value) for name, value in section["facts"])
            if section["head"]:
                paper.table(section["head"], section["rows"], widths=section["widths"] or None)
        paper.signature(made, digest=digest_of(content), check=_("manage.py verify_receipt FILE"))
        envelope = {"content": content, "key_id": made.key_id, "signature": made.value}
        paper.attach(ATTACHED, signing.canonical(envelope), description="The signed content")
        return paper.output()


def people(records: Iterable[AuditRecord]) -> Section:
    """Who did what and why, oldest first: the common end of every paper."""
    rows = [
        [
            text(record.at),
            record.actor_label
            + (f" (on behalf of {record.on_behalf_of})" if record.on_behalf_of else ""),
            record.action,
            text(record.reason),
        ]
        for record in records
    ]
    return Section(
        title="People and acts", head=["When", "Who", "What", "Why"], rows=rows, widths=[22, 22, 22, 34],
        note="" if rows else "Nobody has acted on it yet.",
    )  # fmt: skip
