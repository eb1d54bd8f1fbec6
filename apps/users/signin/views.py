"""The doors: sign in with a password or a passkey, the second factor, and the proof before an act with power."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.account.models import Login
from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal import flows as webauthn_flows
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from apps.users.selectors import request_actor
from apps.users.signin.forms import BrakedCodeForm, PasswordProofForm, ProofCodeForm, SignInForm
from apps.users.signin.freshness import PASSKEY, is_recent, stamp_proof
from apps.users.signin.headers import sealed_page
from apps.users.signin.policy import factors_of
from apps.users.signin.services import proof_fail, proof_record
from apps.users.signin.sessions import rotate
from apps.users.signin.step_up import WHY

BACK_OFFICE = "/admin/"


def safe_next(request: HttpRequest) -> str:
    """Where somebody wanted to go, if that is a page of this house."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()})
    return url if ours else ""


@method_decorator(sealed_page, name="dispatch")
class SignInView(LoginView):  # type: ignore[misc]
    """The door of clients and partners; staff who come here are taken to the back office."""

    template_name = "users/sign_in.html"
    form_class = SignInForm
    staff_door = False

    def get_form_class(self) -> type[SignInForm]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "staff_door": self.staff_door}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            staff_door=self.staff_door, next=safe_next(self.request), **kwargs
        )


class StaffSignInView(SignInView):
    """The back office's door. Whoever is not staff is answered as somebody with a wrong password."""

    staff_door = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_staff:  # type: ignore[union-attr]
            return TemplateResponse(request, "users/wrong_door.html")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer


class PasskeySignInView(LoginWebAuthnView):  # type: ignore[misc]
    """A passkey alone: it is two factors in one, and no brake is asked because there is nothing to guess."""

    def form_invalid(self, form: Form) -> HttpResponse:
        messages.error(self.request, _("This passkey does not open any login here."))
        return HttpResponseRedirect(self._door())

    def form_valid(self, form: Form) -> HttpResponse:
        authenticator = form.cleaned_data["credential"]
        if self._is_staff_door() and not authenticator.user.is_staff:
            return self.form_invalid(form)
        login = Login(user=authenticator.user, redirect_url=safe_next(self.request) or None)
        answer: HttpResponse = webauthn_flows.perform_passwordless_login(
            self.request, authenticator, login
        )
        return answer

    def _is_staff_door(self) -> bool:
        return self.request.POST.get("door") == "staff"

    def _door(self) -> str:
        return reverse("admin:login") if self._is_staff_door() else reverse("account_login")


@method_decorator(sealed_page, name="dispatch")
class SecondStepView(AuthenticateView):  # type: ignore[misc]
    """After the password: a code or a passkey."""

    template_name = "users/second_step.html"

    def get_form_class(self) -> type[BrakedCodeForm]:
        return BrakedCodeForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        factors = factors_of(self.stage.login.user)
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"has_passkey": PASSKEY in factors, "has_codes": bool(factors - {PASSKEY})}


@method_decorator([never_cache, login_required, sealed_page], name="dispatch")
@method_decorator(sensitive_post_parameters("password", "code"), name="dispatch")
class StepUpView(View):
    """Prove again who you are: with the strongest thing you have enrolled, then back to where you were.

    A passkey or a code of an authenticator app where there is one, the password only where there is neither.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        allowed = self._methods(request)
        method = request.POST.get("method", "")
        if method not in allowed:
            return self._page(request, status=422)
        form = self._form(method, request)
        if not form.is_valid():
            if method == "passkey":
                actor = request_actor(request)
                proof_fail(user_id=actor.user_id or 0, method=PASSKEY, actor=actor)
                messages.error(request, _("This passkey is not one of yours."))
            return self._page(request, status=422, **{f"{method}_form": form})
        self._accept(request, method, form)
        return HttpResponseRedirect(safe_next(request) or settings.LOGIN_REDIRECT_URL)

    def _methods(self, request: HttpRequest) -> list[str]:
        factors = factors_of(request.user)
        only_passkey = settings.STEP_UP_FACTOR == "passkey" and request.user.is_staff  # type: ignore[union-attr]
        if only_passkey and (PASSKEY in factors or is_recent(request)):
            return ["passkey"] if PASSKEY in factors else []
        methods = ["passkey"] if PASSKEY in factors else []
        if factors - {PASSKEY}:
            methods.append("code")
        return methods or ["password"]

    def _form(self, method: str, request: HttpRequest) -> Any:
        data = request.POST if request.POST.get("method") == method else None
        if method == "passkey":
            return ReauthenticateWebAuthnForm(user=request.user, data=data)
        if method == "code":
            return ProofCodeForm(user=request.user, data=data)
        return PasswordProofForm(data, request=request)

    def _accept(self, request: HttpRequest, method: str, form: Any) -> None:
        if method == "password":
            reauthenticate_by_password(request)
            proof = "password"
        elif method == "passkey":
            form.save()
            proof = PASSKEY
        else:
            form.save()
            proof = form.authenticator.type
        rotate(request)
        stamp_proof(request, proof)
        request.session.pop(WHY, None)
        proof_record(user_id=request.user.pk, method=proof, actor=request_actor(request))  # type: ignore[arg-type]

    def _page(self, request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponse:
        methods = self._methods(request)
        context: dict[str, Any] = {
            "methods": methods,
            "why": request.session.get(WHY, ""),
            "next": safe_next(request),
            "minutes": int(settings.STEP_UP_FRESH_FOR.total_seconds() // 60),
        }
        for method in methods:
            context[f"{method}_form"] = forms.get(f"{method}_form") or self._empty(method, request)
        if "passkey" in methods:
            context["js_data"] = {"request_options": webauthn.begin_authentication(request.user)}
        return TemplateResponse(request, "users/step_up.html", context, status=status)

    def _empty(self, method: str, request: HttpRequest) -> Any:
        if method == "passkey":
            return ReauthenticateWebAuthnForm(user=request.user)
        return (
            ProofCodeForm(user=request.user)
            if method == "code"
            else PasswordProofForm(request=request)
        )
