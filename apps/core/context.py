"""What surrounds a piece of work: the request it belongs to, the address it came from, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RequestContext:
    request_id: str = ""
    ip: str = ""
    user_agent: str = ""
    read_only: bool = False
    """Somebody looks as somebody else: no command runs."""


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)
_EMPTY = RequestContext()


def current_request() -> RequestContext:
    return _current.get() or _EMPTY


def set_request(context: RequestContext | None) -> None:
    _current.set(context)


_uses: ContextVar[set[str] | None] = ContextVar("permission_uses", default=None)


@contextmanager
def uses_noted() -> Iterator[set[str]]:
    """Collects the permissions that are used to do something inside."""
    found: set[str] = set()
    token = _uses.set(found)
    try:
        yield found
    finally:
        _uses.reset(token)


def note_use(code: str) -> None:
    found = _uses.get()
    if found is not None:
        found.add(code)


@dataclass(slots=True)
class Grounds:
    """What the command in progress rests on. Each of its audit records says so without being told.

    Decisions are kept by client, so that a command about many clients credits each record with its own alone.
    """

    approval_id: UUID | None = None
    decisions: dict[UUID | None, tuple[UUID, tuple[str, ...]]] = field(default_factory=dict)

    def note(self, client_id: UUID | None, decision_id: UUID, versions: Iterable[str]) -> None:
        known = self.decisions.get(client_id, (decision_id, ()))[1]
        self.decisions[client_id] = (decision_id, tuple(dict.fromkeys((*known, *versions))))


_grounds: ContextVar[Grounds | None] = ContextVar("grounds", default=None)
_NO_GROUNDS = Grounds()


@contextmanager
def grounds() -> Iterator[Grounds]:
    """A fresh account of what the work inside rests on."""
    fresh = Grounds()
    token = _grounds.set(fresh)
    try:
        yield fresh
    finally:
        _grounds.reset(token)


@contextmanager
def grounds_kept() -> Iterator[Grounds]:
    """The account of the work around, or a fresh one when there is none."""
    known = _grounds.get()
    if known is not None:
        yield known
        return
    with grounds() as fresh:
        yield fresh


def current_grounds() -> Grounds:
    """Read only: outside any command it is empty."""
    return _grounds.get() or _NO_GROUNDS


def note_decision(
    decision_id: UUID, versions: Iterable[str], *, client_id: UUID | None = None
) -> None:
    """Records of the command in progress about this client rest on this decision from here on."""
    known = _grounds.get()
    if known is not None:
        known.note(client_id, decision_id, versions)


@contextmanager
def under_approval(approval_id: UUID) -> Iterator[None]:
    """What is written inside was agreed to by this approval."""
    with grounds_kept() as known:
        before, known.approval_id = known.approval_id, approval_id
        try:
            yield
        finally:
            known.approval_id = before
