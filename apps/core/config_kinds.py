"""What core itself carries between installations: approval policies and the words of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.approvals import EFFECTS
from apps.core.approvals.policies import new_version, policy_data, put_in_force
from apps.core.config import Change, ConfigKind, Items, register_config
from apps.core.errors import DomainError
from apps.core.mail.kinds import MAIL_KINDS
from apps.core.mail.services import message_put_into_use
from apps.core.mail.texts import problems
from apps.core.models import ApprovalPolicy, MessageTemplate
from apps.core.permissions import CHANGE_POLICY

EVERYBODY = "*"


class PolicyItem(msgspec.Struct, forbid_unknown_fields=True):
    content: dict[str, Any]


class WordsItem(msgspec.Struct, forbid_unknown_fields=True):
    subject: str
    body: str


def policies_export() -> Items:
    rows = ApprovalPolicy.objects.filter(state=ApprovalPolicy.State.ACTIVE)
    return {row.action: {"content": row.content} for row in rows}


def policy_problems(key: str, values: dict[str, Any]) -> Iterable[str]:
    try:
        policy_data(values["content"])
    except DomainError as error:
        yield str(error)


def no_such_action(change: Change) -> str:
    """A policy governs something that this house does."""
    return "" if change.key in EFFECTS else f"no action is named {change.key}"


def policy_apply(change: Change, actor: Actor, reason: str) -> None:
    assert change.after is not None
    row = new_version(change.key, change.after["content"], ApprovalPolicy.Source.STAFF)
    row.save_as(actor, reason, action="config.policy")
    put_in_force(row, actor, reason)


def words_export() -> Items:
    rows = MessageTemplate.objects.filter(state=MessageTemplate.State.ACTIVE)
    return {
        f"{row.code}/{row.entity or EVERYBODY}/{row.language}": {
            "subject": row.subject,
            "body": row.body,
        }
        for row in rows
    }


def words_problems(key: str, values: dict[str, Any]) -> Iterable[str]:
    code = key.partition("/")[0]
    if key.count("/") != 2 or code not in MAIL_KINDS:
        yield "there is no such message"
        return
    yield from problems(MAIL_KINDS[code], subject=values["subject"], body=values["body"])


def words_apply(change: Change, actor: Actor, reason: str) -> None:
    code, company, language = change.key.split("/")
    entity = "" if company == EVERYBODY else company
    mine = MessageTemplate.objects.filter(code=code, entity=entity, language=language)
    if change.after is None:
        for row in mine.filter(state=MessageTemplate.State.ACTIVE):
            row.retire(by=actor, reason=reason)
            row.save_as(actor, reason, action="config.retire")
        return
    newest = mine.aggregate(n=Max("version"))["n"] or 0
    row = MessageTemplate(
        code=code, entity=entity, language=language, version=newest + 1, **change.after
    )
    message_put_into_use(row, actor=actor, reason=reason)


register_config(
    ConfigKind(
        "core.policies",
        _("Approval policies"),
        PolicyItem,
        policies_export,
        policy_apply,
        check=policy_problems,
        order=20,
        needs=CHANGE_POLICY,
        refuses=no_such_action,
    )
)
register_config(
    ConfigKind(
        "core.messages",
        _("Message texts"),
        WordsItem,
        words_export,
        words_apply,
        check=words_problems,
        retires=True,
        order=80,
    )
)
