"""Bases: rows that remember who changed them and why, and rows that never change."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

import pgtrigger
from django.contrib.auth import get_user_model
from django.db import models
from simple_history.models import HistoricalRecords

from apps.core import clock
from apps.core.audit import audit
from apps.core.ids import new_id
from apps.core.privacy.blind import BlindIndexField, BlindWordsField
from apps.core.privacy.fields import EncryptedField, encrypted_fields
from apps.core.privacy.keyring import index_key
from apps.core.privacy.keys import Keep, key_for_writing, one_lookup

if TYPE_CHECKING:
    from apps.core.actor import Actor

_UNTRACKED = {"updated_at"}


class RecordedModel(models.Model):
    """A row whose every change says who and why. Write with `save_as`.

    Names in `audit_redacted` and encrypted fields enter the audit trail as a mark that means nothing without the
    subject's key, those in `audit_untracked` not at all.
    """

    audit_redacted: ClassVar[Collection[str]] = ()
    audit_untracked: ClassVar[Collection[str]] = ()

    class Meta:
        abstract = True

    def __repr__(self) -> str:
        """Tracebacks show this: whose row it is, never what it says."""
        return f"<{self._meta.object_name}: {self.pk}>"

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any]) -> Self:  # type: ignore[override]
        instance = super().from_db(db, field_names, values)
        instance._stored = dict(zip(field_names, values, strict=False))
        return instance

    @property
    def audit_client_id(self) -> UUID | None:
        """The client whose timeline this row belongs to."""
        return getattr(self, "client_id", None)

    @property
    def audit_subject(self) -> UUID | None:
        """Whose key makes the marks of this row; None: the house's, with which blind indexes are made."""
        sealed = encrypted_fields(type(self))
        return sealed[0].subject_of(self) if sealed else None

    def save_as(self, actor: Actor, reason: str, *, action: str = "") -> None:
        """Save the whole row with its history and audit record; `action` is named `noun.verb`."""
        with one_lookup():
            self._save_as(actor, reason, action)

    def _save_as(self, actor: Actor, reason: str, action: str) -> None:
        created = self._state.adding
        before, after = self._changes(created=created)
        self.updated_at = clock.now()
        self._history_user = (
            get_user_model()(pk=actor.user_id) if actor.user_id is not None else None
        )
        self._change_reason = reason
        self._history_date = self.updated_at
        self.save(force_insert=created)
        audit(
            actor=actor,
            action=action or f"{self._meta.model_name}.{'create' if created else 'change'}",
            subject=self,
            client_id=self.audit_client_id,
            before=before,
            after=after,
            reason=reason,
        )
        self._stored = {f.attname: self._kept(f) for f in self._meta.concrete_fields}

    def _changes(self, *, created: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        stored: dict[str, Any] = {} if created else getattr(self, "_stored", {})
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for field in self._meta.concrete_fields:
            name = field.attname
            if name in _UNTRACKED or name in self.audit_untracked:
                continue
            if isinstance(field, (BlindIndexField, BlindWordsField)):
                continue
            if not created and name in stored and self._same(field, stored[name]):
                continue
            if not created:
                before[name] = self._shown(field, stored.get(name))
            after[name] = self._shown(field, self._kept(field))
        return before, after

    def _kept(self, field: models.Field[Any, Any]) -> Any:
        """The value, or what lies sealed in the database when nobody has changed it."""
        if isinstance(field, EncryptedField):
            return field.kept(self)
        return getattr(self, field.attname)

    def _same(self, field: models.Field[Any, Any], stored: Any) -> bool:
        if isinstance(field, EncryptedField):
            return field.unchanged(self, stored)
        return bool(getattr(self, field.attname) == stored)

    def _shown(self, field: models.Field[Any, Any], value: Any) -> Any:
        if isinstance(field, EncryptedField):
            return field.mark(self, value)
        name = field.attname
        if name in self.audit_redacted and value not in (None, ""):
            return self._mark(name, value)
        return value

    def _mark(self, name: str, value: Any) -> str:
        """Equal values of a row are equal; without the key nobody finds one by trying."""
        subject = self.audit_subject
        key = key_for_writing(subject, Keep.STATUTORY).mark if subject else index_key()
        plain = f"{self._meta.db_table}.{name}:{self.pk}:{value}".encode()
        return "sealed:" + hmac.digest(key, plain, "sha256").hex()[:16]


class AuditedModel(RecordedModel):
    """A row that staff, clients or the system change, with its own id, times and history."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    history = HistoricalRecords(inherit=True)

    class Meta:
        abstract = True


def append_only_triggers() -> Sequence[pgtrigger.Trigger]:
    """The database itself refuses to change, delete or truncate."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;",
        ),
    ]


class AppendOnlyModel(models.Model):
    """A row that is written once. Subclasses set `class Meta(AppendOnlyModel.Meta)`."""

    class Meta:
        abstract = True
        triggers = append_only_triggers()
