"""Who could decide: a directory of staff that the app with the logins provides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
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


TogetherRefused = Callable[[str, str], list[str]]
_DUTIES: list[TogetherRefused] = []


def register_duties(check: TogetherRefused) -> None:
    """Let the app that has roles say why two people's duties must not come together in one: `check(id, id)`."""
    _DUTIES[:] = [check]


def duties_refused(first_id: str, second_id: str) -> list[str]:
    return [why for check in _DUTIES for why in check(first_id, second_id)]


OwnRecords = Callable[[int], Iterable[object]]
_OWN_RECORDS: dict[str, OwnRecords] = {}


def register_own_records(code: str, lookup: OwnRecords) -> None:
    """Let a higher app say which of its records stand for a member of staff as a private person:
    `lookup(user_id)`. It gives no access to them, it only keeps that person from deciding on them."""
    _OWN_RECORDS[code] = lookup


def identities(actor: Actor, beneficiaries: Collection[str] = ()) -> frozenset[str]:
    """Everything that a beneficiary may be named by. What stands for the person in other apps is asked for only
    when somebody gains at all."""
    ids = {actor.id, *(str(i) for i in actor.client_ids), *(str(i) for i in actor.partner_ids)}
    if actor.user_id is not None:
        ids.add(str(actor.user_id))
        if beneficiaries:
            ids.update(str(i) for look in _OWN_RECORDS.values() for i in look(actor.user_id))
    return frozenset(ids)
