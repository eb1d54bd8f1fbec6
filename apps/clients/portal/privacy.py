"""The client's own data: what is held and why, a copy of it, its erasure, what was agreed to."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.clients.assessment import assess
from apps.clients.enums import PrivacyRequestKind
from apps.clients.errors import ExportGone
from apps.clients.models import AgreementAcceptance, Client, PrivacyRequest
from apps.clients.portal.access import client_page
from apps.clients.services import erasure_request, export_fetch, export_request
from apps.core.errors import DomainError
from apps.core.privacy.registry import DataClass
from apps.users.selectors import request_actor

ACTS = {"export": export_request, "erase": erasure_request}


@client_page
@require_http_methods(["GET", "POST"])
def privacy(request: HttpRequest, *, client: Client) -> HttpResponse:
    if request.method == "POST":
        return _ask(request, client)
    asked = {
        row.kind: row for row in PrivacyRequest.objects.filter(client=client).order_by("created_at")
    }
    context = {
        "client": client,
        "export": asked.get(PrivacyRequestKind.EXPORT),
        "erasure": asked.get(PrivacyRequestKind.ERASURE),
        "verdicts": [
            {"label": DataClass(verdict.data_class).label, "verdict": verdict}
            for verdict in assess(client)
        ],
        "consents": AgreementAcceptance.objects.filter(client=client).select_related("agreement"),
    }
    return render(request, "clients/portal/privacy.html", context)


def _ask(request: HttpRequest, client: Client) -> HttpResponse:
    act = ACTS.get(request.POST.get("act", ""))
    if act is not None:
        try:
            act(client_id=client.id, actor=request_actor(request), reason=_("asked in the portal"))
        except DomainError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("We have your request and answer within 30 days."))
    return redirect("portal:clients-privacy")


@client_page
@require_POST
def fetch(request: HttpRequest, request_id: UUID, *, client: Client) -> HttpResponse:
    """The archive, once."""
    try:
        content = export_fetch(request_id=request_id, actor=request_actor(request))
    except ExportGone as gone:
        messages.error(request, str(gone))
        return redirect("portal:clients-privacy")
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="my-data-{client.number}.zip"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
