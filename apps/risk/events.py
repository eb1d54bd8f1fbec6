"""What risk tells the apps above."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class KillSwitchTripped(Event):
    """New risk was stopped for a scope."""

    name: ClassVar[str] = "risk.KillSwitchTripped"
    aggregate: ClassVar[str] = "scope"

    kill_switch_id: UUID
    scope: str


@dataclass(frozen=True, kw_only=True)
class KillSwitchRearmed(Event):
    """Two people opened the scope again."""

    name: ClassVar[str] = "risk.KillSwitchRearmed"
    aggregate: ClassVar[str] = "scope"

    kill_switch_id: UUID
    scope: str
