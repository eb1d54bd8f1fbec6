"""The questions, one step a page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.clients.enums import Lifecycle, OnboardingState
from apps.clients.errors import OnboardingInvalid, StepUnknown
from apps.clients.models import Client, OnboardingSession
from apps.clients.onboarding.schema import Step
from apps.clients.portal.access import client_page
from apps.clients.portal.forms import StepForm, given
from apps.clients.selectors import agreements_of, onboarding_progress, onboarding_steps
from apps.clients.services import (
    onboarding_step_save,
    onboarding_submit,
    onboarding_trouble_note,
)
from apps.clients.summary import answers_in_words
from apps.core.errors import DomainError
from apps.users.selectors import request_actor


@client_page
def application(request: HttpRequest, *, client: Client) -> HttpResponse:
    """Where the client stands: the open step, the summary, or what happens next."""
    session = OnboardingSession.objects.filter(client=client).first()
    if session is None or session.state == OnboardingState.SUBMITTED:
        return render(
            request,
            "clients/portal/application_done.html",
            {
                "client": client,
                "session": session,
                "summary": answers_in_words(session, tests=False) if session else [],
            },
        )
    if client.lifecycle != Lifecycle.ONBOARDING:
        return redirect("portal:clients-profile")
    following = onboarding_progress(session)["next"]
    if following is None:
        return redirect("portal:clients-onboarding-review")
    return redirect("portal:clients-onboarding-step", step=following.code)


@client_page
@require_http_methods(["GET", "POST"])
def step_page(request: HttpRequest, step: str, *, client: Client) -> HttpResponse:
    session, current = _open_step(client, step)
    if session is None or current is None:
        return redirect("portal:clients-onboarding")
    if request.method != "POST":
        return _step_response(request, client, session, current, session.answers)
    values = _values(client, current, request)
    try:
        onboarding_step_save(
            client_id=client.id, step=step, answers=values, actor=request_actor(request)
        )
    except OnboardingInvalid as refused:
        errors = refused.values["errors"]
        _note_trouble(request, client, current, errors)
        return _step_response(request, client, session, current, values, errors)
    except DomainError as refused:
        messages.error(request, str(refused))
    return redirect("portal:clients-onboarding")


@client_page
@require_POST
def step_fields(request: HttpRequest, step: str, *, client: Client) -> HttpResponse:
    """The step's questions as the answers so far ask for them; nothing is judged or kept."""
    session, current = _open_step(client, step)
    if session is None or current is None:
        return HttpResponse(status=204)
    known = {**session.answers, **given(current, request.POST)}
    form = StepForm(current, country=client.country, values=known)
    return render(request, "clients/portal/step_fields.html", {"form": form, "step": current})


@client_page
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, *, client: Client) -> HttpResponse:
    """Everything once more before it is handed in."""
    session = OnboardingSession.objects.filter(client=client, state=OnboardingState.OPEN).first()
    if session is None or onboarding_progress(session)["next"] is not None:
        return redirect("portal:clients-onboarding")
    if request.method == "POST":
        try:
            onboarding_submit(client_id=client.id, actor=request_actor(request))
        except DomainError as refused:
            messages.error(request, str(refused))
            return redirect("portal:clients-onboarding")
        messages.success(request, _("Thank you. Now show us who you are."))
        return redirect("portal:kyc-status")
    context = {
        "progress": _stepper(session, ""),
        "summary": answers_in_words(session, tests=False),
        "client": client,
    }
    return render(request, "clients/portal/review.html", context)


def _open_step(client: Client, code: str) -> tuple[OnboardingSession | None, Step | None]:
    """The step if it may be answered now: done, or the first that is open."""
    session = (
        OnboardingSession.objects.filter(client=client, state=OnboardingState.OPEN)
        .select_related("client")
        .first()
    )
    if session is None or client.lifecycle != Lifecycle.ONBOARDING:
        return None, None
    for step in onboarding_steps(session):
        if step.code == code:
            locked = step.kind == "test" and code in session.completed_steps
            return session, None if locked else step
        if step.code not in session.completed_steps:
            break
    return session, None


def _values(client: Client, step: Step, request: HttpRequest) -> dict[str, Any]:
    if step.kind == "agreements":
        return {code: request.POST.get(code, "") for code in step.agreements}
    return given(step, request.POST)


def _step_response(
    request: HttpRequest,
    client: Client,
    session: OnboardingSession,
    step: Step,
    values: dict[str, Any],
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    known = {**session.answers, **_prefilled(client, session), **values}
    context: dict[str, Any] = {
        "client": client,
        "step": step,
        "progress": _stepper(session, step.code),
        "errors": errors or {},
        "previous": _previous(session, step),
    }
    if step.kind == "agreements":
        documents = {item.code: item for item in agreements_of(client)}
        context["documents"] = [
            {"agreement": documents[code], "error": (errors or {}).get(code, "")}
            for code in step.agreements
            if code in documents
        ]
        template = "clients/portal/step_agreements.html"
    else:
        context["form"] = StepForm(step, country=client.country, values=known, errors=errors)
        template = "clients/portal/step.html"
    return render(request, template, context, status=422 if errors else 200)


def _prefilled(client: Client, session: OnboardingSession) -> dict[str, Any]:
    """What registration told already is not asked from an empty field."""
    person = client.person
    known = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        "tax_residence": client.country,
    }
    return {name: value for name, value in known.items() if name not in session.answers}


def _note_trouble(request: HttpRequest, client: Client, step: Step, errors: dict[str, str]) -> None:
    try:
        onboarding_trouble_note(
            client_id=client.id,
            step=step.code,
            problem=", ".join(sorted(errors)),
            actor=request_actor(request),
        )
    except (DomainError, StepUnknown):
        return


def _stepper(session: OnboardingSession, current: str) -> dict[str, Any]:
    progress = onboarding_progress(session)
    for step in progress["steps"]:
        step["state"] = "current" if step["code"] == current else "done" if step["done"] else "next"
        step["title"] = _(step["title"])
    progress["position"] = next(
        (n for n, step in enumerate(progress["steps"], 1) if step["code"] == current),
        progress["total"],
    )
    return progress


def _previous(session: OnboardingSession, step: Step) -> str:
    codes = [
        item.code
        for item in onboarding_steps(session)
        if item.kind != "test" or item.code not in session.completed_steps
    ]
    position = codes.index(step.code) if step.code in codes else 0
    return codes[position - 1] if position else ""
