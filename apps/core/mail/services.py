"""Changing what a message says: drafted by one person, approved by another, the version before kept."""

from __future__ import annotations

from uuid import UUID

from apps.core.actor import Actor, ScopeLevel
from apps.core.approvals import approval_request, approves, payload_digest
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible, StaleBase, WrongState
from apps.core.locks import lock_row
from apps.core.mail.kinds import MAIL_KINDS
from apps.core.mail.texts import languages, problems, words_for
from apps.core.models import Approval, MessageTemplate
from apps.core.permissions import EDIT_MESSAGE, PUBLISH_MESSAGE

APPROVAL = "message.activate"
State = MessageTemplate.State


@command
def message_draft(
    *, code: str, language: str, entity: str = "", actor: Actor, reason: str
) -> MessageTemplate:
    """Begin the next version from the words in use. The draft that is there already is returned.

    Raises `NotAllowed`, `NotVisible` for a company out of scope, `InvalidInput` for an unknown message or language.
    """
    actor.require(EDIT_MESSAGE)
    _require_company(actor, entity)
    kind = MAIL_KINDS.get(code)
    if kind is None:
        raise InvalidInput(field="code", problem="there is no such message")
    if language not in languages():
        raise InvalidInput(field="language", problem=f"one of {', '.join(languages())}")
    mine = MessageTemplate.objects.filter(code=code, entity=entity, language=language)
    waiting = mine.filter(state__in=(State.DRAFT, State.PROPOSED)).first()
    if waiting is not None:
        return waiting
    newest = mine.order_by("-version").values_list("version", flat=True).first()
    words = words_for(kind, entity=entity, language=language)
    draft = MessageTemplate(
        code=code,
        entity=entity,
        language=language,
        version=(newest or 0) + 1,
        subject=words.subject,
        body=words.body,
    )
    draft.save_as(actor, reason, action="message.draft")
    return draft


@command
def message_edit(
    *, messagetemplate_id: UUID, subject: str, body: str, actor: Actor, reason: str
) -> MessageTemplate:
    """Change a draft's words. Raises `NotVisible`, `NotAllowed`, `WrongState`, `InvalidInput` for words that
    name what this message does not have, or leave out what it must have."""
    actor.require(EDIT_MESSAGE)
    draft = _locked(messagetemplate_id, actor)
    _require(draft, State.DRAFT, "editing")
    draft.subject, draft.body = subject.strip(), body.replace("\r\n", "\n").strip()
    _require_usable(draft)
    draft.save_as(actor, reason, action="message.edit")
    return draft


@command
def message_propose(*, messagetemplate_id: UUID, actor: Actor, reason: str) -> MessageTemplate:
    """Ask somebody else to put the draft into use. Raises as `message_edit`."""
    actor.require(EDIT_MESSAGE)
    draft = _locked(messagetemplate_id, actor)
    _require(draft, State.DRAFT, "proposing")
    _require_usable(draft)
    approval = approval_request(
        action=APPROVAL,
        title=f"Message {draft}",
        payload={"template_id": str(draft.pk), "words": _digest(draft)},
        permission=PUBLISH_MESSAGE,
        actor=actor,
        reason=reason,
        subject=draft,
        entity=draft.entity,
    )
    draft.approval_id = approval.pk
    draft.propose(by=actor, reason=reason)
    draft.save_as(actor, reason, action="message.propose")
    return draft


@command
def message_retire(*, messagetemplate_id: UUID, actor: Actor, reason: str) -> MessageTemplate:
    """Drop a draft, or go back from a version in use to what ships with the release.

    Raises `NotVisible`, `NotAllowed`, `WrongState`.
    """
    row = _locked(messagetemplate_id, actor)
    actor.require(PUBLISH_MESSAGE if row.state == State.ACTIVE else EDIT_MESSAGE)
    if row.state not in (State.ACTIVE, State.DRAFT):
        raise WrongState(state=row.get_state_display(), command="retiring")
    row.retire(by=actor, reason=reason)
    row.save_as(actor, reason, action="message.retire")
    return row


def message_put_into_use(draft: MessageTemplate, *, actor: Actor, reason: str) -> None:
    """The version takes the place of the one before it: part of another command."""
    rows = MessageTemplate.objects.filter(
        code=draft.code, entity=draft.entity, language=draft.language, state=State.ACTIVE
    )
    for before in rows.select_for_update():
        before.retire(by=actor, reason=reason)
        before.save_as(actor, reason, action="message.retire")
    draft.activate(by=actor, reason=reason)
    draft.save_as(actor, reason, action="message.activate")


def _refused(approval: Approval, *, actor: Actor) -> None:
    draft = _locked(UUID(approval.payload["template_id"]), actor)
    draft.send_back(by=actor, reason="not approved")
    draft.save_as(actor, "not approved", action="message.send_back")


@approves(APPROVAL, on_reject=_refused)
def _agreed(approval: Approval, *, actor: Actor) -> None:
    draft = _locked(UUID(approval.payload["template_id"]), actor)
    _require(draft, State.PROPOSED, "approval")
    if _digest(draft) != approval.payload["words"]:
        raise StaleBase
    _require_usable(draft)
    message_put_into_use(draft, actor=actor, reason=approval.reason)


def _digest(row: MessageTemplate) -> str:
    return payload_digest({"subject": row.subject, "body": row.body})


def _locked(template_id: UUID, actor: Actor) -> MessageTemplate:
    row: MessageTemplate = lock_row(MessageTemplate.objects.all(), template_id, visible_to=actor)
    return row


def _require(row: MessageTemplate, state: str, act: str) -> None:
    if row.state != state:
        raise WrongState(state=row.get_state_display(), command=act)


def _require_usable(row: MessageTemplate) -> None:
    found = list(problems(MAIL_KINDS[row.code], subject=row.subject, body=row.body))
    if found:
        raise InvalidInput(field="text", problem="; ".join(found))


def _require_company(actor: Actor, entity: str) -> None:
    if actor.scope.level is ScopeLevel.ALL:
        return
    if not entity or entity not in actor.scope.entities:
        raise NotVisible
