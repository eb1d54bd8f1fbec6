"""What the client sees of the relationship itself: profile and agreements."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.clients.models import AgreementAcceptance, Client
from apps.clients.portal.access import client_page
from apps.clients.selectors import agreements_of, client_restrictions
from apps.clients.services import agreement_accept
from apps.clients.wording import next_step, restriction_notices
from apps.users.selectors import request_actor


@client_page
@require_GET
def profile(request: HttpRequest, *, client: Client) -> HttpResponse:
    context = {
        "client": client,
        "person": client.person,
        "next_step": next_step(client),
        "notices": restriction_notices(client_restrictions(client.id)),
    }
    return render(request, "clients/portal/profile.html", context)


@client_page
@require_GET
def agreements(request: HttpRequest, *, client: Client) -> HttpResponse:
    """What is in force, and everything that was accepted before."""
    in_force = agreements_of(client)
    earlier = (
        AgreementAcceptance.objects.filter(client=client)
        .exclude(agreement_id__in=[item.id for item in in_force])
        .select_related("agreement")
    )
    context = {"client": client, "agreements": in_force, "earlier": earlier}
    return render(request, "clients/portal/agreements.html", context)


@client_page
@require_http_methods(["GET", "POST"])
def agreement(request: HttpRequest, agreement_id: UUID, *, client: Client) -> HttpResponse:
    """The full text; accepted here when it is new."""
    if request.method == "POST":
        agreement_accept(
            client_id=client.id, agreement_id=agreement_id, actor=request_actor(request)
        )
        messages.success(request, _("Accepted."))
        return redirect("portal:clients-agreements")
    readable = {item.id: item for item in agreements_of(client)}
    for acceptance in client.acceptances.select_related("agreement"):
        readable.setdefault(acceptance.agreement_id, acceptance.agreement)
    document = readable.get(agreement_id)
    if document is None:
        raise Http404
    accepted = client.acceptances.filter(agreement_id=agreement_id).first()
    return render(
        request,
        "clients/portal/agreement.html",
        {"client": client, "agreement": document, "acceptance": accepted},
    )
