"""How allauth speaks with this house: its mails, its registering and its address book are switched off."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import secrets
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_request
from apps.users.gates import note_network_refusal
from apps.users.selectors import actor_for, network_refuses, sign_in_barred
from apps.users.signin.freshness import is_recent, last_proof
from apps.users.signin.policy import factor_wanted, factors_of
from apps.users.signin.services import sign_in_record

DEVICE_COOKIE = "device"
DEVICE_REMEMBERED = 400 * 24 * 60 * 60


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("Please enter a correct e-mail and password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Registering is the product's own and nobody else's."""
        return False

    def get_login_stages(self) -> list[str]:
        """After the password the second factor, and nothing that mails."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail leaves through the outbox of this house alone."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """As `send_mail`."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """The brake of this house stands before the form."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address that every other rule of this house goes by."""
        return current_request().ip or "0.0.0.0"  # noqa: S104

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where this person belongs, as the app above the doors says."""
        request.actor = actor_for(request.user, request)  # type: ignore[attr-defined]
        return str(import_string(settings.SIGN_IN_HOME)(request))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """One page asks for the strongest proof that somebody has."""
        if not user.is_authenticated:
            return []
        url = reverse("account_reauthenticate")
        return [{"id": "step_up", "description": "", "url": url}]

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Also a passkey opens no login that is closed, and none from where its role may not be used."""
        said = sign_in_barred(user) if user.is_active else _("This login is closed at the moment.")
        if not said and user.is_staff and network_refuses(user.pk, current_request().ip):
            said = note_network_refusal(request, user)
        if not said:
            return None
        clear_login(request)
        messages.error(request, str(said))
        return HttpResponseRedirect(reverse("account_login"))

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if response.headers.get("Location", "").startswith("/admin/") and not user.is_staff:
            response = HttpResponseRedirect(self.get_login_redirect_url(request))
        key = request.get_signed_cookie(DEVICE_COOKIE, default="", salt=DEVICE_COOKIE)
        key = key or secrets.token_urlsafe(24)
        sign_in_record(
            user_id=user.pk,
            method=last_proof(request),
            device_key=key,
            description=request.META.get("HTTP_USER_AGENT", ""),
        )
        response.set_signed_cookie(
            DEVICE_COOKIE,
            key,
            salt=DEVICE_COOKIE,
            max_age=DEVICE_REMEMBERED,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        if not settings.SECOND_FACTOR_ENFORCED and factor_wanted(user) and not factors_of(user):
            messages.warning(
                request,
                _(
                    "This demo lets you in with a password alone. A real installation would first ask you"
                    " to add a second factor; try it on your security page."
                ),
            )
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A recent proof of any kind: whoever must use a passkey has to be able to add the first one."""
        return not is_recent(self.request)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is not right, or it was used already."),
    }

    def build_totp_svg(self, url: str) -> str:
        out = io.BytesIO()
        segno.make(url, error="m").save(
            out, kind="svg", border=2, scale=5, dark="#000", light="#fff"
        )
        return out.getvalue().decode()

    def encrypt(self, text: str) -> str:
        """AES-256-GCM, so that a copy of the database opens no second factor."""
        nonce = os.urandom(12)
        sealed = AESGCM(_key()).encrypt(nonce, text.encode(), b"second-factor")
        return "v1:" + base64.b64encode(nonce + sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        raw = base64.b64decode(encrypted_text.removeprefix("v1:"))
        return AESGCM(_key()).decrypt(raw[:12], raw[12:], b"second-factor").decode()


def _key() -> bytes:
    return hashlib.sha256(b"second-factor:" + settings.SECRET_KEY.encode()).digest()
