"""Fields whose values lie in the database as AES-256-GCM (NIST SP 800-38D), bound to their row.

Stored: version byte, id of the data key (16), nonce (12), ciphertext, tag (16). The additional data is
`table.column:row`, so a value that somebody moves to another row, column or table no longer opens. A history table
is another table; its rows carry the id of the row they tell of.

A value is opened when it is first looked at: what a page does not show is never decrypted, and the keys of a whole
page come with one query. It cannot be filtered or sorted by; that is what blind indexes are for.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django import forms
from django.core import validators
from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from apps.core.privacy.errors import KeyDestroyed, SealBroken
from apps.core.privacy.keyring import NONCE
from apps.core.privacy.keys import HOUSE, Keep, Key, expect, key_for_reading, key_for_writing

VERSION = b"\x01"
HEAD = 17
BODY = HEAD + NONCE
LABEL = "[encrypted]"


class Sealed(bytes):
    """A value as it lies in the database. It tells nothing by accident."""

    def __repr__(self) -> str:
        return LABEL

    __str__ = __repr__

    @property
    def key_id(self) -> bytes:
        return bytes(self[1:HEAD])


def seal(key: Key, plain: bytes, place: bytes) -> Sealed:
    nonce = os.urandom(NONCE)
    return Sealed(VERSION + key.id.bytes + nonce + key.cipher.encrypt(nonce, plain, place))


def unseal(sealed: bytes, place: bytes) -> bytes:
    """Raises `SealBroken`, `KeyLost`, `KeyDestroyed`."""
    if sealed[:1] != VERSION or len(sealed) < BODY + 16:
        raise SealBroken(column=place.decode().partition(":")[0])
    key = key_for_reading(bytes(sealed[1:HEAD]))
    try:
        return key.cipher.decrypt(sealed[HEAD:BODY], sealed[BODY:], place)
    except InvalidTag as error:
        raise SealBroken(column=place.decode().partition(":")[0]) from error


class _Opened(DeferredAttribute):
    """Opens the value when it is first asked for and keeps the sealed one beside it until it is replaced."""

    field: Any

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        value = instance.__dict__.get(name, self)
        if value is self:
            value = super().__get__(instance, owner)
        if isinstance(value, Sealed):
            instance.__dict__[name + ":sealed"] = value
            value = self.field.opened(instance, value)
            instance.__dict__[name] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value
        instance.__dict__.pop(self.field.attname + ":sealed", None)


class EncryptedField(models.Field):
    """Base of the sealed columns.

    `subject` is the dotted path from the row to the id whose key seals it (`HOUSE` when empty), `keep` says which
    of the subject's keys, `row` names the attribute that identifies the row and is known before it is saved.
    """

    descriptor_class = _Opened
    empty: Any = ""
    mutable = False

    def __init__(
        self,
        *args: Any,
        subject: str = "",
        keep: str = Keep.STATUTORY,
        row: str = "",
        **kwargs: Any,
    ) -> None:
        self.subject, self.keep, self.row = subject, str(keep), row
        # What fixtures would write is plain text.
        kwargs["serialize"] = False
        kwargs.setdefault("default", self.empty)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("serialize", None)
        kwargs |= {"subject": self.subject, "keep": self.keep, "row": self.row}
        if kwargs.get("default") == self.empty:
            kwargs.pop("default")
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def to_bytes(self, value: Any) -> bytes:
        """The value as it is sealed: its text, unless a kind of field knows better."""
        return str(value).encode()

    def to_value(self, plain: bytes) -> Any:
        """The value as it was before `to_bytes`."""
        return plain.decode()

    def is_empty(self, value: Any) -> bool:
        return value is None or value == "" or value == b""

    # Reading

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        if not value:
            return self.empty
        sealed = Sealed(value)
        expect(sealed[1:HEAD])
        return sealed

    def opened(self, instance: Any, value: Any) -> Any:
        """The plain value; what was erased with its key reads as empty."""
        if not isinstance(value, Sealed):
            return value
        try:
            plain = unseal(value, self.place(instance))
        except KeyDestroyed:
            return self.empty
        return self.to_value(plain)

    # Writing

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = self.kept(model_instance)
        if isinstance(value, Sealed):
            return value
        value = getattr(model_instance, self.attname)
        if self.is_empty(value):
            return None if value is None and self.null else b""
        if callable(getattr(value, "resolve_expression", None)):
            raise FieldError(f"{self.name} is encrypted: the database cannot compute it.")
        key = key_for_writing(self.subject_of(model_instance), self.keep)
        return seal(key, self.to_bytes(value), self.place(model_instance))

    def kept(self, instance: Any) -> Any:
        """The sealed value that the row was read with, when nobody changed it since."""
        value = instance.__dict__.get(self.attname)
        if isinstance(value, Sealed) or self.mutable:
            return value
        return instance.__dict__.get(self.attname + ":sealed", value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or isinstance(value, Sealed):
            return value if value is None else bytes(value)
        if self.is_empty(value):
            return b""
        raise FieldError(
            f"{self.name} is encrypted: set it on the object and save that; find it by its blind index."
        )

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: filter by its blind index instead.")
        return super().get_lookup(lookup_name)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_db_prep_value(value, connection)

    # Whose and where

    def subject_of(self, instance: Any) -> UUID:
        if not self.subject:
            return HOUSE
        value = getattr(instance, "_tells_of", instance)
        for step in self.subject.split("."):
            value = getattr(value, step)
        return value if isinstance(value, UUID) else UUID(str(value))

    def place(self, instance: Any) -> bytes:
        """What the value is bound to."""
        tracked = getattr(type(instance), "instance_type", type(instance))
        row = getattr(instance, self.row or tracked._meta.pk.attname)
        return f"{instance._meta.db_table}.{self.column}:{row}".encode()

    def mark(self, instance: Any, value: Any) -> Any:
        """What the audit trail says instead of the value: equal values of a row are equal there, and when the
        key is gone nobody can find the value by trying."""
        if self.is_empty(value):
            return value
        if isinstance(value, Sealed):
            value = self.opened(instance, value)
        key = key_for_writing(self.subject_of(instance), self.keep)
        plain = self.place(instance) + self.to_bytes(value)
        return "sealed:" + hmac.digest(key.mark, plain, "sha256").hex()[:16]

    def unchanged(self, instance: Any, stored: Any) -> bool:
        """Whether the row still says what it was read with, which is `stored`."""
        now = self.kept(instance)
        if isinstance(now, Sealed) or not isinstance(stored, Sealed):
            return bool(now == stored)
        return bool(now == self.opened(instance, stored))

    def value_to_string(self, obj: Any) -> str:
        value = self.kept(obj)
        return base64.b64encode(value).decode() if isinstance(value, Sealed) else LABEL


class EncryptedTextField(EncryptedField):
    """Text; `max_length` limits what people may type, not the column."""

    def __init__(self, *args: Any, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, max_length=max_length, **kwargs)
        if max_length is not None:
            self.validators.append(validators.MaxLengthValidator(max_length))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, (str, Sealed)) else str(value)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        widget = None if self.max_length and self.max_length <= 400 else forms.Textarea
        defaults = {"form_class": forms.CharField, "max_length": self.max_length}
        return super().formfield(**{**defaults, **({"widget": widget} if widget else {}), **kwargs})


class EncryptedBytesField(EncryptedField):
    """A message byte for byte."""

    empty = b""

    def to_bytes(self, value: Any) -> bytes:
        return bytes(value)

    def to_value(self, plain: bytes) -> bytes:
        return plain


class EncryptedDateField(EncryptedField):
    """A calendar date."""

    empty = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        super().__init__(*args, **kwargs)

    def to_bytes(self, value: Any) -> bytes:
        return (value if isinstance(value, str) else value.isoformat()).encode()

    def to_value(self, plain: bytes) -> date:
        return date.fromisoformat(plain.decode())

    def to_python(self, value: Any) -> Any:
        return models.DateField().to_python(value)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.DateField, **kwargs})


class EncryptedJSONField(EncryptedField):
    """Anything that JSON can say. It is sealed anew at each save, because it may have changed inside."""

    empty = dict
    mutable = True

    def is_empty(self, value: Any) -> bool:
        return value is None or value in (b"", self._blank())

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return self._blank() if found is dict else found

    def opened(self, instance: Any, value: Any) -> Any:
        found = super().opened(instance, value)
        return self._blank() if found is dict else found

    def _blank(self) -> Any:
        return self.get_default()

    def to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).encode()

    def to_value(self, plain: bytes) -> Any:
        return json.loads(plain)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.JSONField, **kwargs})


def encrypted_fields(model: type[models.Model]) -> Sequence[EncryptedField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]
