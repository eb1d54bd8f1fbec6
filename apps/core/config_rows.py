"""A kind of configuration that is rows of one model: fields by name, relations by the other side's natural key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction

from apps.core.actor import Actor
from apps.core.config import Change, ConfigKind, ConfigRefused, Items, register_config

SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class Rows:
    """How rows are carried over.

    `key` are the lookups that name a row (`code`, or `provider__code`, `currency`), `fields` what is carried,
    `relations` field → the other row's natural key, `retire` field → value that takes a row out of use.
    `changed` runs for each row that was written, inside the same transaction.
    """

    model: type[models.Model]
    key: Sequence[str]
    fields: Sequence[str]
    relations: Mapping[str, str] = field(default_factory=dict)
    retire: Mapping[str, Any] = field(default_factory=dict)
    changed: Callable[[Any], None] = lambda row: None

    @property
    def manager(self) -> Any:
        return self.model._default_manager

    def name_of(self, row: Any) -> str:
        return SEPARATOR.join(str(_reach(row, lookup)) for lookup in self.key)

    def export(self) -> Items:
        related = list(self.relations) + [
            lookup.partition("__")[0] for lookup in self.key if "__" in lookup
        ]
        rows = self.manager.select_related(*related) if related else self.manager.all()
        return {
            self.name_of(row): self._values(row)
            for row in rows
            if not self.retire or any(getattr(row, n) != v for n, v in self.retire.items())
        }

    def _values(self, row: Any) -> dict[str, Any]:
        values: dict[str, Any] = {name: plain(getattr(row, name)) for name in self.fields}
        for name, natural in self.relations.items():
            other = getattr(row, name)
            values[name] = None if other is None else getattr(other, natural)
        return values

    def schema(self, code: str) -> type[msgspec.Struct]:
        """The types of the columns, so that a bundle cannot hand over anything else."""
        columns: list[tuple[str, Any]] = [
            (name, _type_of(self.model._meta.get_field(name))) for name in self.fields
        ]
        for name in self.relations:
            optional = getattr(self.model._meta.get_field(name), "null", False)
            columns.append((name, str | None if optional else str))
        return msgspec.defstruct(f"Config_{code}", sorted(columns), forbid_unknown_fields=True)

    def apply(self, change: Change, actor: Actor, reason: str) -> None:
        lookup = dict(zip(self.key, change.key.split(SEPARATOR), strict=True))
        row = self.manager.select_for_update(of=("self",), no_key=True).filter(**lookup).first()
        if row is None:
            row = self.model(**self._names(lookup))
        values = dict(self.retire) if change.after is None else self._columns(change.after)
        for name, value in values.items():
            setattr(row, name, value)
        try:
            row.clean_fields(exclude=self._unchecked(values))
            with transaction.atomic():
                row.save_as(actor, reason, action=f"config.{change.act}")
        except ValidationError as error:
            raise ConfigRefused(problem=f"{change.kind} {change.key}: {error.messages}") from None
        except (IntegrityError, DataError) as error:
            what = str(error).partition("\n")[0]
            raise ConfigRefused(problem=f"{change.kind} {change.key}: {what}") from None
        self.changed(row)

    def _unchecked(self, values: Mapping[str, Any]) -> list[str]:
        """Columns that the change does not touch, and what it empties: the database says whether that may be."""
        names = [column.name for column in self.model._meta.concrete_fields]
        return [name for name in names if values.get(name) in (None, "", [], {})]

    def _names(self, lookup: Mapping[str, str]) -> dict[str, Any]:
        """What the key itself says of a new row."""
        found: dict[str, Any] = {}
        for name, value in lookup.items():
            own, _, natural = name.partition("__")
            found[own] = _the(self.model, own, natural, value) if natural else value
        return found

    def _columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name in self.fields:
            column = self.model._meta.get_field(name)
            columns[name] = column.to_python(values[name])  # type: ignore[union-attr]
        for name, natural in self.relations.items():
            given = values[name]
            columns[name] = None if given is None else _the(self.model, name, natural, given)
        if self.retire:
            columns = {
                **{n: not v for n, v in self.retire.items() if isinstance(v, bool)},
                **columns,
            }
        return columns


def register_rows(
    code: str,
    label: Any,
    rows: Rows,
    *,
    order: int = 50,
    held: Callable[[str], str] = lambda key: "",
) -> None:
    """Register the rows of a model as a kind of configuration."""
    register_config(
        ConfigKind(
            code=code,
            label=label,
            schema=rows.schema(code),
            export=rows.export,
            apply=rows.apply,
            retires=bool(rows.retire),
            held=held,
            order=order,
        )
    )


def _reach(row: Any, lookup: str) -> Any:
    for part in lookup.split("__"):
        row = getattr(row, part)
    return row


def _the(model: type[models.Model], name: str, natural: str, value: Any) -> Any:
    """The other row, by its natural key. Raises `ConfigRefused` when it is not there."""
    other: Any = model._meta.get_field(name).related_model
    row = other._default_manager.filter(**{natural: value}).first()
    if row is None:
        raise ConfigRefused(problem=f"there is no {other._meta.verbose_name} {value}")
    return row


def plain(value: Any) -> Any:
    """Decimals without trailing noise, dates as text: the same value is the same text everywhere."""
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool | int | str | dict):
        return value
    return str(value)


def _type_of(column: Any) -> Any:
    kinds: list[tuple[type, Any]] = [
        (models.BooleanField, bool),
        (models.IntegerField, int),
        (models.JSONField, dict[str, Any] | list[Any]),
    ]
    found: Any = next((kind for base, kind in kinds if isinstance(column, base)), str)
    if column.get_internal_type() == "ArrayField":
        found = list[str]
    return found | None if getattr(column, "null", False) else found
