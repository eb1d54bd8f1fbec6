"""Everything that is held about one person, as files that machines read and an index that people read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext as _

from apps.core.privacy.blind import BlindIndexField, BlindWordsField
from apps.core.privacy.registry import REGISTRY, WITHHELD, Subject

ALL = "*"
# What a person is not told by name while it lasts, and what they read instead.
SPOKEN = {"ESCALATED": "MANUAL_REVIEW"}

Files = Callable[[Subject], Iterable[tuple[str, Iterator[bytes]]]]
_FILES: list[Files] = []


def register_export_files(files: Files) -> None:
    """Add files to the export: `(name, pieces)` for each of the subject's."""
    if files not in _FILES:
        _FILES.append(files)


@dataclass(frozen=True, slots=True)
class Table:
    """One model's rows of the subject."""

    model: type[models.Model]
    rows: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return f"data/{self.model._meta.label_lower}.json"


def export_zip(subject: Subject, *, heading: str, classes: dict[str, str]) -> bytes:
    """The whole archive. `classes` says of each model why it is kept and for how long, for the index."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = [heading, "=" * len(heading), ""]
        for table in tables(subject):
            archive.writestr(
                table.name,
                json.dumps(table.rows, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2),
            )
            lines += _described(table, classes)
        for files in _FILES:
            for name, pieces in files(subject):
                with archive.open(f"documents/{name}", "w") as out:
                    for piece in pieces:
                        out.write(piece)
                lines += [f"documents/{name}", ""]
        archive.writestr("index.txt", "\n".join(lines) + "\n")
    return held.getvalue()


def _described(table: Table, classes: dict[str, str]) -> list[str]:
    count = _("%(count)d entries") % {"count": len(table.rows)}
    why = classes.get(table.model._meta.label, "")
    title = str(table.model._meta.verbose_name_plural)
    return [f"{table.name}: {title}, {count}", *([f"    {why}"] if why else []), ""]


def tables(subject: Subject) -> Iterator[Table]:
    """Every model that has rows of the subject, in the order of the apps."""
    for model in apps.get_models():
        if hasattr(model, "instance_type") or ALL in WITHHELD.get(model._meta.label, ()):
            continue
        rows = rows_of(model, subject)
        if rows:
            yield Table(model, [plain(row) for row in rows])


def rows_of(model: type[models.Model], subject: Subject) -> list[models.Model]:
    found: dict[Any, models.Model] = {}
    path = client_path(model)
    if path:
        for row in model._default_manager.filter(**{path: subject.client_id}).distinct():
            found[row.pk] = row
    for entry in REGISTRY:
        if entry.model == model._meta.label:
            found.update({row.pk: row for row in entry.rows(subject)})
    return list(found.values())


def client_path(model: type[models.Model]) -> str:
    """How the rows of this model reach their client; nothing when they belong to nobody."""
    queryset = model._default_manager.all() if hasattr(model, "_default_manager") else None
    return str(getattr(queryset, "scope_paths", {}).get("client", ""))


def plain(row: models.Model) -> dict[str, Any]:
    """The row as it reads, without indexes and without what is withheld."""
    left_out = WITHHELD.get(row._meta.label, frozenset())
    shown: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        if column.name in left_out or isinstance(column, (BlindIndexField, BlindWordsField)):
            continue
        value = getattr(row, column.attname)
        shown[column.attname] = _spoken(value)
    return shown


def _spoken(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, str):
        return SPOKEN.get(value, str(value))
    return value
