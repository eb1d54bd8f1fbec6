"""What a message says is data: drafted by one, approved by another, kept version by version."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.core.actor import Actor
from apps.core.approvals import approval_vote
from apps.core.errors import DomainError, InvalidInput, NotAllowed, NotVisible, SelfApproval
from apps.core.mail.kinds import MAIL_KINDS
from apps.core.mail.services import message_draft, message_edit, message_propose, message_retire
from apps.core.mail.texts import words_for, words_in_file
from apps.core.models import AuditRecord, MessageTemplate
from apps.users.models import Role, User
from apps.users.roles import load_roles
from apps.users.selectors import actor_for

pytestmark = pytest.mark.django_db

CODE = "clients.welcome"
KIND = MAIL_KINDS[CODE]


@pytest.fixture(autouse=True)
def roles(db) -> None:
    load_roles()


def staff(role: str, name: str = "", **fields: object) -> Actor:
    user = User.objects.create_user(
        f"{name or role}@broker.example", is_staff=True, **{"scope_level": "ALL", **fields}
    )
    user.groups.add(Role.objects.get(name=role))
    return actor_for(User.objects.get(pk=user.pk))


def drafted(actor: Actor, body: str, **fields: str) -> MessageTemplate:
    draft = message_draft(code=CODE, language="en", actor=actor, reason="new words", **fields)
    return message_edit(
        messagetemplate_id=draft.pk, subject="Welcome!", body=body, actor=actor, reason="friendlier"
    )


def in_use(entity: str = "BOS-EU", language: str = "en") -> str:
    return words_for(KIND, entity=entity, language=language).body


def test_words_go_from_draft_through_another_persons_yes_into_use():
    maker, checker = staff("operations"), staff("compliance")
    draft = drafted(maker, "Hi {{ name }}: {{ link }}")
    assert in_use() == words_in_file(CODE, "en").body
    draft = message_propose(messagetemplate_id=draft.pk, actor=maker, reason="please")
    assert in_use() == words_in_file(CODE, "en").body
    with pytest.raises(DomainError):
        approval_vote(approval_id=draft.approval_id, actor=maker, verdict="APPROVE", reason="mine")
    approval_vote(approval_id=draft.approval_id, actor=checker, verdict="APPROVE", reason="fine")
    assert in_use() == "Hi {{ name }}: {{ link }}"
    second = drafted(maker, "Hello {{ name }}: {{ link }}")
    assert second.version == 2
    message_propose(messagetemplate_id=second.pk, actor=maker, reason="better")
    second = MessageTemplate.objects.get(pk=second.pk)
    approval_vote(approval_id=second.approval_id, actor=checker, verdict="APPROVE", reason="fine")
    states = dict(MessageTemplate.objects.values_list("version", "state"))
    assert states == {1: "RETIRED", 2: "ACTIVE"}
    assert AuditRecord.objects.filter(action="message.activate").count() == 2


def test_the_makers_own_yes_is_refused_even_with_the_permission():
    maker = staff("compliance")
    draft = drafted(maker, "Hi {{ link }}")
    draft = message_propose(messagetemplate_id=draft.pk, actor=maker, reason="please")
    with pytest.raises(SelfApproval):
        approval_vote(approval_id=draft.approval_id, actor=maker, verdict="APPROVE", reason="mine")
    assert in_use() == words_in_file(CODE, "en").body


def test_a_no_gives_the_draft_back():
    maker, checker = staff("operations"), staff("compliance")
    draft = drafted(maker, "Hi {{ link }}")
    draft = message_propose(messagetemplate_id=draft.pk, actor=maker, reason="please")
    approval_vote(
        approval_id=draft.approval_id, actor=checker, verdict="REJECT", reason="too short"
    )
    assert MessageTemplate.objects.get().state == "DRAFT"


@pytest.mark.parametrize(
    "body", ["Hi {{ nome }} {{ link }}", "Hi {{ name }}", "{% load x %}{{ link }}"]
)
def test_words_that_cannot_be_used_are_not_saved(body):
    maker = staff("operations")
    before = message_draft(code=CODE, language="en", actor=maker, reason="new words").body
    with pytest.raises(InvalidInput):
        drafted(maker, body)
    assert MessageTemplate.objects.get().body == before


def test_the_readers_language_counts_before_the_fallback_and_the_company_before_all():
    maker, checker = staff("operations"), staff("compliance")
    draft = drafted(maker, "EU {{ link }}", entity="BOS-EU")
    draft = message_propose(messagetemplate_id=draft.pk, actor=maker, reason="please")
    approval_vote(approval_id=draft.approval_id, actor=checker, verdict="APPROVE", reason="fine")
    assert in_use("BOS-EU") == "EU {{ link }}"
    assert in_use("BOS-INT") == words_in_file(CODE, "en").body
    assert in_use("BOS-EU", "de-AT") == words_in_file(CODE, "de").body
    assert in_use("BOS-EU", "fr") == "EU {{ link }}"
    message_retire(messagetemplate_id=draft.pk, actor=checker, reason="back to the usual")
    assert in_use("BOS-EU") == words_in_file(CODE, "en").body


def test_who_may_not_cannot_and_another_companys_words_do_not_exist():
    with pytest.raises(NotAllowed):
        message_draft(code=CODE, language="en", actor=staff("support"), reason="new words")
    narrow = staff("operations", "narrow", scope_level="ENTITY", entities=["BOS-INT"])
    for entity in ("", "BOS-EU"):
        with pytest.raises(NotVisible):
            message_draft(code=CODE, language="en", entity=entity, actor=narrow, reason="new words")
    assert not MessageTemplate.objects.exists()
    draft = drafted(staff("operations"), "Hi {{ link }}", entity="BOS-EU")
    with pytest.raises(NotVisible):
        message_propose(messagetemplate_id=draft.pk, actor=narrow, reason="please")


@pytest.mark.parametrize(
    ("code", "language"), [("clients.nothing", "en"), (CODE, "xx"), (CODE, "../en")]
)
def test_only_known_messages_and_languages_are_drafted(code, language):
    with pytest.raises(InvalidInput):
        message_draft(code=code, language=language, actor=staff("operations"), reason="new words")


def test_the_database_allows_one_version_in_use():
    row = {
        "code": CODE,
        "entity": "",
        "language": "en",
        "subject": "s",
        "body": "b",
        "state": "ACTIVE",
    }
    MessageTemplate.objects.bulk_create([MessageTemplate(version=1, **row)])
    with pytest.raises(DatabaseError), transaction.atomic():
        MessageTemplate.objects.bulk_create([MessageTemplate(version=2, **row)])


def test_the_page_shows_a_preview_and_refuses_bad_words(client):
    maker = staff("operations")
    client.force_login(User.objects.get(pk=maker.user_id))
    client.post(
        reverse("admin:core_messagetemplate_draft"),
        {"code": CODE, "language": "de", "entity": "", "reason": "new words"},
    )
    draft = MessageTemplate.objects.get()
    page = client.get(
        reverse("admin:core_messagetemplate_change", args=[draft.pk])
    ).content.decode()
    assert "Guten Tag Lena," in page
    preview = client.get(reverse("admin:core_messagetemplate_preview", args=[draft.pk]))
    assert "sandbox" in preview["Content-Security-Policy"]
    assert "Guten Tag Lena," in preview.content.decode()
    edit = reverse("admin:core_messagetemplate_transition", args=[draft.pk, "edit"])
    refused = client.post(edit, {"subject": "x", "body": "{{ nome }}", "reason": "because"})
    assert refused.status_code == 422
    assert MessageTemplate.objects.get().version == 1
    assert MessageTemplate.objects.get().body == draft.body
