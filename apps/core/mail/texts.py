"""Where a message's words come from: the version in force in the database, else the file that ships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from apps.core.mail import wording
from apps.core.mail.kinds import MAIL_KINDS, MailKind
from apps.core.models import MessageTemplate

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """What one message says. `version` is 0 for the file."""

    language: str
    subject: str
    body: str
    version: int = 0


def folder() -> Path:
    return Path(settings.BASE_DIR, "templates", "mail")


@lru_cache(maxsize=512)
def words_in_file(code: str, language: str) -> Words | None:
    """The words that ship with this release: the first line is the subject."""
    app, _, name = code.partition(".")
    path = folder() / app / f"{name}.{language}.txt"
    if not path.is_file():
        return None
    subject, _, body = path.read_text("utf-8").strip().partition("\n")
    return Words(language, subject.strip(), body.strip())


def words_for(kind: MailKind, *, entity: str, language: str) -> Words:
    """The words for a reader: their language before the fallback, their company's version before everybody's.

    Raises `LookupError` when not even the fallback has a file, which a test excludes.
    """
    wanted = language.partition("-")[0].lower() or FALLBACK
    rows = MessageTemplate.objects.filter(
        code=kind.code,
        entity__in=(entity, ""),
        language__in=(wanted, FALLBACK),
        state=MessageTemplate.State.ACTIVE,
    )
    active = {(row.language, row.entity): row for row in rows}
    for tongue in dict.fromkeys((wanted, FALLBACK)):
        row = active.get((tongue, entity)) or active.get((tongue, ""))
        if row is not None:
            return Words(tongue, row.subject, row.body, row.version)
        shipped = words_in_file(kind.code, tongue)
        if shipped is not None:
            return shipped
    raise LookupError(f"there are no words for {kind.code}")


def problems(kind: MailKind, *, subject: str, body: str) -> Iterator[str]:
    """Why these words cannot be used for this kind; nothing when they can."""
    text = f"{subject}\n{body}"
    yield from wording.problems_of(text)
    unknown = wording.places_of(text) - kind.places
    if unknown:
        yield f"this message has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(kind.places))}"
    missing = kind.required - wording.places_of(body)
    if missing:
        yield f"the text must contain {', '.join(sorted(missing))}"
    if not subject.strip() or "\n" in subject.strip():
        yield "the subject is one line"


def languages() -> list[str]:
    """The languages that any kind ships in."""
    return sorted({path.stem.rpartition(".")[2] for path in folder().glob("*/*.txt")})


def known_kind(code: str) -> MailKind:
    """Raises `KeyError` for a kind that nobody declares."""
    return MAIL_KINDS[code]
