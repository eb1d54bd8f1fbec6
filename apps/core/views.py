"""Saved views: a list's filters under a name, one's own or shared with a role."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import DomainError, NotAllowed
from apps.core.locks import lock_row
from apps.core.models import SavedView
from apps.core.permissions import SHARE_VIEW

NOT_KEPT = frozenset({"q", "p", "all", "e", "_popup", "_to_field"})
MOST_VIEWS = 30


class TooManyViews(DomainError):
    code = "TOO_MANY_VIEWS"
    message = _("You keep {limit} views of this list already. Remove one first.")


def kept_query(query: QueryDict) -> str:
    """The part of a list's address that says what it shows: filters and order.

    Not the page, and not what was searched: that is often a person's name.
    """
    kept = QueryDict(mutable=True)
    for name in sorted(query):
        values = [value for value in query.getlist(name) if value != ""]
        if name not in NOT_KEPT and values:
            kept.setlist(name, values)
    return kept.urlencode()


def views_for(actor: Actor, model: str, roles: Any) -> QuerySet[SavedView]:
    """One's own and those shared with one of the roles, one's default first."""
    own = Q(owner_id=actor.user_id)
    shared = Q(role__in=roles) & ~Q(role="")
    return SavedView.objects.filter(own | shared, model=model).order_by("-is_default", "name")


@command
def view_save(
    *, model: str, name: str, query: str, role: str, is_default: bool, actor: Actor
) -> SavedView:
    """Keep the list as it is under this name; an own view of the same name is replaced.

    Raises `NotAllowed` when it is to be shared by somebody who may not, `TooManyViews`.
    """
    if actor.user_id is None:
        raise NotAllowed(permission=_("Save views"))
    if role:
        actor.require(SHARE_VIEW)
    own = SavedView.objects.select_for_update().filter(owner_id=actor.user_id, model=model)
    views = {view.name: view for view in own}
    if name not in views and len(views) >= MOST_VIEWS:
        raise TooManyViews(limit=MOST_VIEWS)
    if is_default:
        own.filter(is_default=True).exclude(name=name).update(is_default=False)
    values: dict[str, Any] = {
        "query": kept_query(QueryDict(query)),
        "role": role,
        "is_default": is_default,
        "owner_label": actor.label,
    }
    view, _made = SavedView.objects.update_or_create(
        owner_id=actor.user_id, model=model, name=name, defaults=values
    )
    if role:
        after = {"list": model, "name": name, "role": role}
        audit(actor=actor, action="view.share", subject=view, after=after)
    return view


@command
def view_remove(*, view_id: UUID, actor: Actor) -> None:
    """One's own only. Raises `NotVisible`."""
    view: SavedView = lock_row(SavedView.objects.all(), view_id, visible_to=actor)
    if view.role:
        after = {"list": view.model, "name": view.name, "role": view.role}
        audit(actor=actor, action="view.unshare", subject=view, before=after)
    view.delete()
