"""Sending a message: once for each event and reader, with what the mail server says understood."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.events import Undeliverable, event_in_hand
from apps.core.mail import wording
from apps.core.mail.kinds import MailKind, Purpose
from apps.core.mail.texts import Words, words_for
from apps.core.mail.unsubscribe import may_market_to, way_out
from apps.core.models import SentMail
from apps.core.privacy.blind import keyed

ADDRESS = re.compile(r"\S+@\S+")


class MailServerSilent(DomainError):
    """Nobody takes mail at the moment: tried again for as long as it takes."""

    code = "MAIL_SERVER_SILENT"
    message = "The mail server does not answer: {problem}."
    status = 503


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The company that writes."""

    company: str
    entity: str = ""
    support: str = ""
    footer: str = ""
    risk_warning: str = ""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who reads it, in which language, from which company."""

    address: str
    language: str
    letterhead: Letterhead
    user_id: int | None = None
    client_id: UUID | None = None


LetterheadOf = Callable[[int], tuple[Letterhead, UUID | None] | None]
_LETTERHEADS: list[LetterheadOf] = []


def register_letterhead(lookup: LetterheadOf) -> None:
    """Let the app that knows companies say who writes to a login; None when no company does."""
    if lookup not in _LETTERHEADS:
        _LETTERHEADS.append(lookup)


def house_letterhead() -> Letterhead:
    """The installation itself, for readers whom no company serves: its own staff."""
    return Letterhead(company=settings.HOUSE_NAME, support=settings.HOUSE_SUPPORT)


def addressee_of(user_id: int) -> Addressee | None:
    """A login as reader; None when it was switched off."""
    user: Any = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    for lookup in _LETTERHEADS:
        found = lookup(user_id)
        if found is not None:
            return Addressee(user.email, user.language, found[0], user_id, found[1])
    return Addressee(user.email, user.language, house_letterhead(), user_id)


def mail_user(kind: MailKind, *, user_id: int, values: Mapping[str, Any], key: str = "") -> bool:
    """`mail_send` to a login, if it still is one."""
    reader = addressee_of(user_id)
    return reader is not None and mail_send(kind, to=reader, values=values, key=key)


def mail_send(kind: MailKind, *, to: Addressee, values: Mapping[str, Any], key: str = "") -> bool:
    """Send one message now; called from a reaction, whose delivery repeats it. False when it was sent before.

    `key` is the event's own unless given. Raises `MailServerSilent` (repeated for as long as it takes),
    `Undeliverable` (the reader's server refused for good: a dead letter), or what the server said
    (repeated with growing pauses). On the wire a crash at the wrong instant can send it twice, with the
    same Message-ID.
    """
    if kind.purpose is Purpose.MARKETING and not may_market_to(to.user_id):
        return False
    event = event_in_hand()
    key = key or (event.key if event else "")
    if not key:
        raise RuntimeError("a message is sent for an event")
    words = words_for(kind, entity=to.letterhead.entity, language=to.language)
    row = _claim(kind, to, words, key)
    if row is None:
        return False
    message: Any = composed(kind, to, words, values, message_id=row.message_id)
    message.reader_user_id, message.reader_client_id = to.user_id, to.client_id
    try:
        _send(message)
    except Undeliverable as refused:
        _note(row, SentMail.State.BOUNCED, str(refused))
        raise
    _note(row, SentMail.State.SENT, "")
    return True


def _claim(kind: MailKind, to: Addressee, words: Words, key: str) -> SentMail | None:
    digest = keyed("mail", f"{key}:{to.address.lower()}")
    with transaction.atomic():
        row, _made = SentMail.objects.get_or_create(
            key=key,
            code=kind.code,
            recipient=digest,
            defaults={
                "user_id": to.user_id,
                "client_id": to.client_id,
                "entity": to.letterhead.entity,
                "language": words.language,
                "version": words.version,
                "message_id": f"<{digest}.{kind.code}@{_domain()}>",
            },
        )
    return None if row.state == SentMail.State.SENT else row


def _note(row: SentMail, state: str, problem: str) -> None:
    row.state = state
    row.problem = problem[:200]
    row.sent_at = clock.now() if state == SentMail.State.SENT else None
    row.save(update_fields=["state", "problem", "sent_at"])


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"


def composed(
    kind: MailKind, to: Addressee, words: Words, values: Mapping[str, Any], *, message_id: str = ""
) -> EmailMultiAlternatives:
    """The whole message: words, frame, headers. Raises `KeyError` when a place has no value."""
    head = to.letterhead
    filled = {name: str(value) for name, value in values.items()}
    filled |= {"company": head.company, "support": head.support}
    leave = way_out(to.user_id) if kind.purpose is Purpose.MARKETING else ""
    frame: dict[str, Any] = {
        "subject": wording.subject_line(words.subject, filled),
        "head": head,
        "leave": leave,
        "text": mark_safe(wording.plain(words.body, filled)),  # noqa: S308 (plain text, no markup)
        "body": mark_safe(wording.html(words.body, filled)),  # noqa: S308 (each value is escaped there)
        "language": words.language,
    }
    with translation.override(words.language):
        text = render_to_string("mail/frame.txt", frame)
        html = render_to_string("mail/frame.html", frame)
    headers = {"Auto-Submitted": "auto-generated"}
    if message_id:
        headers["Message-ID"] = message_id
    if leave:
        headers |= {
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message = EmailMultiAlternatives(
        frame["subject"], text.strip() + "\n", to=[to.address], headers=headers
    )
    if head.support:
        message.reply_to = [head.support]
    message.attach_alternative(html, "text/html")
    return message


def _send(message: EmailMultiAlternatives) -> None:
    """Hand it to the mail server. What it says never repeats the reader's address."""
    try:
        with get_connection() as connection:
            message.connection = connection
            message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = next(iter(refused.recipients.values()))
        _refused(code, said)
    except (
        smtplib.SMTPAuthenticationError,
        smtplib.SMTPConnectError,
        smtplib.SMTPHeloError,
    ) as away:
        raise MailServerSilent(problem=f"{away.smtp_code}") from None
    except smtplib.SMTPDataError as refused:
        _refused(refused.smtp_code, refused.smtp_error)
    except smtplib.SMTPServerDisconnected:
        raise MailServerSilent(problem="it hung up") from None
    except smtplib.SMTPException as odd:
        raise ConnectionError(_without_address(str(odd))) from None
    except OSError as away:
        raise MailServerSilent(problem=type(away).__name__) from None


def _refused(code: int, said: bytes | str) -> None:
    """5xx is for good, 4xx may pass."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    sentence = f"{code} {_without_address(text)}"[:200]
    if code >= 500:
        raise Undeliverable(sentence)
    raise ConnectionError(sentence)


def _without_address(text: str) -> str:
    return ADDRESS.sub("<address>", text)
