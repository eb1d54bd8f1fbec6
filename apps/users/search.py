"""Colleagues by name or address; never the logins of clients."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor, ScopeLevel
from apps.core.search import Hit, page_url, register_search
from apps.users.models import User


def find_staff(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    rows = User.objects.filter(is_staff=True)
    if actor.scope.level is not ScopeLevel.ALL:
        rows = rows.filter(entities__overlap=list(actor.scope.entities))
    named = rows.filter(Q(name__icontains=text) | Q(email__istartswith=text))
    for row in named.order_by("name", "email")[:limit]:
        yield Hit(str(row), page_url(row), row.email, row.email == text.lower())


register_search("staff", "users.view_user", find_staff, label=_("Staff"), icon="badge", order=60)
