"""Rule sets in force, carried between installations by company and decision point. Golden cases guard each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.config import Change, ConfigKind, Items, register_config
from apps.rules.engine.compile import RuleRow
from apps.rules.engine.schema import Outcome
from apps.rules.enums import RuleSetState
from apps.rules.files import SetContent, set_key
from apps.rules.models import RuleSet
from apps.rules.points import POINTS
from apps.rules.services.publication import ruleset_take_over

COMMON = "COMMON"


class RowData(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    when: str
    outcome: str
    then: dict[str, Any]
    reason: str
    text: str
    priority: int
    scope: dict[str, list[str]]
    valid_from: datetime | None
    valid_to: datetime | None
    enabled: bool
    source_url: str
    verified_on: str


class SetData(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    rows: list[RowData]


def sets_export() -> Items:
    active = RuleSet.objects.filter(state=RuleSetState.ACTIVE).prefetch_related("rules")
    return {
        set_key(row.entity, row.point): {
            "title": row.title,
            "rows": [_row(rule.row) for rule in sorted(row.rules.all(), key=lambda r: r.code)],
        }
        for row in active
    }


def _row(row: RuleRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in RowData.__struct_fields__}
    values["outcome"] = row.outcome.value
    values["scope"] = {name: list(parts) for name, parts in sorted(row.scope.items())}
    values["then"] = dict(row.then)
    return dict(msgspec.to_builtins(values))


def set_problems(key: str, values: dict[str, Any]) -> Iterable[str]:
    if key.partition("/")[2] not in POINTS:
        yield "there is no such decision point"
    codes = [row["code"] for row in values["rows"]]
    if codes != sorted(set(codes)):
        yield "rows stand once and in the order of their codes"


def set_apply(change: Change, actor: Actor, reason: str) -> None:
    assert change.after is not None
    company, _slash, point = change.key.partition("/")
    rows = msgspec.convert(change.after["rows"], list[RowData])
    content = SetContent(
        entity="" if company == COMMON else company,
        point=POINTS[point],
        title=change.after["title"],
        hit_policy=POINTS[point].hit_policy,
        rows=tuple(_rule(row) for row in rows),
        cases=(),
    )
    ruleset_take_over(content=content, actor=actor, reason=reason)


def _rule(row: RowData) -> RuleRow:
    values = {name: getattr(row, name) for name in RowData.__struct_fields__}
    values["outcome"] = Outcome(row.outcome)
    values["scope"] = {name: tuple(parts) for name, parts in row.scope.items()}
    return RuleRow(**values)


def common_first(key: str) -> tuple[bool, str]:
    """A company's rules are tried together with the common ones."""
    return not key.startswith(f"{COMMON}/"), key


register_config(
    ConfigKind(
        "rules.sets",
        _("Rules"),
        SetData,
        sets_export,
        set_apply,
        check=set_problems,
        order=75,
        sort=common_first,
    )
)
