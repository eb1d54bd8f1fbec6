"""Forms of the doors: sign in, a second factor, and the proof before an act with money or power."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis.exceptions import RedisError

from apps.core.context import current_request
from apps.users.selectors import request_actor, sign_in_barred
from apps.users.signin.brake import Kind, waits
from apps.users.signin.services import proof_fail, sign_in_fail


def too_many(wait: timedelta) -> ValidationError:
    """The same sentence whether the address exists or not."""
    minutes = math.ceil(wait.total_seconds() / 60)
    return ValidationError(
        _("Too many tries. Wait %(minutes)s min, choose a new password, or sign in with a passkey.")
        % {"minutes": minutes},
        code="too_many",
    )


class SignInForm(LoginForm):  # type: ignore[misc]
    """E-mail and password. `staff_door` lets only staff in, and answers everybody else as a wrong password."""

    def __init__(self, *args: Any, staff_door: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staff_door = staff_door
        login, password = self.fields["login"], self.fields["password"]
        login.label = gettext_lazy("E-mail")
        login.widget = forms.EmailInput(
            attrs={"autocomplete": "username webauthn", "autocapitalize": "none", "autofocus": True}
        )
        password.help_text = ""
        password.max_length = 1000
        password.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})

    def add_prefix(self, field_name: str) -> str:
        """The control is called `username`, as keepers of passwords expect."""
        return "username" if field_name == "login" else super().add_prefix(field_name)

    def clean(self) -> dict[str, Any]:
        email, address = self.cleaned_data.get("login", ""), self._address()
        wait = waits((Kind.ACCOUNT, email), (Kind.ADDRESS, address))
        if wait:
            raise too_many(wait)
        try:
            cleaned: dict[str, Any] = super().clean()
            if self.user is not None and self.staff_door and not self.user.is_staff:
                raise self._mismatch()
        except ValidationError:
            sign_in_fail(email=email, ip=address, actor=request_actor(self.request))
            raise
        if self.user is not None and (said := sign_in_barred(self.user)):
            raise ValidationError(said, code="barred")
        return cleaned

    def _address(self) -> str:
        return current_request().ip

    def _mismatch(self) -> ValidationError:
        return ValidationError(
            _("Please enter a correct e-mail and password."), code="email_password_mismatch"
        )


class BrakedCodeForm(BaseAuthenticateForm):  # type: ignore[misc]
    """A code of the authenticator app or a recovery code; guessing is slowed down like a password."""

    again = False
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy(
            "Six digits of your authenticator app, or one of your recovery codes."
        ),
        max_length=32,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        wait = waits((Kind.PROOF, f"user:{self.user.pk}"))
        if wait:
            raise too_many(wait)
        try:
            return str(super().clean_code())
        except RedisError as down:
            raise ValidationError(
                _("Codes cannot be checked at this moment. Use a passkey or try again shortly.")
            ) from down
        except ValidationError:
            proof_fail(user_id=self.user.pk, method="code", actor=request_actor(context.request))
            raise

    def save(self) -> None:
        post_authentication(context.request, self.authenticator, reauthenticated=self.again)


class ProofCodeForm(BrakedCodeForm):
    """The same code, of somebody who is signed in already."""

    again = True


class PasswordProofForm(forms.Form):
    """The password once more, for those who have nothing stronger."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        user = self.request.user
        wait = waits((Kind.PROOF, f"user:{user.pk}"))
        if wait:
            raise too_many(wait)
        password: str = self.cleaned_data["password"]
        if not user.check_password(password):
            proof_fail(user_id=user.pk, method="password", actor=request_actor(self.request))
            raise ValidationError(_("This password is not right."), code="wrong")
        return password


class PasswordChangeForm(forms.Form):
    old = forms.CharField(
        label=gettext_lazy("Present password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("Twelve characters or more; a sentence is easy to remember."),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
