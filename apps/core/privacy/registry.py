"""Which rows say something about a person, why they are kept, and what becomes of them.

Each app declares its own in `personal_data.py`. Retention, erasure and the data-subject export walk this list, so a
model that is not on it is either in `NOT_PERSONAL` with its reason or makes the architecture test fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.privacy.blind import BlindIndexField, BlindWordsField
from apps.core.privacy.fields import EncryptedField
from apps.core.privacy.keys import Keep


class DataClass(models.TextChoices):
    """What is kept for one reason, and goes on one day."""

    CONTACT = "CONTACT", _("How to reach you")
    LOGIN = "LOGIN", _("Your sign-in")
    MESSAGES = "MESSAGES", _("Messages that we sent you")
    IDENTITY = "IDENTITY", _("Who you are")
    APPLICATION = "APPLICATION", _("Your application and its answers")
    DOCUMENTS = "DOCUMENTS", _("Identity documents")
    AGREEMENTS = "AGREEMENTS", _("Proof of what you accepted")
    INSTRUMENTS = "INSTRUMENTS", _("Cards and bank accounts")
    RECORDS = "RECORDS", _("Money, orders and decisions, under a number instead of your name")


# Which of a subject's keys seals the class. Records carry no name and need none.
SEALED_BY: dict[str, Keep] = {
    DataClass.CONTACT: Keep.ERASABLE,
    DataClass.IDENTITY: Keep.STATUTORY,
    DataClass.APPLICATION: Keep.STATUTORY,
    DataClass.DOCUMENTS: Keep.STATUTORY,
    DataClass.AGREEMENTS: Keep.STATUTORY,
    DataClass.INSTRUMENTS: Keep.STATUTORY,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A client as the walkers know them: ids, and the addresses that were theirs."""

    client_id: UUID
    person_id: UUID
    user_ids: tuple[int, ...] = ()
    emails: tuple[str, ...] = ()
    number: str = ""
    whole_person: bool = True


class Erase(Enum):
    BLANK = "blank"
    DELETE = "delete"
    KEEP = "keep"


Rows = Callable[[Subject], "models.QuerySet[Any]"]
Effect = Callable[[Subject], int]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One model's part: `fields` of the rows that belong to a subject, and how they end."""

    model: str
    data_class: str
    fields: tuple[str, ...]
    rows: Rows = field(compare=False)
    erase: Erase = Erase.BLANK
    effect: Effect | None = None
    whole_person_only: bool = False

    @property
    def model_class(self) -> type[models.Model]:
        return apps.get_model(self.model)


REGISTRY: list[PersonalData] = []
NOT_PERSONAL: dict[str, str] = {}
WITHHELD: dict[str, frozenset[str]] = {}


def register_personal_data(
    model: str,
    data_class: str,
    fields: tuple[str, ...],
    *,
    rows: Rows,
    erase: Erase = Erase.BLANK,
    effect: Effect | None = None,
    whole_person_only: bool = False,
) -> None:
    """Declare that `fields` of `model` are personal. Raises `LookupError` or `FieldDoesNotExist` for a misspelling.

    `effect` runs after the rows were blanked or deleted, in the same transaction, for what is not a column: a file, a
    session. It must do no harm when it runs again.
    """
    meta = apps.get_model(model)._meta
    for name in fields:
        meta.get_field(name)
    entry = PersonalData(
        model, str(data_class), tuple(fields), rows, erase, effect, whole_person_only
    )
    if entry not in REGISTRY:
        REGISTRY.append(entry)


def not_personal(reason: str, *names: str) -> None:
    """Say of models, or of single `app.Model.field`s, why they are no personal data."""
    NOT_PERSONAL.update(dict.fromkeys(names, reason))


def withhold(model: str, *fields: str) -> None:
    """Leave these out of the data-subject export: the house's own notes, and what the law forbids to tell."""
    WITHHELD[model] = WITHHELD.get(model, frozenset()) | frozenset(fields)


def of_class(data_class: str) -> Iterator[PersonalData]:
    return (entry for entry in REGISTRY if entry.data_class == data_class)


def erase_class(data_class: str, subject: Subject) -> dict[str, int]:
    """Empty or remove the class' rows of the subject. Answers how many rows of which model; harmless when repeated."""
    touched: dict[str, int] = {}
    for entry in of_class(data_class):
        if entry.whole_person_only and not subject.whole_person:
            continue
        count = _erase(entry, subject)
        if entry.effect is not None:
            count = max(count, entry.effect(subject))
        touched[entry.model] = touched.get(entry.model, 0) + count
    return touched


def _erase(entry: PersonalData, subject: Subject) -> int:
    rows = entry.rows(subject)
    if entry.erase is Erase.DELETE:
        return rows.delete()[0]
    if entry.erase is Erase.BLANK:
        return _empty(entry, rows)
    return 0


def _empty(entry: PersonalData, rows: models.QuerySet[Any]) -> int:
    """Empty the columns here and in the history of the rows. Answers how many rows still said something."""
    empty = blanks(entry)
    found = list(rows.values("pk", *entry.fields))
    history = getattr(entry.model_class, "history", None)
    if history is not None:
        key = entry.model_class._meta.pk.attname  # type: ignore[union-attr]
        history.filter(**{f"{key}__in": [row["pk"] for row in found]}).update(**empty)
    rows.update(**empty)
    return sum(
        any(row[name] and row[name] != empty[name] for name in entry.fields) for row in found
    )


def blanks(entry: PersonalData) -> dict[str, Any]:
    """What each field becomes, and with it every blind index that was made of it."""
    meta = entry.model_class._meta
    empty = {name: _blank(meta.get_field(name)) for name in entry.fields}
    for column in meta.concrete_fields:
        if isinstance(column, BlindWordsField) and set(column.sources) & set(entry.fields):
            empty[column.name] = []
        elif isinstance(column, BlindIndexField) and column.source in entry.fields:
            empty[column.name] = ""
    return empty


def _blank(column: Any) -> Any:
    if column.null:
        return None
    if isinstance(column, EncryptedField):
        return b""
    return column.get_default() if column.has_default() else ""
