"""E-mail: templated, translated, sent by reactions to events, kept in a local mailbox in the demo."""

from apps.core.mail.backend import MailboxBackend, compose, send_mail_later
from apps.core.mail.kinds import MAIL_KINDS, MailKind, Purpose, register_mail
from apps.core.mail.sending import (
    Addressee,
    Letterhead,
    MailServerSilent,
    mail_send,
    mail_user,
    register_letterhead,
)

__all__ = [
    "MAIL_KINDS",
    "Addressee",
    "Letterhead",
    "MailKind",
    "MailServerSilent",
    "MailboxBackend",
    "Purpose",
    "compose",
    "mail_send",
    "mail_user",
    "register_letterhead",
    "register_mail",
    "send_mail_later",
]
