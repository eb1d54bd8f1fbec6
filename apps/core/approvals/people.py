"""Who could decide: a directory of staff that the app with the logins provides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from apps.core.actor import Actor


class Directory(Protocol):
    """`find` answers None for a login that is no active member of staff; it raises `KeyError` for what is no login."""

    def holders(self, permissions: Iterable[str]) -> list[Actor]: ...

    def find(self, actor_id: str) -> Actor | None: ...


class _Nobody:
    def holders(self, permissions: Iterable[str]) -> list[Actor]:
        return []

    def find(self, actor_id: str) -> Actor | None:
        raise KeyError(actor_id)


_DIRECTORY: list[Directory] = [_Nobody()]


def register_directory(directory: Directory) -> None:
    """Let the app that has logins say who holds what."""
    _DIRECTORY[:] = [directory]


def directory() -> Directory:
    return _DIRECTORY[0]


def identities(actor: Actor) -> frozenset[str]:
    """Everything that a beneficiary may be named by."""
    ids = {actor.id, *(str(i) for i in actor.client_ids), *(str(i) for i in actor.partner_ids)}
    return frozenset(ids | ({str(actor.user_id)} if actor.user_id is not None else set()))
