"""The end of a login whose owner was erased: the row stays, because the trail points to it, and says nothing."""

from __future__ import annotations

from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import F

from apps.users.models import KnownDevice, User

NOWHERE = "erased.invalid"


def login_forget(user_id: int) -> bool:
    """Empty a login and end what it opened. Staff's are never emptied this way. Harmless when repeated."""
    user = User.objects.filter(pk=user_id, is_staff=False).first()
    if user is None or user.email.endswith(f"@{NOWHERE}"):
        return False
    nobody = {"email": f"erased-{user_id}@{NOWHERE}", "name": ""}
    User.history.filter(id=user_id).update(**nobody)
    User.objects.filter(pk=user_id).update(
        **nobody,
        password=make_password(None),
        is_active=False,
        session_epoch=F("session_epoch") + 1,
    )
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for session in UserSession.objects.filter(user_id=user_id):
        store.delete(session.session_key)
    for rows in (UserSession, EmailAddress, Authenticator, KnownDevice):
        rows.objects.filter(user_id=user_id).delete()
    return True
