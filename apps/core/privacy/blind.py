"""Columns by which sealed values are found: HMAC-SHA256 (RFC 2104) of their one spelling, under a key of its own.

An index says that two values are equal and nothing else. Whoever steals the table without the key can neither read
it nor try values against it. `filter(email_index="Ana@Example.com")` normalises and hashes what it is asked for.
"""

from __future__ import annotations

import hmac
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Lookup

from apps.core.privacy.fields import Sealed
from apps.core.privacy.keyring import index_key
from apps.core.privacy.normalise import NORMALISERS, beginnings, words

HEX = 32
WORD_HEX = 16


class Blind(str):
    """A value that is an index already."""

    __slots__ = ()


def blind(normalise: str, text: str) -> Blind:
    """The index of `text` under the named spelling; nothing for nothing."""
    plain = NORMALISERS[normalise](text)
    if not plain:
        return Blind("")
    return Blind(_mac(normalise, plain)[:HEX])


def blind_word(word: str) -> Blind:
    return Blind(_mac("word", word)[:WORD_HEX])


def keyed(domain: str, text: str) -> str:
    """A digest of a personal value that must be recognised again and can never be taken back: 32 signs."""
    return _mac(domain, text)[:HEX]


def _mac(domain: str, plain: str) -> str:
    return hmac.digest(index_key(), f"{domain}:{plain}".encode(), "sha256").hex()


def is_history(instance: Any) -> bool:
    """History rows keep no index: nobody searches in them, and erasure need not change them."""
    return hasattr(type(instance), "instance_type")


class BlindIndexField(models.CharField):
    """The index of one sealed field of the same row; unique and partial constraints work on it.

    Without a `source` it keeps only the index of what is assigned to it.
    """

    def __init__(
        self, *args: Any, source: str = "", normalise: str = "compact", **kwargs: Any
    ) -> None:
        self.source, self.normalise = source, normalise
        defaults = {"max_length": HEX, "blank": True, "default": "", "editable": False}
        super().__init__(*args, **{**defaults, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source, "normalise": self.normalise}

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else Blind(value)

    def get_prep_value(self, value: Any) -> Any:
        if not value or isinstance(value, Blind):
            return value
        return blind(self.normalise, str(value))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if is_history(model_instance):
            return Blind("")
        own = model_instance.__dict__.get(self.attname)
        untouched = not self.source or isinstance(model_instance.__dict__.get(self.source), Sealed)
        if untouched and isinstance(own, Blind):
            return own
        plain = getattr(model_instance, self.source or self.attname)
        value = blind(self.normalise, str(plain or ""))
        setattr(model_instance, self.attname, value)
        return value


class BlindWordsField(ArrayField):
    """Indexes of the words of several sealed fields and of the words' beginnings.

    `filter(names__blind="kel")` finds Keller. Beginnings make rows with a common one recognisable as such, which is
    the price of searching while one types.
    """

    def __init__(self, *args: Any, sources: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.sources = tuple(sources)
        kwargs.setdefault("base_field", models.CharField(max_length=WORD_HEX))
        super().__init__(*args, **{"default": list, "blank": True, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "sources": self.sources}

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if is_history(model_instance):
            return []
        untouched = all(
            isinstance(model_instance.__dict__.get(name), Sealed) for name in self.sources
        )
        own = model_instance.__dict__.get(self.attname)
        if untouched and own:
            return own
        parts = {
            part
            for name in self.sources
            for part in beginnings(str(getattr(model_instance, name) or ""))
        }
        value = sorted(blind_word(part) for part in parts)
        setattr(model_instance, self.attname, value)
        return value


@BlindWordsField.register_lookup
class HasWords(Lookup):
    """Every word of the text is in the row, whole or as a beginning."""

    lookup_name = "blind"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        return ("%s", [[str(blind_word(word)) for word in words(str(value))]])

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_params = self.process_lhs(compiler, connection)
        found = [str(blind_word(word)) for word in words(str(self.rhs))]
        if not found:
            return "FALSE", []
        return f"{left} @> %s::varchar[]", [*left_params, found]


@BlindIndexField.register_lookup
class IsBlind(Lookup):
    """The index of this text; for `search_fields`, which hand over what was typed."""

    lookup_name = "blind"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_params = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        found = str(blind(field.normalise, str(self.rhs)))
        if not found:
            return "FALSE", []
        return f"{left} = %s", [*left_params, found]
