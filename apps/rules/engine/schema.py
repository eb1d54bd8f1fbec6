"""What a decision point is told, and what it may answer.

A point names its inputs with their types before any rule exists, so that a rule which reads something the point
is never told is refused when it is saved and not found out when money moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

MAX_TEXT: Final = 1_000
MAX_LIST: Final = 1_000
MAX_INTEGER: Final = 2**63 - 1


class Outcome(StrEnum):
    """What a decision says, from the mildest to the most restrictive."""

    ALLOW = "ALLOW"
    REQUIRE = "REQUIRE"
    REVIEW = "REVIEW"
    DENY = "DENY"

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK: Final[dict[Outcome, int]] = {outcome: rank for rank, outcome in enumerate(Outcome)}


class HitPolicy(StrEnum):
    """How rows that hit become one answer.

    FIRST: the first row by priority answers alone. MOST_RESTRICTIVE: every row is asked, the strictest outcome
    wins and only its rows give reasons; obligations of all hits are merged. COLLECT: as before, and every hit
    gives its reason.
    """

    FIRST = "FIRST"
    MOST_RESTRICTIVE = "MOST_RESTRICTIVE"
    COLLECT = "COLLECT"


class Kind(StrEnum):
    """Type of an input or an obligation. No floats: CEL would compare them inexactly."""

    BOOL = "BOOL"
    INT = "INT"
    MINOR = "MINOR"
    LOTS = "LOTS"
    TEXT = "TEXT"
    TEXTS = "TEXTS"
    INSTANT = "INSTANT"


class Merge(StrEnum):
    """How the same obligation from several hits becomes one value."""

    FIRST = "FIRST"
    MIN = "MIN"
    MAX = "MAX"
    ANY = "ANY"
    ALL = "ALL"
    UNION = "UNION"


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Field:
    """One typed input. Without a default it must be given; `None` counts as not given.

    A personal field is kept in the receipt as a keyed hash, and no rule may read it: the receipt could not
    be replayed otherwise.
    """

    name: str
    kind: Kind
    label: Any
    default: Any = REQUIRED
    personal: bool = False

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Obligation:
    """One typed value that an answer may carry, with the value it has when no row says otherwise."""

    name: str
    kind: Kind
    merge: Merge
    label: Any
    default: Any = None


@dataclass(frozen=True)
class Point:
    """A place in the system where a rule decides.

    `on_error` is the answer when an input that a row needs is missing or broken, or the row itself fails:
    `None` declares the point open, so a failing row is skipped and only noted. `on_no_hit` is the answer when
    nothing speaks. A point without any active rules always answers DENY.
    """

    code: str
    title: Any
    fields: tuple[Field, ...]
    hit_policy: HitPolicy
    on_error: Outcome | None = Outcome.DENY
    on_no_hit: Outcome = Outcome.DENY
    obligations: tuple[Obligation, ...] = ()

    @cached_property
    def fields_by_name(self) -> dict[str, Field]:
        return {item.name: item for item in self.fields}

    @cached_property
    def obligations_by_name(self) -> dict[str, Obligation]:
        return {item.name: item for item in self.obligations}


@dataclass(frozen=True, slots=True)
class Problem:
    """An input that could not be used: `MISSING`, `WRONG_TYPE` or `TOO_LONG`."""

    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Values:
    """Inputs after reading: plain CEL-ready values, and what was wrong with the rest."""

    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    broken: frozenset[str] = field(default=frozenset())


class Unreadable(Exception):
    """The value is not of the declared kind."""

    def __init__(self, code: str = "WRONG_TYPE") -> None:
        self.code = code
        super().__init__(code)


def _bool(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise Unreadable


def _int(value: Any) -> int:
    if type(value) is not int:
        raise Unreadable
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Unreadable("TOO_LONG")
    return value


def _minor(value: Any) -> int:
    """Integer minor units; a money value gives its own."""
    minor = getattr(value, "minor", value)
    return _int(minor)


def _lots(value: Any) -> int:
    """Lots become thousandths of a lot, exactly: a finer quantity is refused and not rounded."""
    if not isinstance(value, Decimal):
        return _int(value)
    if not value.is_finite():
        raise Unreadable
    scaled = value * 1000
    if scaled != scaled.to_integral_value():
        raise Unreadable
    return _int(int(scaled))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable
    if len(value) > MAX_TEXT:
        raise Unreadable("TOO_LONG")
    return str(value)


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise Unreadable
    if len(value) > MAX_LIST:
        raise Unreadable("TOO_LONG")
    texts = [_text(item) for item in value]
    return sorted(texts) if isinstance(value, set | frozenset) else texts


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unreadable
    return value


_READERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.BOOL: _bool,
    Kind.INT: _int,
    Kind.MINOR: _minor,
    Kind.LOTS: _lots,
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.INSTANT: _instant,
}


def read_value(kind: Kind, value: Any) -> Any:
    """The value in the plain form of its kind. Raises `Unreadable`."""
    return _READERS[kind](value)


def read_context(point: Point, context: Mapping[str, Any]) -> Values:
    """Type every input of the point. Never raises for bad data: what is wrong is listed and kept away from rules."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for item in point.fields:
        value = context.get(item.name)
        if value is None:
            if item.default is REQUIRED:
                problems.append(Problem(item.name, "MISSING"))
                continue
            if item.name not in context:
                values[item.name] = item.default
                continue
            problems.append(Problem(item.name, "MISSING"))
            continue
        try:
            values[item.name] = _READERS[item.kind](value)
        except Unreadable as error:
            problems.append(Problem(item.name, error.code))
    known = point.fields_by_name
    unknown = tuple(sorted(name for name in context if name not in known))
    return Values(
        values, tuple(problems), unknown, frozenset(problem.field for problem in problems)
    )
