"""Field masks: how much of a personal value an actor reads, and the recorded look at the whole of it.

A model names its personal fields with their kind: `personal_fields = {"email": "email", "phone": "phone"}`.
What each role reads of `clients.Person.email` is data (`apps/users/data/masks.toml`); a field that the role
does not list is hidden from it. A mask that is not FULL also closes the field for search, filter and order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from apps.core.actor import Actor, ActorKind

HIDDEN = "•••"


class FieldMask(StrEnum):
    """FULL shows the value, PARTIAL enough to compare it with what somebody says, NONE nothing of it."""

    FULL = "FULL"
    PARTIAL = "PARTIAL"
    NONE = "NONE"


WIDEST = (FieldMask.FULL, FieldMask.PARTIAL, FieldMask.NONE)


@lru_cache(maxsize=1)
def personal_fields() -> dict[str, str]:
    """Every declared personal field with its kind: `clients.Person.email` → `email`."""
    return {
        f"{model._meta.label}.{name}": kind
        for model in apps.get_models()
        for name, kind in getattr(model, "personal_fields", {}).items()
    }


def mask_for(actor: Actor, field: str) -> FieldMask:
    """What `actor` reads of `field` (`clients.Person.email`). Raises `KeyError` for a field that no model declares.

    Clients read their own rows in full; scope leaves them no others. Whoever looks in their place reads as much
    as their own roles allow: of several the widest.
    """
    if field not in personal_fields():
        raise KeyError(f"no such personal field: {field}")
    if actor.is_system or (actor.kind is ActorKind.CLIENT and not actor.on_behalf_of):
        return FieldMask.FULL
    return FieldMask(actor.masks.get(field, FieldMask.NONE))


def masked(value: Any, mask: FieldMask, kind: str = "text") -> Any:
    """The value as this mask shows it. An absent value stays absent under every mask."""
    if mask is FieldMask.FULL or value is None or value == "":
        return value
    if mask is FieldMask.NONE:
        return HIDDEN
    return PARTIALS[kind](value)


def shown(actor: Actor, obj: models.Model, name: str) -> Any:
    """One field of a row as this actor reads it; a field that is not personal as it is."""
    value = getattr(obj, name)
    label = f"{_label(type(obj))}.{name}"
    kind = personal_fields().get(label)
    return value if kind is None else masked(value, mask_for(actor, label), kind)


def masked_text(actor: Actor, field: str, value: Any) -> Any:
    """A value of `field` that was read elsewhere (an export, a file) as this actor reads it. Raises `KeyError`."""
    return masked(value, mask_for(actor, field), personal_fields()[field])


def seen(field: str, value: Any) -> Any:
    """A value of any field (of a history row, an audit record) as the viewer of this page reads it."""
    if field not in personal_fields():
        return value
    who = viewer()
    return HIDDEN if who is None else masked_text(who, field, value)


# Type-specific parts


def _text(value: Any) -> str:
    return f"{str(value)[:2]}{HIDDEN}"


def _email(value: Any) -> str:
    local, at, domain = str(value).partition("@")
    return f"{local[:1]}{HIDDEN}@{domain}" if at else _text(value)


def _phone(value: Any) -> str:
    return f"{str(value)[:3]}{HIDDEN}{str(value)[-2:]}"


def _iban(value: Any) -> str:
    plain = re.sub(r"\s", "", str(value))
    return f"{plain[:2]}{HIDDEN}{plain[-4:]}" if len(plain) > 8 else HIDDEN


def _name(value: Any) -> str:
    return " ".join(f"{part[:1]}{HIDDEN}" for part in str(value).split())


def _date(value: Any) -> str:
    return str(value.year) if isinstance(value, date) else str(value)[:4]


def _document(value: Any) -> str:
    return f"{HIDDEN}{str(value)[-3:]}" if len(str(value)) > 5 else HIDDEN


def _hidden(value: Any) -> str:
    return HIDDEN


PARTIALS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "email": _email,
    "phone": _phone,
    "iban": _iban,
    "name": _name,
    "date": _date,
    "document": _document,
    "address": _hidden,
    "place": lambda value: value,
    "postcode": _text,
    "free": _hidden,
}
"""Kind → what PARTIAL leaves. `free` is for text and structures that may hold anything."""


# Which personal fields a lookup touches


def personal_lookup(model: type[models.Model], lookup: str) -> list[str]:
    """The personal fields on the way of a lookup: (`Client`, `=person__email`) → [`clients.Person.email`]."""
    touched: list[str] = []
    here: type[models.Model] | None = model
    for part in lookup.lstrip("-^=@").split("__"):
        if here is None:
            break
        try:
            field = here._meta.pk if part == "pk" else here._meta.get_field(part)
        except FieldDoesNotExist:
            break
        names = [part, *_sources(field)]
        labels = (f"{_label(here)}.{name}" for name in names)
        touched += [label for label in labels if label in personal_fields()]
        here = getattr(field, "related_model", None)
    return touched


def _sources(field: Any) -> list[str]:
    """The fields that an index over sealed values answers for: asking the index is asking them."""
    return [name for name in (getattr(field, "source", ""), *getattr(field, "sources", ())) if name]


def may_look_up(actor: Actor, model: type[models.Model], lookup: str) -> bool:
    """Whether searching, filtering or ordering by this lookup tells the actor nothing that a mask hides."""
    return all(mask_for(actor, f) is FieldMask.FULL for f in personal_lookup(model, lookup))


def _label(model: type[models.Model]) -> str:
    """The label under which masks know a model: a history row's is that of the row itself."""
    tracked = getattr(model, "instance_type", None)
    return (tracked or model)._meta.label


# Who looks: names that rows give themselves follow the viewer


# In a tuple, because an actor may be one that is found when first asked for, and whoever copies a context between
# threads and event loops looks at the type of every value in it.
_viewer: ContextVar[tuple[Actor | None]] = ContextVar("viewer", default=(None,))


def viewer() -> Actor | None:
    """Who looks at the page that is being made; None where nobody does (a task, a command line)."""
    return _viewer.get()[0]


@contextmanager
def seen_by(actor: Actor | None) -> Iterator[None]:
    """Let rows name themselves as `actor` may read them."""
    token = _viewer.set((actor,))
    try:
        yield
    finally:
        _viewer.reset(token)


def said(obj: models.Model, *names: str) -> str:
    """Personal fields joined into a name, as the viewer of this page reads them; in full where nobody looks."""
    who = viewer()
    values = [getattr(obj, name) if who is None else shown(who, obj, name) for name in names]
    if who is not None and values and all(value in (HIDDEN, "", None) for value in values):
        return HIDDEN
    return " ".join(str(value) for value in values if value).strip()
