"""Refusals of the rules layer, and the one refusal that stands for every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

if TYPE_CHECKING:
    from apps.rules.services.decisions import Decision


class RefusedByRule(DomainError):
    """A rule said no. `code` is the first reason's code, so that it reads the same as any other refusal."""

    code = "REFUSED_BY_RULE"
    message = _("{text}")
    status = 422

    def __init__(self, decision: Decision, **values: Any) -> None:
        self.decision = decision
        reason = decision.reasons[0] if decision.reasons else None
        self.code = reason.code if reason else "REFUSED_BY_RULE"
        text = (reason.text if reason else "") or _("The rules do not permit this.")
        super().__init__(
            text=str(text),
            outcome=decision.outcome.value,
            decision_id=str(decision.decision_id),
            steps=list(decision.obligations.get("steps") or []),
            **values,
        )


class UnknownPoint(DomainError):
    code = "UNKNOWN_DECISION_POINT"
    message = _("There is no decision point {point}.")


class BadRule(DomainError):
    code = "BAD_RULE"
    message = _("Row {rule} cannot be used: {problem}.")


class GoldenCaseFailed(DomainError):
    code = "GOLDEN_CASE_FAILED"
    message = _("The rule set does not give the expected answers: {cases}.")


class AuthorPublishes(DomainError):
    code = "AUTHOR_CANNOT_PUBLISH"
    message = _("You wrote this version, so someone else must publish it.")
    status = 403


class NothingToRestore(DomainError):
    code = "NOTHING_TO_RESTORE"
    message = _("There is no earlier version to go back to.")
    status = 409
