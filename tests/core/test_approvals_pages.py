"""The approval page, the list of one's own, and the pages of policies and delegations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission as PermissionRow
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.core.approvals import (
    approval_rebase,
    approval_return,
    approval_vote,
    policies_load,
    seen_of,
)
from apps.core.models import Approval, ApprovalPolicy, Delegation
from apps.users.models import User
from apps.users.roles import sync_permissions
from apps.users.selectors import actor_for
from tests.core.approving import EMERGENCY, LEND, VOTE, ask, everything, paying

pytestmark = pytest.mark.django_db
VIEW, INBOX = "core.view_approval", "core.view_workitem"


@pytest.fixture(autouse=True)
def world():
    with paying() as made:
        yield made


def member(name: str, *codes: str) -> tuple[Client, Actor]:
    sync_permissions()
    user = User.objects.create_user(
        f"{name}@example.com",
        "a-long-password",
        name=name,
        is_staff=True,
        scope_level=ScopeLevel.ALL,
    )
    for code in codes:
        app, _, codename = code.partition(".")
        user.user_permissions.add(
            PermissionRow.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client()
    client.force_login(user)
    return client, actor_for(User.objects.get(pk=user.pk))


def page(approval: Approval, client: Client) -> str:
    return client.get(reverse("admin:core_approval_change", args=[approval.pk])).content.decode()


def do(approval: Approval, client: Client, code: str, **values: str) -> int:
    address = reverse("admin:core_approval_transition", args=[approval.pk, code])
    seen = {"expected": seen_of(Approval.objects.get(pk=approval.pk))}
    return client.post(address, {"reason": "looked at it"} | seen | values).status_code


def buttons(text: str) -> set[str]:
    codes = ("approve", "reject", "return", "claim", "release", "take-over", "answer", "rebase",
             "withdraw", "emergency", "confirm", "contest")  # fmt: skip
    return {code for code in codes if f"/do/{code}/" in text}


def test_each_person_is_offered_what_they_can_do(world):
    maker, made_by = member("Mia", VIEW, VOTE)
    checker, _ = member("Carl", VIEW, VOTE)
    reader, _ = member("Rita", VIEW)
    approval = ask(actor=made_by, required=1, diff=[("amount", "Amount", "50", "100")])
    assert buttons(page(approval, maker)) == {"withdraw"}
    assert buttons(page(approval, reader)) == set()
    text = page(approval, checker)
    assert buttons(text) == {"approve", "reject", "return", "claim"}
    assert "May decide: Carl" in " ".join(text.split())
    assert "You asked for this" in page(approval, maker)
    assert do(approval, checker, "claim") == 302
    assert buttons(page(approval, checker)) == {"approve", "reject", "return", "release"}
    world.rate = "1.25"
    assert {"withdraw", "rebase"} == buttons(page(approval, maker))
    assert do(approval, checker, "approve") == 409
    assert do(approval, maker, "rebase") == 302
    assert do(approval, checker, "approve") == 302
    assert Approval.objects.get().state == "APPROVED"


def test_a_vote_is_on_what_its_dialog_was_opened_on(world):
    _, made_by = member("Mia", VIEW, VOTE)
    checker, _ = member("Carl", VIEW, VOTE)
    approval = ask(actor=made_by, required=1)
    address = reverse("admin:core_approval_transition", args=[approval.pk, "approve"])
    opened = checker.get(address).content.decode()
    assert f'name="expected" value="{seen_of(approval)}"' in opened
    world.rate = "1.25"
    approval_rebase(approval_id=approval.pk, actor=made_by, reason="the rate moved")
    before = everything()
    assert do(approval, checker, "approve", expected=seen_of(approval)) == 409
    assert do(approval, checker, "reject", expected="") == 422
    assert everything() == before
    assert do(approval, checker, "approve") == 302


def test_a_question_is_on_the_makers_page_and_the_answer_brings_it_back():
    maker, made_by = member("Mia", VIEW, VOTE)
    checker, actor = member("Carl", VIEW, VOTE)
    approval = ask(actor=made_by, required=1)
    assert do(approval, checker, "return", reason="which invoice?") == 302
    text = page(approval, maker)
    assert "which invoice?" in text
    assert buttons(text) == {"answer", "withdraw"}
    assert do(approval, maker, "answer", reason="number 7") == 302
    assert Approval.objects.get().claimed_by == actor.id


def test_someone_else_takes_over_with_a_reason():
    first, _ = member("Carl", VIEW, VOTE)
    second, _ = member("Dora", VIEW, VOTE)
    approval = ask(required=1)
    assert do(approval, first, "claim") == 302
    assert buttons(page(approval, second)) == {"take-over"}
    assert do(approval, second, "approve") == 409
    assert do(approval, second, "take-over") == 302
    assert do(approval, second, "approve") == 302


def test_alone_in_an_emergency_and_reviewed_from_the_same_page():
    boss, _ = member("Bea", VIEW, VOTE, EMERGENCY)
    judge, _ = member("Jan", VIEW, "core.review_emergency")
    approval = ask(required=2)
    Approval.objects.update(emergency_allowed=True)
    assert "emergency" in buttons(page(approval, boss))
    assert do(approval, boss, "emergency") == 302
    assert buttons(page(approval, boss)) == set()
    assert buttons(page(approval, judge)) == {"confirm", "contest"}
    assert do(approval, judge, "confirm") == 302
    assert approval.__class__.objects.get().emergency.state == "CONFIRMED"


def test_the_list_shows_what_waits_for_me_and_what_i_asked():
    checker, actor = member("Carl", VIEW, VOTE)
    waits, mine, done = (
        ask(required=2, title="waits"),
        ask(actor=actor, title="mine"),
        ask(title="done"),
    )
    approval_vote(approval_id=done.pk, actor=actor, verdict="APPROVE", reason="fine")
    back = ask(actor=actor, title="question")
    other = member("Dora", VIEW, VOTE)[1]
    approval_return(approval_id=back.pk, actor=other, reason="why?")
    shown = {
        turn: {
            title
            for title in ("waits", "mine", "done", "question")
            if f">{title}<"
            in checker.get(
                reverse("admin:core_approval_changelist"), {"mine": turn}
            ).content.decode()
        }
        for turn in ("decide", "asked", "returned", "decided")
    }
    assert shown == {
        "decide": {"waits"}, "asked": {"mine", "question"}, "returned": {"question"}, "decided": {"done"}
    }  # fmt: skip
    assert waits.pk != mine.pk


def test_a_policy_is_read_in_words_and_changed_through_an_approval():
    policies_load(actor=Actor.system("load"))
    author, _ = member("Ada", "core.view_approvalpolicy", "core.change_approval_policy")
    policy = ApprovalPolicy.objects.get(action="ledger.correct_entry")
    address = reverse("admin:core_approvalpolicy_change", args=[policy.pk])
    assert "up to 100,000 EUR: 1 × Post correction entries" in author.get(address).content.decode()
    propose = reverse("admin:core_approvalpolicy_transition", args=[policy.pk, "propose"])
    assert "[[bands]]" in author.get(propose).content.decode()
    wrong = author.post(propose, {"content": "bands = 1 [", "reason": "audit"})
    assert wrong.status_code == 422
    assert Approval.objects.count() == 0
    text = '[[bands]]\nstages = [{ permissions = ["ledger.correct_entry"], need = 3 }]'
    assert author.post(propose, {"content": text, "reason": "audit"}).status_code == 302
    assert Approval.objects.get().action == "core.approval_policy"


def test_a_policy_survives_being_written_out_and_read_again():
    import tomllib

    from apps.core.admin.approvals import toml_of
    from apps.core.approvals.policies import filed

    for content in filed().values():
        assert tomllib.loads(toml_of(dict(content))) == content


def test_somebody_names_who_stands_in_and_ends_it():
    holder, actor = member("Hal", INBOX, LEND, VOTE, "core.view_delegation")
    _, stand_in = member("Sue", INBOX, LEND)
    at = clock.now()
    values = {
        "delegate": stand_in.id, "reason": "holiday",
        "valid_from": f"{at:%Y-%m-%dT%H:%M}", "valid_until": f"{at + timedelta(days=3):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    assert (
        holder.post(reverse("admin-away"), values | {"valid_until": "2020-01-01T00:00"}).status_code
        == 422
    )
    assert Delegation.objects.count() == 0
    assert holder.post(reverse("admin-away"), values).status_code == 302
    given = Delegation.objects.get()
    assert (given.holder_id, given.delegate_id) == (actor.id, stand_in.id)
    end = reverse("admin:core_delegation_transition", args=[given.pk, "end"])
    assert holder.post(end, {"reason": "back"}).status_code == 302
    assert Delegation.objects.get().ended_at is not None
