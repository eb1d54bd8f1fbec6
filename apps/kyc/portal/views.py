"""The client shows who they are, and sees where that stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.clients.enums import OnboardingState
from apps.clients.models import Client
from apps.clients.portal.access import client_page
from apps.clients.wording import next_step
from apps.core.errors import DomainError, NotVisible
from apps.kyc.enums import CaseState, Evidence
from apps.kyc.errors import UploadRefused
from apps.kyc.models import KycCase
from apps.kyc.portal.forms import UploadForm
from apps.kyc.responses import document_response
from apps.kyc.selectors import case_of_client, evidence_board, takes_uploads
from apps.kyc.services import case_submit, document_open, document_upload
from apps.kyc.vault.inspect import MAX_BYTES
from apps.kyc.wording import client_steps
from apps.users.selectors import request_actor


@client_page
@require_GET
def status(request: HttpRequest, *, client: Client) -> HttpResponse:
    return render(request, "kyc/portal/status.html", _context(request, client))


@client_page
@require_POST
def upload(request: HttpRequest, evidence: str, *, client: Client) -> HttpResponse:
    """Takes one document. With HTMX only the card is answered, otherwise the whole page."""
    if evidence not in Evidence.values:
        raise NotVisible
    form = UploadForm(Evidence(evidence), request.POST, request.FILES)
    if form.is_valid() and _keep(request, client, form):
        if not request.headers.get("HX-Request"):
            messages.success(request, _("Received. Thank you."))
            return redirect("portal:kyc-status")
        return render(request, "kyc/portal/board.html", _context(request, client))
    context = _context(request, client, refused=form)
    template = (
        "kyc/portal/board.html" if request.headers.get("HX-Request") else "kyc/portal/status.html"
    )
    return render(request, template, context, status=422)


def _keep(request: HttpRequest, client: Client, form: UploadForm) -> bool:
    for side, file in form.uploads():
        field = "back" if side == "BACK" else "front"
        try:
            document_upload(
                client_id=client.id,
                side=side,
                content=file.read(MAX_BYTES + 1),
                original_name=file.name or "document",
                actor=request_actor(request),
                **form.description(),
            )
        except DomainError as refused:
            form.add_error(field if isinstance(refused, UploadRefused) else None, str(refused))
            return False
    return True


@client_page
@require_POST
def submit(request: HttpRequest, *, client: Client) -> HttpResponse:
    try:
        case_submit(client_id=client.id, actor=request_actor(request))
    except DomainError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Thank you. We will look at your documents and write to you."))
    return redirect("portal:kyc-status")


@client_page
@require_GET
def document(request: HttpRequest, document_id: UUID, *, client: Client) -> HttpResponse:
    """The client's own file, as it was kept."""
    row, content = document_open(
        document_id=document_id, purpose="own document", actor=request_actor(request)
    )
    return document_response(row, content)


def _context(
    request: HttpRequest, client: Client, *, refused: UploadForm | None = None
) -> dict[str, Any]:
    actor = request_actor(request)
    case = case_of_client(client.id, actor=actor)
    board = evidence_board(case)
    open_now = takes_uploads(case)
    for card in board:
        is_refused = refused is not None and refused.evidence == card["evidence"]
        card["form"] = refused if is_refused else UploadForm(card["evidence"])
        card["asks"] = open_now and card["state"] in ("REQUESTED", "REJECTED")
        card["open"] = open_now and (card["asks"] or is_refused)
    session = getattr(client, "onboarding", None)
    return {
        "client": client,
        "case": case,
        "board": board,
        "next_step": next_step(client),
        "steps": client_steps(case, client),
        "takes_uploads": open_now,
        "answered": session is not None and session.state == OnboardingState.SUBMITTED,
        "complete": all(card["state"] in ("UPLOADED", "ACCEPTED") for card in board),
        "can_submit": open_now and _may_submit(case),
    }


def _may_submit(case: KycCase | None) -> bool:
    return case is not None and case.state in (
        CaseState.IN_PROGRESS,
        CaseState.INFO_REQUESTED,
        CaseState.RESUBMISSION_REQUESTED,
    )
