"""Onboarding questions as data: a schema holds steps, a step holds fields, both may be conditional.

A schema file is TOML; `parse` refuses one that contradicts itself, so a mistake in a data file is
found when it is loaded and not by the first client who meets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FIELD_TYPES = frozenset(
    {"text", "date", "choice", "multichoice", "country", "phone", "yesno", "tax_id", "accept"}
)
STEP_KINDS = frozenset({"questions", "test", "agreements"})

Answers = Mapping[str, Any]


class SchemaError(ValueError):
    """The data file is wrong; the message names the place."""


@dataclass(frozen=True)
class Condition:
    """Holds when the answer to `question` is one of `values`. `country` is where the client
    lives, known before the first question."""

    question: str
    values: tuple[Any, ...]

    def holds(self, answers: Answers, country: str) -> bool:
        given = country if self.question == "country" else answers.get(self.question)
        if isinstance(given, list | tuple):
            return any(item in self.values for item in given)
        return given in self.values


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    score: int = 0


@dataclass(frozen=True)
class Field:
    """One question. `when` empty: always asked. `person` names the column it ends up in."""

    name: str
    type: str
    label: str
    help: str = ""
    required: bool = True
    options: tuple[Option, ...] = ()
    when: tuple[Condition, ...] = ()
    max_length: int = 120
    min_age: int = 0
    formats: Mapping[str, str] = field(default_factory=dict)
    autocomplete: str = ""
    person: str = ""

    def asked(self, answers: Answers, country: str) -> bool:
        return all(condition.holds(answers, country) for condition in self.when)


@dataclass(frozen=True)
class Step:
    code: str
    title: str
    kind: str
    intro: str
    fields: tuple[Field, ...]
    when: tuple[Condition, ...] = ()
    pass_score: int = 0
    agreements: tuple[str, ...] = ()

    @property
    def result_key(self) -> str:
        """Under this name the result of a test step (PASSED, FAILED) can be asked for."""
        return f"{self.code}_result"

    def asked(self, answers: Answers, country: str) -> bool:
        return all(condition.holds(answers, country) for condition in self.when)

    def visible_fields(self, answers: Answers, country: str) -> tuple[Field, ...]:
        return tuple(item for item in self.fields if item.asked(answers, country))


@dataclass(frozen=True)
class Schema:
    code: str
    version: int
    entity: str
    countries: frozenset[str]
    steps: tuple[Step, ...]

    def serves(self, entity: str, country: str) -> bool:
        """Empty `countries` means every country that no other schema of the entity names."""
        return self.entity == entity and (not self.countries or country in self.countries)

    def steps_for(self, answers: Answers, country: str) -> tuple[Step, ...]:
        """What this very client must give, in order."""
        return tuple(step for step in self.steps if step.asked(answers, country))

    def step(self, code: str) -> Step | None:
        return next((step for step in self.steps if step.code == code), None)


def parse(raw: Mapping[str, Any]) -> Schema:
    """A schema from the content of its file. Raises `SchemaError`."""
    steps = tuple(_step(item) for item in raw.get("steps", ()))
    if not steps:
        raise SchemaError(f"{raw.get('code')}: no steps")
    _refuse_repeats([step.code for step in steps], "step")
    _refuse_repeats([item.name for step in steps for item in step.fields], "field")
    _refuse_unknown_conditions(steps)
    return Schema(
        code=_required(raw, "code", "schema"),
        version=int(_required(raw, "version", "schema")),
        entity=_required(raw, "entity", "schema"),
        countries=frozenset(raw.get("countries", ())),
        steps=steps,
    )


def choose(schemas: list[Schema], entity: str, country: str) -> Schema | None:
    """The newest schema for this entity and country; one that names the country outranks one
    that is for all of them."""
    fitting = [schema for schema in schemas if schema.serves(entity, country)]
    return max(fitting, key=lambda schema: (bool(schema.countries), schema.version), default=None)


def _step(raw: Mapping[str, Any]) -> Step:
    code = _required(raw, "code", "step")
    kind = raw.get("kind", "questions")
    if kind not in STEP_KINDS:
        raise SchemaError(f"step {code}: unknown kind {kind}")
    fields = tuple(_field(item) for item in raw.get("fields", ()))
    if kind == "agreements" and not raw.get("agreements"):
        raise SchemaError(f"step {code}: names no agreements")
    if kind != "agreements" and not fields:
        raise SchemaError(f"step {code}: asks nothing")
    return Step(
        code=code,
        title=_required(raw, "title", f"step {code}"),
        kind=kind,
        intro=raw.get("intro", ""),
        fields=fields,
        when=_conditions(raw),
        pass_score=int(raw.get("pass_score", 0)),
        agreements=tuple(raw.get("agreements", ())),
    )


def _field(raw: Mapping[str, Any]) -> Field:
    name = _required(raw, "name", "field")
    kind = _required(raw, "type", f"field {name}")
    if kind not in FIELD_TYPES:
        raise SchemaError(f"field {name}: unknown type {kind}")
    options = tuple(
        Option(item["value"], item["label"], int(item.get("score", 0)))
        for item in raw.get("options", ())
    )
    if kind in ("choice", "multichoice") and len(options) < 2:
        raise SchemaError(f"field {name}: a choice needs two options or more")
    _refuse_repeats([option.value for option in options], f"option of {name}")
    return Field(
        name=name,
        type=kind,
        label=_required(raw, "label", f"field {name}"),
        help=raw.get("help", ""),
        required=raw.get("required", True),
        options=options,
        when=_conditions(raw),
        max_length=int(raw.get("max_length", 120)),
        min_age=int(raw.get("min_age", 0)),
        formats=dict(raw.get("formats", {})),
        autocomplete=raw.get("autocomplete", ""),
        person=raw.get("person", ""),
    )


def _conditions(raw: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(question, tuple(values)) for question, values in raw.get("when", {}).items()
    )


def _required(raw: Mapping[str, Any], key: str, place: str) -> Any:
    if raw.get(key) in (None, ""):
        raise SchemaError(f"{place}: {key} is missing")
    return raw[key]


def _refuse_repeats(names: list[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SchemaError(f"{what} given twice: {', '.join(repeated)}")


def _refuse_unknown_conditions(steps: tuple[Step, ...]) -> None:
    """A condition may only look back: at the country or at a question asked before."""
    known = {"country"}
    for step in steps:
        _refuse_unknown(step.code, step.when, known)
        for item in step.fields:
            _refuse_unknown(item.name, item.when, known)
            known.add(item.name)
        if step.kind == "test":
            known.add(step.result_key)


def _refuse_unknown(place: str, when: tuple[Condition, ...], known: set[str]) -> None:
    for condition in when:
        if condition.question not in known:
            raise SchemaError(f"{place}: depends on {condition.question}, which comes later")
