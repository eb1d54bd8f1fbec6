"""The front door, signing in, the client's overview, and the demo's mailbox."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.core.models import Mail
from apps.portal.navigation import address
from apps.portal.people import DEMO_PEOPLE
from apps.users.selectors import request_actor
from apps.users.signin.views import SignInView

SEARCHED_MAILS = 2000
MAILS_PER_PAGE = 30


def home_of(request: HttpRequest) -> str:
    """Where somebody who has just signed in belongs."""
    actor = request_actor(request)
    if request.user.is_staff:  # type: ignore[union-attr]
        return reverse("admin:index")
    if actor.partner_ids and not actor.client_ids:
        return address("partner:dashboard", "partner:home") or reverse("landing")
    return reverse("portal:dashboard")


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Takes everybody where they belong."""
    return redirect(home_of(request))


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Who are you? The doors that this installation has."""
    context: dict[str, Any] = {
        "portal_url": reverse("portal:dashboard"),
        "register_url": address("portal:clients-register"),
        "partner_url": address("partner:dashboard", "partner:home"),
        "admin_url": reverse("admin:index"),
        "docs_url": reverse("api-docs"),
        "mailbox_url": address("mailbox-list"),
        "people": DEMO_PEOPLE if settings.DEMO else (),
    }
    return render(request, "portal/landing.html", context)


@login_required
@require_GET
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API's description for integrators, drawn from the OpenAPI document of this very installation."""
    return render(request, "portal/api_docs.html", {"schema_url": reverse("schema")})


class SignIn(SignInView):
    """One sign-in for clients and partners, with the ways to an account and to a new password."""


class SignOut(LogoutView):
    """Ends the session; only by POST, so that no link on another page can do it."""

    next_page = "/"


@never_cache
@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """What the system has mailed, newest first. Exists only in the demo, where nothing leaves the machine."""
    text = request.GET.get("q", "").strip()
    mails: Any = Mail.objects.all()
    if text:
        mails = [mail for mail in mails[:SEARCHED_MAILS] if text.lower() in str(mail).lower()]
    page = Paginator(mails, MAILS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/mailbox.html", {"page": page, "text": text})


@never_cache
@require_GET
def mailbox_message(request: HttpRequest, mail_id: int) -> HttpResponse:
    """One message, with its links to follow."""
    mail = get_object_or_404(Mail, pk=mail_id)
    return render(request, "portal/mailbox_message.html", {"mail": mail})
