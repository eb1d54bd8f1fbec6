"""Telling people, and what they do with what they were told."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import translation

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Notification, NotificationPreference
from apps.core.notifications.events import NotificationMailWanted
from apps.core.notifications.kinds import KINDS, Kind

log = logging.getLogger(__name__)

TITLE_LENGTH = Notification._meta.get_field("title").max_length or 200


def notify(
    *,
    user_ids: Iterable[int],
    kind: str | Kind,
    title: Any,
    url: str = "",
    actor: Actor,
    key: str = "",
) -> list[Notification]:
    """Tell each of these people one thing, in the transaction of what it tells of; raises outside of one.

    `title` may be a lazy text: each person reads it in their own language. It names things by number, never by
    personal data. `url` is a path inside the house, whose page checks for itself who may see it. With a `key`
    the same thing is told once per person, however often it is called. People who left are not told, nor is
    the person who acts.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("people are notified inside a command")
    known = KINDS[kind.code if isinstance(kind, Kind) else kind]
    wanted = sorted({int(user_id) for user_id in user_ids} - {actor.user_id})
    readers = list(
        get_user_model()._default_manager.filter(pk__in=wanted, is_active=True).order_by("pk")
    )
    choices = _choices(known, [reader.pk for reader in readers])
    told = []
    for reader in readers:
        in_app, email = choices.get(reader.pk, (known.in_app, known.email))
        if not (in_app or email):
            continue
        row = _write(reader, known, title, url, key, in_app=in_app)
        if row is None:
            continue
        told.append(row)
        if email and known.mailed:
            emit(NotificationMailWanted(user_id=reader.pk, notification_id=row.pk))
        if in_app:
            transaction.on_commit(partial(hint, row.user_id, row.seq), robust=True)
    return told


def _choices(kind: Kind, user_ids: list[int]) -> dict[int, tuple[bool, bool]]:
    if kind.required:
        return {}
    rows = NotificationPreference.objects.filter(kind=kind.code, user_id__in=user_ids)
    return {row.user_id: (row.in_app, row.email) for row in rows}


def _write(
    reader: Any, kind: Kind, title: Any, url: str, key: str, *, in_app: bool
) -> Notification | None:
    """The row with the reader's next number; None when it was told before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_notificationbox (user_id, last_seq) VALUES (%s, 1) "
            "ON CONFLICT (user_id) DO UPDATE SET last_seq = core_notificationbox.last_seq + 1 "
            "RETURNING last_seq",
            [reader.pk],
        )
        (seq,) = cursor.fetchone()
    known = Notification.objects.filter(user_id=reader.pk, kind=kind.code, key=key)
    if key and known.exists():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_notificationbox SET last_seq = last_seq - 1 WHERE user_id = %s",
                [reader.pk],
            )
        return None
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        text = str(title)[:TITLE_LENGTH]
    return Notification.objects.create(
        user_id=reader.pk,
        seq=seq,
        kind=kind.code,
        key=key,
        title=text,
        url=url,
        in_app=in_app,
        created_at=clock.now(),
    )


def group_of(user_id: int) -> str:
    """The channel group of one person's pages."""
    return f"notifications.{user_id}"


def hint(user_id: int, seq: int) -> None:
    """Say that there is something to read. May be lost: whoever missed it reads again at the next number."""
    try:
        layer = get_channel_layer()
        async_to_sync(layer.group_send)(
            group_of(user_id), {"type": "notification.hint", "seq": seq}
        )
    except Exception:
        log.warning("a notification's hint was lost", exc_info=True)


@command
def notification_read(*, notification_id: int, actor: Actor) -> Notification:
    """The reader has seen it; seeing it twice changes nothing. Raises `NotVisible`."""
    row: Notification = lock_row(Notification.objects.all(), notification_id, visible_to=actor)
    if row.read_at is None:
        row.read_at = clock.now()
        row.save(update_fields=["read_at"])
        _hint_later(actor, row.seq)
    return row


@command
def notifications_read_all(*, actor: Actor, up_to: int | None = None) -> int:
    """Everything unread is read now; with `up_to`, only up to that number, so nothing newer is lost unseen."""
    unread = Notification.objects.visible_to(actor).unread()
    if up_to is not None:
        unread = unread.filter(seq__lte=up_to)
    changed = unread.update(read_at=clock.now())
    if changed:
        _hint_later(actor, 0)
    return int(changed)


def _hint_later(actor: Actor, seq: int) -> None:
    if actor.user_id is not None:
        transaction.on_commit(partial(hint, actor.user_id, seq), robust=True)


@command
def preference_set(*, kind: str, in_app: bool, email: bool, actor: Actor) -> NotificationPreference:
    """A person's own choice for one kind. Raises `InvalidInput` for a kind without choice."""
    known = KINDS.get(kind)
    if known is None or known.required or actor.user_id is None:
        raise InvalidInput(field="kind", problem="there is no choice for this")
    row, _made = NotificationPreference.objects.update_or_create(
        user_id=actor.user_id,
        kind=known.code,
        defaults={"in_app": in_app, "email": email and known.mailed},
    )
    return row


def wants_mail(user_id: int, kind: str | Kind) -> bool:
    """Whether this person wants this kind by e-mail."""
    known = KINDS[kind.code if isinstance(kind, Kind) else kind]
    _in_app, email = _choices(known, [user_id]).get(user_id, (known.in_app, known.email))
    return known.mailed and email
