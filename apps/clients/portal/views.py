"""Registering, confirming, a new password: the pages before somebody is signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.clients.errors import InvalidEmail, InvalidPhone, TokenInvalid, WeakPassword
from apps.clients.models import LegalEntity
from apps.clients.portal.forms import EmailForm, NewPasswordForm, RegisterForm
from apps.clients.selectors import agreements_in_force
from apps.clients.services import (
    client_register,
    email_confirm,
    email_confirmation_resend,
)
from apps.clients.throttle import MAIL_BY_ADDRESS, MAIL_BY_IP, REGISTER_BY_IP
from apps.core.context import current_request
from apps.core.errors import DomainError
from apps.users.selectors import request_actor
from apps.users.signin.services import password_reset, password_reset_request

FIELD_OF = {InvalidEmail: "email", InvalidPhone: "phone", WeakPassword: "password"}
PARTNER_COOKIE = "partner_code"
PUBLIC_DOCUMENTS = ("privacy", "risk-disclosure")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """The same answer for a new address and for one that is known."""
    if request.user.is_authenticated:
        return redirect("portal:dashboard")
    code = request.GET.get("ref", "") or request.COOKIES.get(PARTNER_COOKIE, "")
    form = RegisterForm(request.POST or None, initial={"partner_code": code[:40]})
    if request.method == "POST" and form.is_valid() and _register(request, form):
        request.session["registered_email"] = form.cleaned_data["email"]
        return redirect("portal:clients-check-mail")
    status = 422 if form.errors else 200
    return render(request, "clients/portal/register.html", {"form": form}, status=status)


def _register(request: HttpRequest, form: RegisterForm) -> bool:
    ip = current_request().ip
    if REGISTER_BY_IP.reached(ip):
        form.add_error(None, _("Too many registrations from your network. Please try again later."))
        return False
    REGISTER_BY_IP.count(ip)
    values = {name: value for name, value in form.cleaned_data.items() if name != "read"}
    try:
        client_register(**values, language=request.LANGUAGE_CODE[:8], actor=request_actor(request))
    except DomainError as refused:
        form.add_error(FIELD_OF.get(type(refused)), str(refused))
        return False
    return True


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """What everybody may read before registering: each company's risk warning and privacy notice."""
    companies = [
        {
            "entity": entity,
            "documents": [
                item
                for item in agreements_in_force(entity.pk, language=request.LANGUAGE_CODE)
                if item.code in PUBLIC_DOCUMENTS
            ],
        }
        for entity in LegalEntity.objects.filter(active=True)
    ]
    return render(request, "clients/portal/notices.html", {"companies": companies})


@never_cache
def check_mail(request: HttpRequest) -> HttpResponse:
    email = request.session.get("registered_email", "")
    return render(request, "clients/portal/check_mail.html", {"email": email})


@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """A new link, or silence; the page looks alike."""
    form = EmailForm(request.POST)
    if form.is_valid():
        email = form.cleaned_data["email"]
        if _may_mail(request, email):
            email_confirmation_resend(email=email, actor=request_actor(request))
        request.session["registered_email"] = email
        messages.success(request, _("If this address waits for a link, a new one is on its way."))
    return redirect("portal:clients-check-mail")


@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link shows a button: mail scanners open links as well, and press nothing."""
    if request.method == "POST":
        try:
            email_confirm(token=token, actor=request_actor(request))
        except TokenInvalid as refused:
            return render(
                request,
                "clients/portal/confirm.html",
                {"error": refused, "form": EmailForm()},
                status=refused.status,
            )
        messages.success(request, _("Your address is confirmed. Sign in to go on."))
        return redirect("portal:login")
    return render(request, "clients/portal/confirm.html", {})


@never_cache
@require_http_methods(["GET", "POST"])
def password_forgotten(request: HttpRequest) -> HttpResponse:
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if _may_mail(request, email):
            password_reset_request(email=email, actor=request_actor(request))
        return render(request, "clients/portal/password_sent.html", {"email": email})
    return render(request, "clients/portal/password_forgotten.html", {"form": form})


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def password_set(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            password_reset(
                uid=uid,
                token=token,
                password=form.cleaned_data["password"],
                actor=request_actor(request),
            )
        except DomainError as refused:
            form.add_error(FIELD_OF.get(type(refused)), str(refused))
        else:
            messages.success(request, _("Your password is changed. Sign in with the new one."))
            return redirect("portal:login")
    status = 422 if form.errors else 200
    response = render(request, "clients/portal/password_set.html", {"form": form}, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _may_mail(request: HttpRequest, email: str) -> bool:
    """Nobody's mailbox is filled by somebody else."""
    ip = current_request().ip
    if MAIL_BY_ADDRESS.reached(email) or MAIL_BY_IP.reached(ip):
        return False
    MAIL_BY_ADDRESS.count(email)
    MAIL_BY_IP.count(ip)
    return True
