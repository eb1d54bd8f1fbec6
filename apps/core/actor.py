"""Who acts: a member of staff, a client, a partner, an integrator, or a part of the system itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.context import note_use
from apps.core.errors import NotAllowed, StepUpRequired
from apps.core.permissions import REGISTRY

if TYPE_CHECKING:
    from apps.core.permissions import Permission


class ActorKind(StrEnum):
    STAFF = "STAFF"
    CLIENT = "CLIENT"
    PARTNER = "PARTNER"
    INTEGRATOR = "INTEGRATOR"
    SYSTEM = "SYSTEM"


class ScopeLevel(StrEnum):
    """How far a member of staff sees; NONE sees nothing but what was shared with this person."""

    NONE = "NONE"
    OWN = "OWN"
    TEAM = "TEAM"
    DESK = "DESK"
    JURISDICTION = "JURISDICTION"
    ENTITY = "ENTITY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Scope:
    """`entities` is a union, and a limit on the narrower levels. `shared` holds the dated exceptions in force:
    axis (`client`) → keys of what was shared with this person."""

    level: ScopeLevel = ScopeLevel.NONE
    desk_id: int | None = None
    entities: frozenset[str] = frozenset()
    team_ids: frozenset[int] = frozenset()
    jurisdictions: frozenset[str] = frozenset()
    shared: Mapping[str, frozenset[Any]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, with what they may do and how far they see, as of this request."""

    kind: ActorKind
    id: str
    label: str
    user_id: int | None = None
    permissions: frozenset[str] = frozenset()
    scope: Scope = field(default_factory=Scope)
    client_ids: frozenset[UUID] = frozenset()
    partner_ids: frozenset[UUID] = frozenset()
    masks: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    request_id: str = ""
    ip: str = ""
    on_behalf_of: str = ""
    """The id of the person acted for: under a delegation, or as seen by someone else."""
    fresh: bool = True
    """Whether the person at the keyboard proved lately who they are; False only for an older browser session."""

    @classmethod
    def system(cls, part: str, request_id: str = "") -> Actor:
        """A part of the system: it sees and may do everything, and is named in every trail."""
        return cls(
            kind=ActorKind.SYSTEM,
            id=f"system:{part}",
            label=part,
            scope=Scope(level=ScopeLevel.ALL),
            request_id=request_id,
        )

    @property
    def is_system(self) -> bool:
        return self.kind is ActorKind.SYSTEM

    def allows(self, permission: Permission | str) -> bool:
        """Whether the role includes `permission`. An undeclared name raises `KeyError`, never denies silently."""
        code = str(permission)
        if code not in REGISTRY and "." in code and not _is_model_permission(code):
            raise KeyError(f"no such permission: {code}")
        return self.is_system or code in self.permissions

    def require(self, permission: Permission | str, subject: Any = None) -> None:
        """Raises `NotAllowed` unless the role includes `permission`, and `StepUpRequired` where it asks for a
        fresh sign-in. Scope is checked where the row is fetched."""
        declared = REGISTRY.get(str(permission))
        if not self.allows(permission):
            raise NotAllowed(permission=declared.label if declared else permission)
        if declared is not None and declared.step_up:
            self.require_fresh(declared.label)
        note_use(str(permission))

    def require_fresh(self, what: Any) -> None:
        """For an act that needs a fresh sign-in although its permission does not always. Raises `StepUpRequired`."""
        if not self.fresh:
            raise StepUpRequired(permission=what)


def _is_model_permission(code: str) -> bool:
    return code.partition(".")[2].partition("_")[0] in {
        "view",
        "add",
        "change",
        "delete",
        "export",
        "import",
    }
