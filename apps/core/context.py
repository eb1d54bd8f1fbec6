"""What surrounds a piece of work: the request it belongs to and the address it came from."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    request_id: str = ""
    ip: str = ""
    user_agent: str = ""


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)
_EMPTY = RequestContext()


def current_request() -> RequestContext:
    return _current.get() or _EMPTY


def set_request(context: RequestContext | None) -> None:
    _current.set(context)
