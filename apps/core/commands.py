"""The frame around every write: one outermost transaction, repeated when the database says so."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

from apps.core.context import current_request, grounds, grounds_kept
from apps.core.errors import Busy, DomainError, ReadOnly

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3
_RETRIED = {"40001", "40P01"}
_LOCK_TIMEOUT = "55P03"
_joined: ContextVar[bool] = ContextVar("commands_join", default=False)
_kept: ContextVar[list[Callable[[], None]] | None] = ContextVar("commands_kept", default=None)


def keep_if_refused(write: Callable[[], None]) -> None:
    """Run `write` in a transaction of its own when the command that is running ends in a refusal.

    For what must outlive a refusal although the command changed nothing: why it was refused.
    """
    waiting = _kept.get()
    if waiting is not None:
        waiting.append(write)


def _write_kept(waiting: list[Callable[[], None]]) -> None:
    with transaction.atomic():
        for write in waiting:
            write()


@contextmanager
def joined() -> Iterator[None]:
    """Let commands take part in a transaction that is already open: an approval's effect, a reaction."""
    token = _joined.set(True)
    try:
        with grounds_kept():
            yield
    finally:
        _joined.reset(token)


def _sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None) or ""


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Run a service as one durable transaction.

    It is the outermost one: calling a command from inside another raises, because half a command must
    never be kept. A serialization failure or deadlock is repeated up to `ATTEMPTS` times; a row that
    stays locked raises `Busy`. Inside `joined()` the command takes part in the open transaction.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise TypeError(f"{function.__name__} takes keyword arguments only")
        if current_request().read_only:
            raise ReadOnly
        if _joined.get():
            with transaction.atomic():
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            waiting: list[Callable[[], None]] = []
            token = _kept.set(waiting)
            try:
                with transaction.atomic(durable=True), grounds():
                    return function(*args, **kwargs)
            except DomainError:
                _write_kept(waiting)
                raise
            except OperationalError as error:
                state = _sqlstate(error)
                if state == _LOCK_TIMEOUT:
                    raise Busy from error
                if state not in _RETRIED or attempt == ATTEMPTS:
                    raise
            finally:
                _kept.reset(token)
        raise AssertionError("unreachable")

    run.is_command = True  # type: ignore[attr-defined]
    return run
