"""One call for every decision point: ask the rules, keep the receipt."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models

from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import keep_if_refused
from apps.core.context import current_request, note_decision
from apps.core.ids import new_id
from apps.rules.compiled import compile_versions, compiled_for
from apps.rules.engine.compile import CompiledSet
from apps.rules.engine.evaluate import Reason, Verdict, evaluate
from apps.rules.engine.schema import Outcome, Point
from apps.rules.errors import RefusedByRule, UnknownPoint
from apps.rules.models import DecisionLog, RuleSet
from apps.rules.points import POINTS


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question at one point. Every obligation of the point is there, at least with its default."""

    point: str
    outcome: Outcome
    obligations: dict[str, Any]
    reasons: tuple[Reason, ...]
    decision_id: UUID
    version: str
    verdict: Verdict = field(repr=False)

    @property
    def id(self) -> UUID:
        return self.decision_id

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOW

    @property
    def refused(self) -> bool:
        """Denied, or something must be done first. A review is neither allowed nor refused."""
        return self.outcome in (Outcome.DENY, Outcome.REQUIRE)

    def raise_unless_allowed(self) -> None:
        """For callers that cannot wait for a person. Raises `RefusedByRule` with the first reason's code."""
        if not self.allowed:
            raise RefusedByRule(self)

    def raise_if_refused(self) -> None:
        """For callers that can put the thing in front of a person. Raises `RefusedByRule`."""
        if self.refused:
            raise RefusedByRule(self)


class DecisionBatch:
    """Keeps receipts until the block ends and writes them with one statement: for paths that decide often.

    The block must end inside the transaction of what was decided.
    """

    def __init__(self) -> None:
        self._receipts: list[DecisionLog] = []

    def add(self, receipt: DecisionLog) -> None:
        self._receipts.append(receipt)

    def write(self) -> int:
        receipts, self._receipts = self._receipts, []
        DecisionLog.objects.bulk_create(receipts, batch_size=500)
        return len(receipts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.write()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _inputs(point: Point, verdict: Verdict) -> dict[str, Any]:
    """Inputs as the receipt keeps them: personal ones only as a keyed hash, equal for equal values."""
    kept = {}
    key = settings.SECRET_KEY.encode()
    for name, value in verdict.inputs.items():
        if point.fields_by_name[name].personal and value != "":
            digest = hmac.new(key, str(value).encode(), hashlib.sha256).hexdigest()
            kept[name] = f"hmac:{digest[:24]}"
        else:
            kept[name] = _plain(value)
    return kept


def _receipt(
    compiled: CompiledSet,
    verdict: Verdict,
    *,
    decision_id: UUID,
    actor: Actor,
    subject: models.Model | None,
    client_id: UUID | None,
    entity: str,
    at: datetime,
) -> DecisionLog:
    if client_id is None and subject is not None:
        client_id = getattr(subject, "audit_client_id", None)
    return DecisionLog(
        id=decision_id,
        decided_at=at,
        point=compiled.point.code,
        entity=entity,
        outcome=verdict.outcome.value,
        sources=[
            {"key": source.key, "version": source.version, "checksum": source.checksum}
            for source in compiled.sources
        ],
        inputs=_inputs(compiled.point, verdict),
        problems=[{"field": problem.field, "code": problem.code} for problem in verdict.problems],
        results=[
            {"rule": result.rule, "result": result.result.value, "us": round(result.us, 1)}
            | ({"detail": result.detail} if result.detail else {})
            for result in verdict.results
        ],
        obligations=verdict.obligations,
        reasons=[
            {"code": reason.code, "text": reason.text, "rule": reason.rule}
            for reason in verdict.reasons
        ],
        duration_us=round(verdict.us),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        subject_type=subject._meta.label if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        client_id=client_id,
        request_id=actor.request_id or current_request().request_id,
    )


def version_label(compiled: CompiledSet) -> str:
    return ", ".join(_versions(compiled))


def _versions(compiled: CompiledSet) -> list[str]:
    return [f"{source.key} v{source.version}" for source in compiled.sources]


def decide(
    point: str,
    context: Mapping[str, Any],
    *,
    actor: Actor,
    subject: models.Model | None = None,
    entity: str = "",
    client_id: UUID | None = None,
    batch: DecisionBatch | None = None,
) -> Decision:
    """Ask the active rules of `entity` and those common to all, and keep the receipt.

    Inputs are those that `points.py` declares for the point. A missing or broken one fails as the point declares
    and never raises; an undeclared one raises `TypeError`, because it is a mistake in the caller. The receipt is
    part of the open transaction and is kept as well when the command is refused afterwards. With `batch` it is
    written when the batch ends.
    """
    if point not in POINTS:
        raise UnknownPoint(point=point)
    compiled = compiled_for(point, entity)
    at = clock.now()
    verdict = evaluate(compiled, context, at=at)
    if verdict.unknown:
        known = ", ".join(compiled.point.fields_by_name)
        raise TypeError(f"{point} is not told {', '.join(verdict.unknown)}; it is told: {known}")
    decision_id = new_id()
    receipt = _receipt(
        compiled,
        verdict,
        decision_id=decision_id,
        actor=actor,
        subject=subject,
        client_id=client_id,
        entity=entity,
        at=at,
    )
    if batch is not None:
        batch.add(receipt)
    else:
        receipt.save(force_insert=True)
        if verdict.outcome is not Outcome.ALLOW:
            keep_if_refused(lambda: _keep(receipt))
    note_decision(decision_id, _versions(compiled), client_id=receipt.client_id)
    return Decision(
        point=point,
        outcome=verdict.outcome,
        obligations=verdict.obligations,
        reasons=verdict.reasons,
        decision_id=decision_id,
        version=version_label(compiled),
        verdict=verdict,
    )


def _keep(receipt: DecisionLog) -> None:
    """Write the receipt again after its transaction was undone: a refusal leaves a trace although nothing changed."""
    receipt._state.adding = True
    receipt.save(force_insert=True)


def decide_again(receipt: DecisionLog) -> tuple[Outcome, dict[str, Any]]:
    """Compute an old decision with the versions that answered it then. Writes nothing."""
    versions = [
        RuleSet.objects.prefetch_related("rules").get(
            point=receipt.point,
            entity="" if source["key"].startswith("COMMON/") else source["key"].split("/")[0],
            version=source["version"],
        )
        for source in receipt.sources
    ]
    point = POINTS[receipt.point]
    context = {
        name: value
        for name, value in receipt.inputs.items()
        if name in point.fields_by_name and not point.fields_by_name[name].personal
    }
    for problem in receipt.problems:
        context[problem["field"]] = None
    verdict = evaluate(compile_versions(receipt.point, versions), context, at=receipt.decided_at)
    return verdict.outcome, verdict.obligations
