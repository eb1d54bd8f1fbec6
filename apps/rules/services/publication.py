"""How a version comes into force: written, tested, published by someone else, rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.commands import command
from apps.core.errors import WrongState
from apps.core.locks import lock_row, lock_rows
from apps.core.models import Approval
from apps.rules.compiled import compile_versions, forget_compiled
from apps.rules.engine.compile import CompiledSet, RuleRow, checksum_of, compile_rule
from apps.rules.engine.expressions import BadExpression
from apps.rules.engine.schema import HitPolicy
from apps.rules.enums import EDITABLE, RuleSetOrigin, RuleSetState
from apps.rules.errors import BadRule, GoldenCaseFailed, NothingToRestore
from apps.rules.files import (
    DATA,
    Case,
    SetContent,
    compile_contents,
    failing_case,
    rule_files,
    set_key,
)
from apps.rules.models import Rule, RuleSet, RulesVersion
from apps.rules.permissions import EDIT_RULES, PUBLISH_RULES
from apps.rules.points import POINTS

FILE_AUTHOR = "system:rule-files"


def _announce() -> None:
    """Let every process notice, this one at once."""
    RulesVersion.objects.get_or_create(pk=1)
    RulesVersion.objects.filter(pk=1).update(number=F("number") + 1)
    forget_compiled()
    transaction.on_commit(forget_compiled)


def _next_version(entity: str, point: str) -> int:
    newest = RuleSet.objects.filter(entity=entity, point=point).order_by("-version").first()
    return newest.version + 1 if newest else 1


def _activate(ruleset: RuleSet, *, actor: Actor, reason: str, action: str) -> None:
    """Put the version into force and end the one before it, in one transaction."""
    for active in lock_rows(
        RuleSet.objects.filter(
            entity=ruleset.entity, point=ruleset.point, state=RuleSetState.ACTIVE
        )
    ):
        active.supersede(by=actor, reason=reason)
        active.save_as(actor, reason, action="ruleset.supersede")
    ruleset.publish(by=actor, reason=reason)
    ruleset.save_as(actor, reason, action=action)
    _announce()


# Files


def golden_cases() -> dict[str, tuple[Case, ...]]:
    """The cases that guard each set, by its key: every version must pass them, whoever wrote it."""
    return {content.key: content.cases for content in rule_files()}


def _failures(
    contents: list[SetContent], compiled: Mapping[tuple[str, str], CompiledSet], at: datetime
) -> list[str]:
    return [
        f"{content.key}: {failure}"
        for content in contents
        for case in content.cases
        if (failure := failing_case(compiled[content.entity, content.point.code], case, at=at))
    ]


@command
def load_rule_files(*, actor: Actor, folder: Path = DATA) -> list[RuleSet]:
    """Put every set of the files into force whose content changed since it was last loaded.

    A version that staff published meanwhile stays in force as long as the file does not change. Nothing is
    loaded when one golden case fails. Raises `BadRule`, `GoldenCaseFailed`.
    """
    contents = list(rule_files(folder))
    try:
        compiled = compile_contents(contents)
    except BadExpression as error:
        raise BadRule(rule=error.detail, problem=error.code) from error
    if failures := _failures(contents, compiled, clock.now()):
        raise GoldenCaseFailed(cases="; ".join(failures))
    loaded: dict[str, str] = {}
    for ruleset in RuleSet.objects.filter(origin=RuleSetOrigin.FILE).order_by("version"):
        loaded[ruleset.key] = ruleset.checksum
    return [
        _load(content, actor=actor)
        for content in contents
        if loaded.get(content.key) != content.checksum
    ]


def _load(content: SetContent, *, actor: Actor) -> RuleSet:
    reason = _("The rule file changed.")
    ruleset = RuleSet(
        entity=content.entity,
        point=content.point.code,
        version=_next_version(content.entity, content.point.code),
        title=content.title,
        hit_policy=content.hit_policy.value,
        origin=RuleSetOrigin.FILE,
        author_id=FILE_AUTHOR,
        author_label=_("rule file"),
        checksum=content.checksum,
    )
    ruleset.pass_tests(by=actor, reason=reason)
    ruleset.save_as(actor, reason, action="ruleset.load")
    Rule.objects.bulk_create(Rule.from_row(ruleset, row) for row in content.rows)
    _activate(ruleset, actor=actor, reason=reason, action="ruleset.publish")
    return ruleset


def ruleset_take_over(*, content: SetContent, actor: Actor, reason: str) -> RuleSet:
    """Put a set that two people agreed on elsewhere into force: part of another command.

    It compiles and passes the golden cases of its key, as every version does. Raises `BadRule`, `GoldenCaseFailed`.
    """
    ruleset = RuleSet(
        entity=content.entity,
        point=content.point.code,
        version=_next_version(content.entity, content.point.code),
        title=content.title,
        hit_policy=content.hit_policy.value,
        origin=RuleSetOrigin.STAFF,
        author_id="system:config",
        author_label=_("configuration"),
        checksum=content.checksum,
    )
    ruleset.pass_tests(by=actor, reason=reason)
    ruleset.save_as(actor, reason, action="ruleset.take_over")
    Rule.objects.bulk_create(Rule.from_row(ruleset, row) for row in content.rows)
    try:
        compiled = _compiled_with_common(ruleset)
    except BadExpression as error:
        raise BadRule(rule=error.detail, problem=error.code) from error
    cases = golden_cases().get(content.key, ())
    if failures := [f for c in cases if (f := failing_case(compiled, c, at=clock.now()))]:
        raise GoldenCaseFailed(cases="; ".join(failures))
    _activate(ruleset, actor=actor, reason=reason, action="ruleset.publish")
    return ruleset


# Drafts of staff


@command
def ruleset_draft(*, ruleset_id: UUID, actor: Actor, reason: str) -> RuleSet:
    """A new draft with the rows of an existing version. Raises `NotVisible`, `NotAllowed`."""
    base = lock_row(RuleSet.objects.all(), ruleset_id, visible_to=actor)
    actor.require(EDIT_RULES)
    return _copy(base, actor=actor, reason=reason, restores=None)


def _copy(base: RuleSet, *, actor: Actor, reason: str, restores: int | None) -> RuleSet:
    draft = RuleSet(
        entity=base.entity,
        point=base.point,
        version=_next_version(base.entity, base.point),
        title=base.title,
        hit_policy=base.hit_policy,
        origin=RuleSetOrigin.STAFF,
        author_id=base.author_id if restores else actor.id,
        author_label=base.author_label if restores else actor.label,
        restores=restores,
        checksum=base.checksum if restores else "",
    )
    if restores:
        draft.pass_tests(by=actor, reason=reason)
    draft.save_as(actor, reason, action="ruleset.draft")
    Rule.objects.bulk_create(Rule.from_row(draft, rule.row) for rule in base.rules.all())
    return draft


def _draft_locked(ruleset_id: UUID, actor: Actor) -> RuleSet:
    draft = lock_row(RuleSet.objects.all(), ruleset_id, visible_to=actor)
    actor.require(EDIT_RULES)
    if draft.state not in EDITABLE:
        raise WrongState(state=draft.get_state_display(), command=_("editing"))
    return draft


@command
def rule_save(*, ruleset_id: UUID, row: RuleRow, actor: Actor, reason: str) -> Rule:
    """Add or replace one row of a draft; the version must be tested again. Raises `BadRule`, `WrongState`."""
    draft = _draft_locked(ruleset_id, actor)
    try:
        compile_rule(POINTS[draft.point], row, draft.source)
    except BadExpression as error:
        raise BadRule(rule=row.code, problem=str(error)) from error
    known = draft.rules.filter(code=row.code).first()
    fresh = Rule.from_row(draft, row)
    if known is not None:
        fresh.pk = known.pk
        fresh.save(force_update=True)
    else:
        fresh.save(force_insert=True)
    _edited(draft, actor, reason, f"rule.{'change' if known else 'add'}")
    return fresh


@command
def rule_remove(*, ruleset_id: UUID, code: str, actor: Actor, reason: str) -> None:
    """Take one row out of a draft. Raises `WrongState`."""
    draft = _draft_locked(ruleset_id, actor)
    draft.rules.filter(code=code).delete()
    _edited(draft, actor, reason, "rule.remove")


def _edited(draft: RuleSet, actor: Actor, reason: str, action: str) -> None:
    if draft.state == RuleSetState.TESTING:
        draft.reopen(by=actor, reason=reason)
    draft.save_as(actor, reason, action=action)


def _compiled_with_common(ruleset: RuleSet) -> CompiledSet:
    versions = [ruleset]
    if ruleset.entity:
        versions += RuleSet.objects.filter(
            entity="", point=ruleset.point, state=RuleSetState.ACTIVE
        ).prefetch_related("rules")
    return compile_versions(ruleset.point, versions)


def _rows(ruleset: RuleSet) -> Iterable[RuleRow]:
    return [rule.row for rule in ruleset.rules.all()]


@command
def ruleset_test(*, ruleset_id: UUID, actor: Actor, reason: str) -> RuleSet:
    """Compile the draft and ask it every golden case of its set. Raises `BadRule`, `GoldenCaseFailed`."""
    draft = _draft_locked(ruleset_id, actor)
    try:
        compiled = _compiled_with_common(draft)
    except BadExpression as error:
        raise BadRule(rule=error.detail, problem=error.code) from error
    at = clock.now()
    cases = golden_cases().get(set_key(draft.entity, draft.point), ())
    failures = [failure for case in cases if (failure := failing_case(compiled, case, at=at))]
    if failures:
        raise GoldenCaseFailed(cases="; ".join(failures))
    draft.checksum = checksum_of(_rows(draft), HitPolicy(draft.hit_policy))
    if draft.state == RuleSetState.DRAFT:
        draft.pass_tests(by=actor, reason=reason)
    draft.save_as(actor, reason, action="ruleset.test")
    return draft


@command
def ruleset_reopen(*, ruleset_id: UUID, actor: Actor, reason: str) -> RuleSet:
    """Back to the desk. Raises `WrongState`."""
    draft = _draft_locked(ruleset_id, actor)
    draft.reopen(by=actor, reason=reason)
    draft.save_as(actor, reason, action="ruleset.reopen")
    return draft


@command
def ruleset_submit(*, ruleset_id: UUID, actor: Actor, reason: str) -> Approval:
    """Ask someone else to publish a tested version; from here on its content cannot change."""
    draft = _draft_locked(ruleset_id, actor)
    if draft.state != RuleSetState.TESTING:
        raise WrongState(state=draft.get_state_display(), command=_("publication"))
    draft.submit(by=actor, reason=reason)
    draft.save_as(actor, reason, action="ruleset.submit")
    return approval_request(
        action="rules.publish",
        title=_("Publish {version}").format(version=draft),
        payload={"ruleset_id": str(draft.id), "checksum": draft.checksum},
        permission=PUBLISH_RULES,
        actor=actor,
        reason=reason,
        subject=draft,
        entity=draft.entity,
    )


def _discard(approval: Approval, *, actor: Actor) -> None:
    draft = lock_row(RuleSet.objects.all(), approval.payload["ruleset_id"])
    draft.roll_back(by=actor, reason=approval.reason)
    draft.save_as(actor, approval.reason, action="ruleset.discard")


@approves("rules.publish", on_reject=_discard, two_in_emergency=True)
def _publish(approval: Approval, *, actor: Actor) -> None:
    draft = lock_row(RuleSet.objects.all(), approval.payload["ruleset_id"])
    _activate(draft, actor=actor, reason=approval.reason, action="ruleset.publish")


@command
def ruleset_roll_back(*, ruleset_id: UUID, actor: Actor, reason: str) -> RuleSet:
    """End the active version and put the content of the one before it into force again, at once.

    The restored content comes back as a new version, so every receipt keeps naming what answered.
    Raises `NotVisible`, `NotAllowed`, `WrongState`, `NothingToRestore`, `AuthorPublishes`.
    """
    active = lock_row(RuleSet.objects.all(), ruleset_id, visible_to=actor)
    actor.require(PUBLISH_RULES)
    if active.state != RuleSetState.ACTIVE:
        raise WrongState(state=active.get_state_display(), command=_("a roll-back"))
    earlier = (
        RuleSet.objects.filter(
            entity=active.entity, point=active.point, state=RuleSetState.SUPERSEDED
        )
        .exclude(checksum=active.checksum)
        .order_by("-version")
        .first()
    )
    if earlier is None:
        raise NothingToRestore
    active.roll_back(by=actor, reason=reason)
    active.save_as(actor, reason, action="ruleset.roll_back")
    restored = _copy(earlier, actor=actor, reason=reason, restores=earlier.version)
    _activate(restored, actor=actor, reason=reason, action="ruleset.publish")
    return restored
