"""What a person reads of their notifications."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from apps.core.actor import Actor
from apps.core.models import Notification, NotificationBox, NotificationPreference
from apps.core.notifications.kinds import Audience, Kind, kinds_for

MOST_COUNTED = 99
LATEST = 8


@dataclass(frozen=True, slots=True)
class Bell:
    seq: int
    unread: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the page of choices."""

    kind: Kind
    in_app: bool
    email: bool


def bell_of(user_id: int) -> Bell | None:
    """The newest number and how many are unread, counted no further than people read; None for who left."""
    if not get_user_model()._default_manager.filter(pk=user_id, is_active=True).exists():
        return None
    seq = NotificationBox.objects.filter(pk=user_id).values_list("last_seq", flat=True).first()
    unread = Notification.objects.filter(user_id=user_id).unread()[: MOST_COUNTED + 1].count()
    return Bell(seq or 0, unread)


def notification_list(
    actor: Actor, *, kind: str = "", unread: bool = False
) -> QuerySet[Notification]:
    """The reader's own, newest first."""
    rows = Notification.objects.visible_to(actor).shown()
    if kind:
        rows = rows.filter(kind=kind)
    if unread:
        rows = rows.unread()
    return rows.order_by("-id")  # type: ignore[no-any-return]


def choices_of(actor: Actor) -> list[Choice]:
    """Every kind that can concern this person, with what holds now."""
    rows = {r.kind: r for r in NotificationPreference.objects.visible_to(actor)}
    found = []
    for kind in kinds_for(*audiences_of(actor)):
        row = None if kind.required else rows.get(kind.code)
        in_app, email = (row.in_app, row.email) if row else (kind.in_app, kind.email)
        found.append(Choice(kind, in_app, email))
    return found


def audiences_of(actor: Actor) -> list[Audience]:
    """A login may be client and partner at once; staff are staff alone."""
    if actor.kind == "STAFF":
        return [Audience.STAFF]
    held = [(Audience.CLIENT, actor.client_ids), (Audience.PARTNER, actor.partner_ids)]
    return [audience for audience, ids in held if ids]
