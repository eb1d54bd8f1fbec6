"""The link that a newcomer gets by mail."""

from __future__ import annotations

from apps.core.events import reacts_to
from apps.core.mail import send_mail_later
from apps.users.events import StaffInvited
from apps.users.models import User
from apps.users.services.staff import welcome_link


@reacts_to(StaffInvited, atomic=False)
def mail_welcome(event: StaffInvited) -> None:
    """Whoever was cut off meanwhile is not written to."""
    user = User.objects.filter(pk=event.user_id, is_active=True, is_staff=True).first()
    if user is None:
        return
    uid, token = welcome_link(user)
    send_mail_later(
        to=user.email,
        template="users/mail/welcome",
        context={"user": user, "uid": uid, "token": token},
        language=user.language,
    )
