"""One search over everything a member of staff may see: an app registers what it can find and how.

A lookup answers within the actor's scope and never by a field that the actor reads in part or not at all:
finding would be reading. Whoever lacks the permission of a kind is not told that the kind exists.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.permissions import Permission
from apps.core.redis import redis_client

log = logging.getLogger(__name__)

PER_KIND = 6
SHORTEST = 2
LONGEST = 100
PER_MINUTE = 120


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found. `exact` says that the text named this one and no other."""

    title: str
    url: str
    detail: str = ""
    exact: bool = False


Lookup = Callable[[Actor, str, int], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Kind:
    code: str
    label: Any
    icon: str
    permission: Permission | str
    lookup: Lookup
    order: int


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one kind, exact ones first."""

    kind: Kind
    hits: list[Hit]


KINDS: dict[str, Kind] = {}


class TooManySearches(DomainError):
    code = "TOO_MANY_SEARCHES"
    message = _("That were many searches. Wait a moment.")
    status = 429


def register_search(
    kind: str,
    permission: Permission | str,
    lookup: Lookup,
    *,
    label: Any,
    icon: str = "search",
    order: int = 50,
) -> None:
    """Find things of this kind for those who hold `permission`."""
    KINDS[kind] = Kind(kind, label, icon, permission, lookup, order)


def search(actor: Actor, text: str, *, limit: int = PER_KIND) -> list[Found]:
    """Everything that the text names, kind by kind. Raises `TooManySearches`."""
    wanted = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if len(wanted) < SHORTEST and not wanted.isdigit():
        return []
    _count(actor)
    kinds = [kind for kind in KINDS.values() if actor.allows(kind.permission)]
    found = []
    for kind in sorted(kinds, key=lambda k: (k.order, k.code)):
        hits = sorted(kind.lookup(actor, wanted, limit), key=lambda hit: not hit.exact)[:limit]
        if hits:
            found.append(Found(kind, hits))
    return sorted(found, key=lambda group: not group.hits[0].exact)


def only_exact(found: list[Found]) -> Hit | None:
    """The one thing that the text names exactly, where there is one."""
    exact = [hit for group in found for hit in group.hits if hit.exact]
    return exact[0] if len(exact) == 1 else None


def _count(actor: Actor) -> None:
    """Searching is for finding, not for reading out. Without Redis nobody is kept from their work."""
    key = f"search:{actor.id}"
    try:
        pipe = redis_client().pipeline()
        pipe.set(key, 0, ex=timedelta(minutes=1), nx=True)
        pipe.incr(key)
        times = int(pipe.execute()[1])
    except redis.RedisError:
        log.warning("search counts nothing: Redis does not answer")
        return
    if times > PER_MINUTE:
        raise TooManySearches


# What lookups are made of


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def as_number(text: str) -> int | None:
    """A row's number, where the text is one that a database can hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def page_url(row: models.Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
