"""The security page of everybody: password, second factors, devices and sessions, recent sign-ins."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.core.errors import DomainError, StepUpRequired
from apps.core.models import AuditRecord
from apps.users.models import User
from apps.users.selectors import request_actor
from apps.users.services.sessions import session_end, sessions_end
from apps.users.signin.credentials import credentials_touch
from apps.users.signin.errors import WeakPassword, WrongPassword
from apps.users.signin.forms import PasswordChangeForm
from apps.users.signin.freshness import is_recent
from apps.users.signin.headers import sealed_page
from apps.users.signin.policy import CHECKED, FACTORS, factor_wanted, must_enrol, passkey_wanted
from apps.users.signin.services import password_change
from apps.users.signin.sessions import carry_over

RECENT = 15
SHOWN = (
    "login.sign_in",
    "login.failure",
    "login.lockout",
    "login.step_up",
    "login.sign_out",
    "login.password_changed",
    "login.password_reset",
    "login.password_set",
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The frame that this person's pages have: the back office's, the partner's or the portal's."""
    if request.user.is_staff:  # type: ignore[union-attr]
        return {**admin.site.each_context(request), "frame": "users/frame_staff.html"}
    actor = request_actor(request)
    partner = bool(actor.partner_ids) and not actor.client_ids
    return {"frame": "partner/base.html" if partner else "portal/base.html"}


def own(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


@never_cache
@login_required
def security(request: HttpRequest) -> HttpResponse:
    user = own(request)
    keys = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    kinds = {key.type for key in keys}
    trail = AuditRecord.objects.filter(
        subject_type=User._meta.label, subject_id=str(user.pk), action__in=SHOWN
    )
    context = {
        **frame(request),
        "title": _("Security"),
        "totp": next((key for key in keys if key.type == Authenticator.Type.TOTP), None),
        "passkeys": [key for key in keys if key.type == Authenticator.Type.WEBAUTHN],
        "codes_left": next(
            (len(k.wrap().get_unused_codes()) for k in keys if k.type == "recovery_codes"), None
        ),
        "has_factor": not kinds.isdisjoint(FACTORS),
        "must_enrol": must_enrol(request),
        "factor_wanted": factor_wanted(user),
        "passkey_wanted": passkey_wanted(user),
        "enforced": settings.SECOND_FACTOR_ENFORCED,
        "sessions": UserSession.objects.filter(user=user).order_by("-last_seen_at"),
        "current_key": request.session.session_key,
        "trail": trail[:RECENT],
    }
    return TemplateResponse(request, "users/security.html", context)


@never_cache
@sensitive_post_parameters("old", "new")
@login_required
@sealed_page
def change_password(request: HttpRequest) -> HttpResponse:
    actor = request_actor(request)
    if not is_recent(request):
        raise StepUpRequired(permission=_("Change the password"))
    form = PasswordChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "keep": request.session.session_key or ""}
        try:
            password_change(user_id=own(request).pk, actor=actor, **values)
        except (WrongPassword, WeakPassword) as refused:
            form.add_error("old" if isinstance(refused, WrongPassword) else "new", str(refused))
        else:
            carry_over(request)
            messages.success(request, _("Your password is changed. Every other session has ended."))
            return redirect("mfa_index")
    status = 422 if form.errors else 200
    return TemplateResponse(request, "users/password_change.html", {"form": form}, status=status)


@require_POST
@login_required
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one device's session, or all but this one."""
    actor, user = request_actor(request), own(request)
    chosen = request.POST.get("session", "")
    if chosen == "others":
        sessions_end(
            user_id=user.pk,
            actor=actor,
            reason="by its owner",
            keep=request.session.session_key or "",
        )
        carry_over(request)
        messages.success(request, _("Every other session has ended."))
        return redirect("mfa_index")
    try:
        session_end(
            user_id=user.pk,
            session_id=int(chosen) if chosen.isdigit() else 0,
            actor=actor,
            reason="by its owner",
        )
    except DomainError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("This session has ended."))
    return redirect("mfa_index")


class Recorded:
    """A change of second factors and what is kept of it, in one transaction."""

    request: HttpRequest
    what = ""

    def form_valid(self, form: Form) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            credentials_touch(
                user=own(self.request), what=self.what, actor=request_actor(self.request)
            )
        self.request.session.pop(CHECKED, None)
        return answer


@method_decorator([never_cache, sealed_page], name="dispatch")
class AddAuthenticator(Recorded, ActivateTOTPView):  # type: ignore[misc]
    template_name = "users/authenticator_add.html"
    what = "totp_added"


@method_decorator([never_cache, sealed_page], name="dispatch")
class RemoveAuthenticator(Recorded, DeactivateTOTPView):  # type: ignore[misc]
    template_name = "users/factor_remove.html"
    what = "totp_removed"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "name": _("Authenticator app")}


@method_decorator([never_cache, sealed_page], name="dispatch")
class RecoveryCodes(ViewRecoveryCodesView):  # type: ignore[misc]
    template_name = "users/recovery_codes.html"


@method_decorator([never_cache, sealed_page], name="dispatch")
class NewRecoveryCodes(Recorded, GenerateRecoveryCodesView):  # type: ignore[misc]
    template_name = "users/recovery_codes_new.html"
    what = "recovery_codes_renewed"


@method_decorator(never_cache, name="dispatch")
class DownloadRecoveryCodes(DownloadRecoveryCodesView):  # type: ignore[misc]
    template_name = "users/recovery_codes.txt"


@method_decorator([never_cache, sealed_page], name="dispatch")
class AddPasskey(Recorded, AddWebAuthnView):  # type: ignore[misc]
    template_name = "users/passkey_add.html"
    what = "webauthn_added"


@method_decorator([never_cache, sealed_page], name="dispatch")
class RenamePasskey(EditWebAuthnView):  # type: ignore[misc]
    template_name = "users/passkey_rename.html"
    success_url = reverse_lazy("mfa_index")


@method_decorator([never_cache, sealed_page], name="dispatch")
class RemovePasskey(Recorded, RemoveWebAuthnView):  # type: ignore[misc]
    template_name = "users/factor_remove.html"
    success_url = reverse_lazy("mfa_index")
    what = "webauthn_removed"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "name": self.object.wrap().name}
