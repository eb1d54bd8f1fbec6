"""The e-mail of a notification."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.events import WhenDead, reacts_to
from apps.core.mail.kinds import MailKind, register_mail
from apps.core.mail.sending import mail_user
from apps.core.models import Notification
from apps.core.notifications.events import NotificationMailWanted

EXAMPLE = "https://broker.example/"
NOTIFICATION = register_mail(
    MailKind(
        "core.notification",
        _("A notification by e-mail"),
        {"title": "An approval waits for you", "link": EXAMPLE, "choices": EXAMPLE},
        frozenset({"title"}),
    )
)


@reacts_to(NotificationMailWanted, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_notification(event: NotificationMailWanted) -> None:
    """The notification's own line and where it leads."""
    row = Notification.objects.get(pk=event.notification_id)
    values = {
        "title": row.title,
        "link": settings.PUBLIC_URL + (row.url or reverse("notifications")),
        "choices": settings.PUBLIC_URL + reverse("notifications-choices"),
    }
    mail_user(NOTIFICATION, user_id=event.user_id, values=values)
