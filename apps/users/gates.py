"""What stands before each page of staff: the network they come from, and whether they look as somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.context import current_request, set_request
from apps.core.errors import DomainError, ReadOnly
from apps.core.querysets import clients_in_scope
from apps.users.errors import NetworkNotAllowed
from apps.users.models import Impersonation, PermissionUse, User
from apps.users.permissions import IMPERSONATE
from apps.users.selectors import actor_for, impersonating_actor, network_refuses

GetResponse = Callable[[HttpRequest], HttpResponseBase]
LOOK = "impersonation"
NETWORK_SEEN = "network_seen"
NETWORK_AGAIN_SECONDS = 60
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_PAGES = ("/admin/", "/account/", "/static/", "/notifications/")
"""Pages on which a member of staff stays who they are, also while looking as a client elsewhere."""


class NetworkMiddleware:
    """Ends the session of a member of staff who comes from where their role may not be used, and writes it down.

    Asked again when the address changes, and every minute.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if getattr(request.user, "is_staff", False) and self._is_refused(request):
            return self._refuse(request)
        return self.get_response(request)

    def _is_refused(self, request: HttpRequest) -> bool:
        address = current_request().ip
        seen = f"{address}|{int(clock.now().timestamp()) // NETWORK_AGAIN_SECONDS}"
        if request.session.get(NETWORK_SEEN) == seen:
            return False
        if network_refuses(int(request.user.pk or 0), address):
            return True
        request.session[NETWORK_SEEN] = seen
        return False

    def _refuse(self, request: HttpRequest) -> HttpResponseBase:
        person = User.objects.get(pk=int(request.user.pk or 0))
        refusal = note_network_refusal(request, person)
        logout(request)
        return answer_refusal(request, refusal)


def note_network_refusal(request: HttpRequest, person: User) -> NetworkNotAllowed:
    """Write down that somebody came from where their role may not be used; the refusal to answer with."""
    refusal = NetworkNotAllowed()
    with transaction.atomic():
        audit(
            actor=actor_for(person, request),
            action="sign_in.refused",
            subject=person,
            after={"address": current_request().ip},
            reason=refusal.code,
        )
    return refusal


class ImpersonationMiddleware:
    """While a look runs, every page but the back office is the client's: read only, and each one in the trail.

    Asked anew at each request: a look that ended, ran out, or whose client became staff is over, and so is one
    of somebody who may no longer look or does not see each of its clients any more.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.impersonation = None  # type: ignore[attr-defined]
        own = request.path.startswith(OWN_PAGES) or request.path.endswith("/logout/")
        if own or not request.session.get(LOOK) or not request.user.is_authenticated:
            return self.get_response(request)
        staff = actor_for(request.user, request)  # type: ignore[arg-type]
        look = running_look(request, staff)
        if look is None:
            request.session.pop(LOOK, None)
            return self.get_response(request)
        actor = impersonating_actor(staff, look, look.login)
        request.impersonation = look  # type: ignore[attr-defined]
        request.impersonating_actor = actor  # type: ignore[attr-defined]
        request.user = look.login
        set_request(replace(current_request(), read_only=True))
        if request.method not in SAFE:
            return answer_refusal(request, ReadOnly())
        for client_id in look.client_ids:
            audit(
                actor=actor,
                action="impersonation.page",
                subject=look,
                client_id=client_id,
                after={"path": request.path},
                reason=look.purpose,
            )
        return self.get_response(request)


def running_look(request: HttpRequest, staff: Actor) -> Impersonation | None:
    """The look that this session began, as long as it may go on."""
    rows = Impersonation.objects.filter(
        pk=str(request.session.get(LOOK)), user_id=int(request.user.pk or 0), login__is_active=True
    )
    look = rows.filter(login__is_staff=False).select_related("login").first()
    if look is None or not look.runs_at(clock.now()) or not staff.allows(IMPERSONATE):
        return None
    seen = clients_in_scope(staff, look.client_ids)
    return look if set(look.client_ids) <= seen else None


def answer_refusal(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {"code": refusal.code, "detail": str(refusal), "status": refusal.status}
        return JsonResponse(body, status=refusal.status, content_type="application/problem+json")
    return render(request, "errors/refused.html", {"error": refusal}, status=refusal.status)


@lru_cache(maxsize=20_000)
def _noted(user_id: int, code: str, day: date) -> list[bool]:
    """One box for each use and day in this process: only the first use of a day is written."""
    return []


def note_uses(user_id: int, codes: set[str]) -> None:
    """Remember on which day each permission was last used to do something."""
    today = clock.now().date()
    fresh = [code for code in sorted(codes) if not _noted(user_id, code, today)]
    if not fresh:
        return
    PermissionUse.objects.bulk_create(
        [PermissionUse(user_id=user_id, code=code, last_on=today) for code in fresh],
        update_conflicts=True,
        unique_fields=["user", "code"],
        update_fields=["last_on"],
    )
    for code in fresh:
        _noted(user_id, code, today).append(True)
