"""The inbox page: every queue of every app in one list, with owner, age and deadline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from apps.core import clock
from apps.core.actor import Actor
from apps.core.admin.scope import actor_of
from apps.core.approvals import delegation_give
from apps.core.approvals.people import directory
from apps.core.errors import DomainError
from apps.core.permissions import ASSIGN_WORK, DELEGATE, VIEW_INBOX
from apps.core.work import (
    SEVERITIES,
    Wanted,
    colleagues,
    work_assign,
    work_claim,
    work_for,
    work_release,
    work_snooze,
    work_wake,
)

FILTERS = ("kind", "owner", "severity", "overdue", "resting")


def wanted_of(query: QueryDict, actor: Actor) -> Wanted:
    owner = query.get("owner", "")
    return Wanted(
        kind=query.get("kind", ""),
        owner=actor.id if owner == "me" else owner,
        severity=query.get("severity", ""),
        overdue=query.get("overdue") == "1",
        resting=query.get("resting") == "1",
    )


def _back(query: QueryDict) -> str:
    kept = {name: str(query[name]) for name in FILTERS if query.get(name)}
    return reverse("admin-inbox") + (f"?{urlencode(kept)}" if kept else "")


@require_GET
def inbox_page(request: HttpRequest) -> HttpResponse:
    """What waits in the queues of this person's role."""
    actor = actor_of(request)
    if not actor.allows(VIEW_INBOX):
        raise PermissionDenied
    wanted = wanted_of(request.GET, actor)
    context = {
        **admin.site.each_context(request),
        "title": _("Inbox"),
        "work": work_for(actor, wanted),
        "wanted": wanted,
        "query": request.GET,
        "severities": SEVERITIES,
        "me": actor.id,
        "colleagues": colleagues(actor),
        "may_assign": actor.allows(ASSIGN_WORK),
    }
    return render(request, "admin/inbox.html", context)


class WorkForm(forms.Form):
    """One act on the chosen lines."""

    act = forms.ChoiceField(
        choices=[(act, act) for act in ("claim", "release", "assign", "snooze", "wake")]
    )
    assignee = forms.CharField(required=False, max_length=64)
    hours = forms.IntegerField(required=False, min_value=1, max_value=24 * 30)
    reason = forms.CharField(required=False, max_length=500)


@require_POST
def inbox_act(request: HttpRequest) -> HttpResponse:
    """Claim, give back, give away, rest or wake the chosen lines, each by its service."""
    actor, form = actor_of(request), WorkForm(request.POST)
    if not actor.allows(VIEW_INBOX):
        raise PermissionDenied
    refs = [ref for ref in request.POST.getlist("ref") if ref]
    if not refs or not form.is_valid():
        messages.error(request, _("Choose at least one line and what to do with it."))
        return redirect(_back(request.POST))
    try:
        ACTS[form.cleaned_data["act"]](refs, actor, form.cleaned_data)
    except DomainError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Done."))
    return redirect(_back(request.POST))


def _each(service: Callable[..., Any]) -> Callable[[list[str], Actor, dict[str, Any]], None]:
    def act(refs: list[str], actor: Actor, values: dict[str, Any]) -> None:
        for ref in refs:
            service(ref=ref, actor=actor, reason=values["reason"])

    return act


def _assign(refs: list[str], actor: Actor, values: dict[str, Any]) -> None:
    work_assign(
        refs=refs,
        assignee_id=values["assignee"],
        actor=actor,
        reason=values["reason"] or "given in the inbox",
    )


def _snooze(refs: list[str], actor: Actor, values: dict[str, Any]) -> None:
    until = clock.now() + timedelta(hours=values["hours"] or 0)
    for ref in refs:
        work_snooze(ref=ref, until=until, actor=actor, reason=values["reason"])


ACTS: dict[str, Callable[[list[str], Actor, dict[str, Any]], None]] = {
    "claim": _each(work_claim),
    "release": _each(work_release),
    "wake": _each(work_wake),
    "assign": _assign,
    "snooze": _snooze,
}


class AwayForm(forms.Form):
    """Who stands in, from when and until when."""

    delegate = forms.ChoiceField(label=_("Who stands in"))
    valid_from = forms.DateTimeField(
        label=_("From (UTC)"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    valid_until = forms.DateTimeField(
        label=_("Until (UTC)"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    reason = forms.CharField(label=_("Reason"), min_length=3, max_length=500)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = directory().holders([VIEW_INBOX.code])
        choices = [(person.id, person.label) for person in staff if person.id != actor.id]
        self.fields["delegate"].choices = choices  # type: ignore[attr-defined]


def away_page(request: HttpRequest) -> HttpResponse:
    """Name somebody who decides with one's authority while one is away."""
    actor = actor_of(request)
    if not actor.allows(DELEGATE):
        raise PermissionDenied
    actor.require_fresh(DELEGATE.label)
    form = AwayForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        try:
            delegation_give(
                actor=actor, **_utc(form.cleaned_data), delegate_id=form.cleaned_data["delegate"]
            )
        except DomainError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Done."))
            return redirect("admin:core_delegation_changelist")
    context = {**admin.site.each_context(request), "title": _("While I am away"), "form": form}
    return render(request, "admin/away.html", context, status=422 if form.errors else 200)


def _utc(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("valid_from", "valid_until", "reason")}


def inbox_urls() -> list[URLPattern]:
    view = admin.site.admin_view
    return [
        path("", view(inbox_page), name="admin-inbox"),
        path("away/", view(away_page), name="admin-away"),
        path("act/", view(inbox_act), name="admin-inbox-act"),
    ]
