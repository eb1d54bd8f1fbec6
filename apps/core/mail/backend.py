"""E-mail: written in the transaction of the change, sent later by a worker, kept in a local mailbox in the demo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from apps.core import clock
from apps.core.models import Mail


class MailboxBackend(BaseEmailBackend):
    """Puts every message into the local mailbox instead of sending it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            html = next(
                (str(a[0]) for a in getattr(message, "alternatives", []) if a[1] == "text/html"), ""
            )
            for recipient in message.recipients():
                Mail.objects.create(
                    to=recipient,
                    subject=message.subject[:200],
                    body=str(message.body),
                    html=html,
                    sent_at=clock.now(),
                    user_id=getattr(message, "reader_user_id", None),
                    client_id=getattr(message, "reader_client_id", None),
                )
        return len(email_messages)


def compose(*, to: str, template: str, context: dict[str, Any], language: str = "") -> EmailMessage:
    """Render `<template>.txt`, whose first line is the subject, and `<template>.html` when there is one."""
    with translation.override(language or settings.LANGUAGE_CODE):
        text = render_to_string(f"{template}.txt", {**context, "public_url": settings.PUBLIC_URL})
    subject, _, body = text.lstrip().partition("\n")
    subject = re.sub(r"\s+", " ", subject).strip()
    return EmailMultiAlternatives(subject=subject, body=body.strip() + "\n", to=[to])


def send_mail_later(*, to: str, template: str, context: dict[str, Any], language: str = "") -> None:
    """Send once the surrounding transaction has committed.

    Called from a reaction, so that a message that could not be sent is tried again with its event.
    """
    message = compose(to=to, template=template, context=context, language=language)
    transaction.on_commit(message.send)
