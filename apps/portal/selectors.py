"""Reads for the portal's own pages, through what the apps below publish."""

from __future__ import annotations

from apps.clients.models import Client, LegalEntity
from apps.core.actor import Actor


def client_of(actor: Actor | None) -> Client | None:
    """The client for whom this login acts; the longest-standing one when there are several."""
    if actor is None or not actor.client_ids:
        return None
    clients = Client.objects.visible_to(actor).select_related("person", "entity")
    return clients.order_by("created_at").first()


def booking_entity_of(actor: Actor | None) -> LegalEntity | None:
    """The company that answers for this visitor; none for somebody who is not a client yet."""
    client = client_of(actor)
    return client.entity if client else None
