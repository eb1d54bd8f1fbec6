"""How allauth speaks with this house: its mails, its registering and its address book are switched off."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.users.signin.freshness import is_fresh


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

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A session that is fresh for money is fresh for its own second factors."""
        return not is_fresh(self.request)


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
