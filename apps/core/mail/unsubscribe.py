"""Marketing goes only to those who agreed, and every such message carries a way out."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.models import NotificationPreference
from apps.core.notifications.kinds import Audience, Kind, register_kind
from apps.core.notifications.services import wants_mail

SALT = "mail.unsubscribe"
MARKETING = register_kind(
    Kind(
        "mail.marketing",
        _("News and offers"),
        (Audience.CLIENT, Audience.PARTNER),
        "campaign",
        in_app=False,
        email=False,
    )
)


def may_market_to(user_id: int | None) -> bool:
    """Nobody is written to who did not choose it."""
    return user_id is not None and wants_mail(user_id, MARKETING)


def way_out(user_id: int | None) -> str:
    """The address that ends marketing for this reader, without signing in."""
    token = signing.dumps(user_id, salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('unsubscribe', args=[token])}"


def leave(token: str) -> bool:
    """End marketing for whom the token was made. False for a token that this house did not make."""
    try:
        user_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return False
    NotificationPreference.objects.update_or_create(
        user_id=user_id, kind=MARKETING.code, defaults={"in_app": False, "email": False}
    )
    return True
