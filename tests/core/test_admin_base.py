"""The known traps of admin packages, each closed once in the base class."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission as PermissionRow
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.core.actor import Actor, ScopeLevel
from apps.core.approvals import EFFECTS, approval_request, approves, seen_of
from apps.core.commands import command
from apps.core.models import Approval, ApprovalVote, AuditRecord
from apps.core.permissions import VOTE_APPROVAL
from apps.payments.models import Withdrawal
from apps.users.models import User
from apps.users.roles import sync_permissions

MAKER = Actor.system("test")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def effect():
    @approves("test.act")
    def act(approval: Approval, *, actor: Actor) -> None: ...

    yield
    EFFECTS.pop("test.act")


@command
def ask(*, entity: str) -> Approval:
    return approval_request(
        action="test.act", title="Pay Ana", payload={"amount": "1"}, permission=VOTE_APPROVAL,
        actor=MAKER, reason="due", entity=entity,
    )  # fmt: skip


def browser(*codes: str, entities: tuple[str, ...] = ("BOS-EU",), csrf: bool = False) -> Client:
    sync_permissions()
    user = User.objects.create_user(
        f"staff{User.objects.count()}@example.com", "a-long-password", is_staff=True,
        scope_level=ScopeLevel.ENTITY, entities=list(entities),
    )  # fmt: skip
    for code in codes:
        app, _, name = code.partition(".")
        user.user_permissions.add(
            PermissionRow.objects.get(content_type__app_label=app, codename=name)
        )
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


VIEW, VOTE = "core.view_approval", "core.vote_approval"


def page(name: str, *args: object) -> str:
    return reverse(f"admin:core_approval_{name}", args=args)


def nothing_happened(approval: Approval) -> None:
    assert Approval.objects.get(pk=approval.pk).state == "PENDING"
    assert ApprovalVote.objects.count() == 0
    assert AuditRecord.objects.count() == 1


def test_lists_and_pages_show_only_what_is_in_scope():
    ours, theirs = ask(entity="BOS-EU"), ask(entity="BOS-INT")
    client = browser(VIEW)
    listed = client.get(page("changelist")).content.decode()
    assert str(ours.pk) in listed
    assert str(theirs.pk) not in listed
    assert client.get(page("change", ours.pk)).status_code == 200
    assert client.get(page("change", theirs.pk)).status_code in (302, 404)
    assert client.get(page("history", theirs.pk)).status_code == 404
    assert browser(VIEW, VOTE).get(page("transition", theirs.pk, "approve")).status_code == 404


def test_without_any_scope_nothing_is_shown():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW, entities=())
    assert str(approval.pk) not in client.get(page("changelist")).content.decode()


def test_without_the_view_permission_the_page_is_forbidden():
    approval = ask(entity="BOS-EU")
    client = browser()
    assert client.get(page("changelist")).status_code == 403
    assert client.get(page("change", approval.pk)).status_code == 403
    assert client.get(page("transition", approval.pk, "approve")).status_code in (403, 404)


def test_opening_the_dialog_changes_nothing():
    approval = ask(entity="BOS-EU")
    answer = browser(VIEW, VOTE).get(page("transition", approval.pk, "approve"))
    assert answer.status_code == 200
    assert "Reason" in answer.content.decode()
    nothing_happened(approval)


def said(approval, reason):
    """The dialog's form, as it was opened on this request."""
    return {"reason": reason, "expected": seen_of(approval)}


def test_a_post_without_the_token_is_refused():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW, VOTE, csrf=True)
    assert (
        client.post(page("transition", approval.pk, "approve"), {"reason": "fine"}).status_code
        == 403
    )
    nothing_happened(approval)


def test_without_the_transitions_permission_the_button_is_hidden_and_the_post_refused():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW)
    assert "/do/approve/" not in client.get(page("change", approval.pk)).content.decode()
    answer = client.post(page("transition", approval.pk, "approve"), said(approval, "fine"))
    assert answer.status_code == 403
    nothing_happened(approval)


def test_a_reason_must_be_given():
    approval = ask(entity="BOS-EU")
    answer = browser(VIEW, VOTE).post(page("transition", approval.pk, "approve"), {"reason": ""})
    assert answer.status_code == 422
    nothing_happened(approval)


def test_the_service_runs_with_actor_and_reason():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW, VOTE)
    answer = client.post(page("transition", approval.pk, "approve"), said(approval, "invoice seen"))
    assert answer.status_code == 302
    assert Approval.objects.get(pk=approval.pk).state == "APPROVED"
    last = AuditRecord.objects.order_by("-id").first()
    assert (last.action, last.reason, last.actor_kind) == (
        "approval.approve",
        "invoice seen",
        "STAFF",
    )
    newest = approval.history.order_by("-history_id").first()
    assert newest.history_change_reason == "invoice seen"
    assert newest.history_user.email.startswith("staff")


def test_a_refusal_is_told_in_words_with_its_code():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW, VOTE)
    client.post(page("transition", approval.pk, "approve"), said(approval, "fine"))
    answer = client.post(page("transition", approval.pk, "reject"), said(approval, "no, wait"))
    assert answer.status_code == 409
    assert "WRONG_STATE" in answer.content.decode()


def test_history_is_read_only_even_for_those_who_may_see_it():
    approval = ask(entity="BOS-EU")
    client = browser(VIEW, VOTE)
    version = approval.history.first().pk
    url = page("simple_history", approval.pk, version)
    assert client.post(url, {"title": "Pay me", "required": 1}).status_code == 403
    assert Approval.objects.get(pk=approval.pk).title == "Pay Ana"


def test_history_out_of_scope_reads_as_absent():
    theirs = ask(entity="BOS-INT")
    client = browser(VIEW)
    version = theirs.history.first().pk
    assert client.get(page("simple_history", theirs.pk, version)).status_code == 404


def test_nothing_can_be_added_edited_or_deleted():
    approval = ask(entity="BOS-EU")
    client = browser(
        VIEW, VOTE, "core.change_approval", "core.delete_approval", "core.add_approval"
    )
    assert client.get(page("add")).status_code == 403
    assert client.post(page("delete", approval.pk), {"post": "yes"}).status_code == 403
    assert client.post(page("change", approval.pk), {"title": "x"}).status_code == 403
    nothing_happened(approval)


def test_a_decision_is_a_link_to_its_receipt():
    record = AuditRecord(pk=1, decision_id="01890000-0000-7000-8000-000000000001")
    page = admin.site.get_model_admin(AuditRecord)
    assert str(record.decision_id) in page.decision_receipt(record)
    assert page.decision_receipt(AuditRecord(pk=2)) == "-"
    sections = admin.site.get_model_admin(Withdrawal).get_fieldsets(RequestFactory().get("/"))
    fields = str([options["fields"] for _title, options in sections])
    assert "decision_receipt" in fields
    assert "decision_id" not in fields
