"""The kinds of message that this house sends. An app declares its own with the values each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    TRANSACTIONAL = "TRANSACTIONAL"
    """About what the reader did or must know; cannot be switched off."""
    MARKETING = "MARKETING"
    """Only to those who agreed; carries a way out that works with one click."""


@dataclass(frozen=True, slots=True)
class MailKind:
    """`sample` names every value with an example for the preview; `required` must stand in every version.

    `code` is `app.name`, the file is `templates/mail/<app>/<name>.<language>.txt`.
    """

    code: str
    label: Any
    sample: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    purpose: Purpose = Purpose.TRANSACTIONAL

    @property
    def places(self) -> frozenset[str]:
        return frozenset(self.sample) | {"company", "support"}


MAIL_KINDS: dict[str, MailKind] = {}


def register_mail(kind: MailKind) -> MailKind:
    """Declare a kind. Raises `ValueError` when its code is taken or it requires what it does not have."""
    if MAIL_KINDS.setdefault(kind.code, kind) != kind:
        raise ValueError(f"two kinds of message are named {kind.code}")
    if kind.required - set(kind.sample):
        raise ValueError(f"{kind.code} requires what it has no value for")
    return kind
