"""Clients by number, name, e-mail address, phone: each only for those who read it in full."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.clients.models import Client
from apps.clients.permissions import VIEW_CLIENTS
from apps.clients.selectors import client_ids_named
from apps.core.actor import Actor
from apps.core.search import Hit, as_uuid, page_url, register_search


def clients_named(actor: Actor, text: str) -> QuerySet[Client]:
    """Those in scope that the text names by what this actor reads of them."""
    known = as_uuid(text)
    ids = [known] if known else client_ids_named(text, actor=actor)
    return Client.objects.visible_to(actor).filter(pk__in=ids)  # type: ignore[no-any-return]


def find_clients(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    rows = clients_named(actor, text).select_related("person", "entity").order_by("number")
    for row in rows[:limit]:
        exact = text.lower() in (row.number.lower(), str(row.pk))
        detail = f"{row.entity.code} · {row.get_lifecycle_display()}"
        yield Hit(str(row), page_url(row), detail, exact)


register_search("clients", VIEW_CLIENTS, find_clients, label=_("Clients"), icon="person", order=10)
