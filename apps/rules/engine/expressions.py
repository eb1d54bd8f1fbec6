"""CEL conditions, kept small enough that none can hurt.

Limits are those measured for the engine in use: text 2,000 characters, brackets 32 deep, comprehensions two deep,
literal lists of 1,000 items. A condition may read only the inputs that its point declares, none of them personal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import cel

from apps.rules.engine.schema import MAX_LIST, Kind, Point

MAX_EXPRESSION: Final = 2_000
MAX_NESTING: Final = 32
MAX_COMPREHENSIONS: Final = 2

_COMPREHENSION: Final = re.compile(
    r"\.\s*(all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,"
)
_STRING: Final = re.compile(r"""[rRbB]*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_FUNCTIONS: Final = frozenset({
    "size", "contains", "startsWith", "endsWith", "matches", "has", "int", "string", "min", "max",
    "timestamp", "duration", "getHours", "getDayOfWeek", "getDate", "getMonth", "getFullYear",
})  # fmt: skip
_MACRO_INTERNALS: Final = frozenset({"@result", "__result__", "@not_strictly_false"})


class BadExpression(ValueError):
    """The condition cannot be used; `code` says which limit or declaration it breaks."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition and the inputs it reads."""

    text: str
    program: Any
    reads: frozenset[str]


def _check_shape(text: str) -> str:
    """Refuse by form alone, before any parser sees the text. Returns the text with its strings emptied."""
    if not text.strip():
        raise BadExpression("EMPTY")
    if len(text) > MAX_EXPRESSION:
        raise BadExpression("TOO_LONG", f"{len(text)} > {MAX_EXPRESSION}")
    bare = _STRING.sub("''", text)
    depth = deepest = 0
    commas: list[int] = []
    for char in bare:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
            commas.append(0)
        elif char in ")]}":
            depth -= 1
            if commas and commas.pop() >= MAX_LIST:
                raise BadExpression("LIST_TOO_LONG", str(MAX_LIST))
        elif char == "," and commas:
            commas[-1] += 1
    if deepest > MAX_NESTING:
        raise BadExpression("TOO_DEEP", f"{deepest} > {MAX_NESTING}")
    if len(_COMPREHENSION.findall(bare)) > MAX_COMPREHENSIONS:
        raise BadExpression("TOO_MANY_COMPREHENSIONS", str(MAX_COMPREHENSIONS))
    return bare


def _check_names(point: Point, bare: str, program: Any) -> frozenset[str]:
    bound = {name for _, name in _COMPREHENSION.findall(bare)}
    reads = frozenset(name for name in program.variables() if name not in bound and "@" not in name)
    known = point.fields_by_name
    for name in sorted(reads):
        if name not in known:
            raise BadExpression("UNKNOWN_INPUT", name)
        if known[name].personal:
            raise BadExpression("PERSONAL_INPUT", name)
    for name in program.functions():
        if name[0].isalpha() and name not in _FUNCTIONS:
            raise BadExpression("UNKNOWN_FUNCTION", name)
    return reads


_SAMPLES: Final[dict[Kind, Any]] = {
    Kind.BOOL: True,
    Kind.INT: 1,
    Kind.MINOR: 1,
    Kind.LOTS: 1,
    Kind.TEXT: "x",
    Kind.TEXTS: ["x"],
}


def _check_types(point: Point, program: Any, reads: frozenset[str]) -> None:
    """Run once on values of the declared types: a comparison between types shows itself here and not in production."""
    known = point.fields_by_name
    if any(known[name].kind is Kind.INSTANT for name in reads):
        return
    sample = {name: _SAMPLES[known[name].kind] for name in reads}
    try:
        answer = program.execute(sample)
    except ZeroDivisionError:
        return
    except Exception as error:
        raise BadExpression("WRONG_TYPES", type(error).__name__) from None
    if not isinstance(answer, bool):
        raise BadExpression("NOT_A_CONDITION", type(answer).__name__)


def compile_condition(point: Point, text: str) -> Condition:
    """Compile the condition of one rule of the point. Raises `BadExpression` and nothing else."""
    bare = _check_shape(text)
    try:
        program = cel.compile(text)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise BadExpression("SYNTAX", str(error)[:200]) from None
    reads = _check_names(point, bare, program)
    _check_types(point, program, reads)
    return Condition(text, program, reads)
