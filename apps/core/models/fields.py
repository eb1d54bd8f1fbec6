"""Database types that Django does not name."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL


class XidField(models.Field):  # type: ignore[type-arg]
    """The transaction that wrote the row, filled in by PostgreSQL: lets readers wait for writers still under way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        kwargs["db_default"] = RawSQL("pg_current_xact_id()", ())
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["db_default"]
        return name, path, args, kwargs

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_internal_type(self) -> str:
        return "XidField"
