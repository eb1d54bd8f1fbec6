"""What happened to logins and roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class StaffInvited(Event):
    """A member of staff was taken on; the link to choose a password goes out by mail."""

    name: ClassVar[str] = "users.StaffInvited"
    aggregate: ClassVar[str] = "user_id"

    user_id: int


@dataclass(frozen=True, kw_only=True)
class RoleGranted(Event):
    name: ClassVar[str] = "users.RoleGranted"
    aggregate: ClassVar[str] = "user_id"

    user_id: int
    grant_id: UUID
    role: str


@dataclass(frozen=True, kw_only=True)
class RoleRevoked(Event):
    name: ClassVar[str] = "users.RoleRevoked"
    aggregate: ClassVar[str] = "user_id"

    user_id: int
    grant_id: UUID
    role: str


@dataclass(frozen=True, kw_only=True)
class UserCutOff(Event):
    """A login was ended at once: sessions, lines and grants with it."""

    name: ClassVar[str] = "users.UserCutOff"
    aggregate: ClassVar[str] = "user_id"

    user_id: int
