"""What happens to a pending change, for those who tell people about it."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class _OfApproval:
    aggregate: ClassVar[str] = "approval_id"
    approval_id: UUID
    action: str
    maker_id: str


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(_OfApproval, Event):
    """Somebody who holds one of `permissions` is needed; also told when a revised change asks again."""

    name: ClassVar[str] = "core.ApprovalRequested"
    permissions: list[str]
    entity: str


@dataclass(frozen=True, kw_only=True)
class ApprovalEscalated(_OfApproval, Event):
    """Nobody decided in time, or too few people can: the next role may decide too."""

    name: ClassVar[str] = "core.ApprovalEscalated"
    permissions: list[str]
    entity: str
    severity: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ApprovalReturned(_OfApproval, Event):
    """A checker asks the maker something before deciding."""

    name: ClassVar[str] = "core.ApprovalReturned"
    checker_id: str


@dataclass(frozen=True, kw_only=True)
class ApprovalAnswered(_OfApproval, Event):
    """The maker answered; it is with the same checker again."""

    name: ClassVar[str] = "core.ApprovalAnswered"
    checker_id: str


@dataclass(frozen=True, kw_only=True)
class ApprovalTakenOver(_OfApproval, Event):
    """Somebody else took what `checker_id` had taken."""

    name: ClassVar[str] = "core.ApprovalTakenOver"
    checker_id: str
    taken_by: str


@dataclass(frozen=True, kw_only=True)
class ApprovalDecided(_OfApproval, Event):
    """It ended: approved and carried out, rejected, expired or taken back."""

    name: ClassVar[str] = "core.ApprovalDecided"
    state: str
    decided_by: str


@dataclass(frozen=True, kw_only=True)
class EmergencyExecuted(_OfApproval, Event):
    """One person did it alone; another one must review it in time."""

    name: ClassVar[str] = "core.EmergencyExecuted"
    executed_by: str
    permissions: list[str]
    entity: str


@dataclass(frozen=True, kw_only=True)
class EmergencyReviewOverdue(_OfApproval, Event):
    """Nobody reviewed in time what was done alone."""

    name: ClassVar[str] = "core.EmergencyReviewOverdue"
    executed_by: str
    permissions: list[str]
    entity: str
