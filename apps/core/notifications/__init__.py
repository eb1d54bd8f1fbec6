"""In-app notifications: `notify` tells people, inside the transaction of what they are told of.

The row is the truth. What goes over the socket is a hint with the person's next number; a page that missed one
reads again. E-mail for a kind that a person wants by mail goes out through the outbox.
"""

from apps.core.notifications.kinds import KINDS, Audience, Kind, kinds_for, register_kind
from apps.core.notifications.services import (
    notification_read,
    notifications_read_all,
    notify,
    preference_set,
    wants_mail,
)

__all__ = [
    "KINDS",
    "Audience",
    "Kind",
    "kinds_for",
    "notification_read",
    "notifications_read_all",
    "notify",
    "preference_set",
    "register_kind",
    "wants_mail",
]
