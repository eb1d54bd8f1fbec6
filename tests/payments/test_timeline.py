"""The timeline of a client and of a payment: every kind in one line of time, each entry leading to its proof."""

import pytest
from django.contrib.auth.models import Permission as PermissionRow
from django.db import connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from apps.clients.services.retention import legal_hold_set
from apps.core.actor import Actor, ActorKind, Scope, ScopeLevel
from apps.core.audit import audit
from apps.core.outbox import deliver_all
from apps.core.timeline import KINDS, Window, timeline_of
from apps.kyc.services.cases import case_for
from apps.payments.services.withdrawals import withdrawal_approve
from apps.users.models import User
from apps.users.roles import declared_roles, sync_permissions
from tests.payments.world import ana, asks_to_withdraw, deposited, finance, fresh

SYSTEM = Actor.system("test")


@pytest.fixture
def withdrawal(house):
    person = ana()
    deposited(house, person, "9000.00")
    made = asks_to_withdraw(person, "5000.00")
    for number in (1, 2):
        withdrawal_approve(withdrawal_id=made.pk, actor=finance(number), reason=f"seen by {number}")
    deliver_all()
    return fresh(made)


def kinds(subject, **how) -> set[str]:
    return {entry.kind for entry in timeline_of(subject, SYSTEM, **how)}


def test_a_payment_tells_of_acts_decisions_approvals_and_money(withdrawal):
    assert kinds(withdrawal) >= {"actions", "decisions", "approvals", "money"}
    money = timeline_of(withdrawal, SYSTEM, kind="money")
    assert [entry.title for entry in money] == ["withdrawal.hold: 5,000.00 USD"]
    approvals = [entry.title for entry in timeline_of(withdrawal, SYSTEM, kind="approvals")]
    assert approvals[0] == "approval.approve"
    assert approvals[-1] == "approval.request"
    [decision] = timeline_of(withdrawal, SYSTEM, kind="decisions")[:1]
    assert decision.url.startswith("/admin/rules/decisionlog/")
    versions = timeline_of(withdrawal, SYSTEM, kind="changes")
    assert versions[-1].title == "Created"
    assert ("state", "PENDING_APPROVAL", "APPROVED") in [c for v in versions for c in v.changes]


def test_a_client_tells_of_everything_of_the_client(withdrawal):
    client = withdrawal.client
    assert kinds(client, window=Window(500)) >= {"actions", "decisions", "approvals", "money"}
    titles = {entry.title for entry in timeline_of(client, SYSTEM, kind="money")}
    assert "withdrawal.hold: 5,000.00 USD" in titles
    assert any(title.startswith("deposit.credit: ") for title in titles)


def test_pages_lose_nothing_and_repeat_nothing(withdrawal):
    whole = timeline_of(withdrawal.client, SYSTEM, kind="actions", window=Window(1_000))
    paged, before = [], None
    while page := timeline_of(withdrawal.client, SYSTEM, kind="actions", window=Window(5, before)):
        paged += page
        before = page[-1].at
    assert [entry.url for entry in paged] == [entry.url for entry in whole]


def test_it_costs_the_same_however_much_happened(withdrawal):
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            timeline_of(withdrawal, SYSTEM)
        return len(counted)

    first = queries()
    for number in range(30):
        audit(actor=SYSTEM, action=f"thing.step{number}", subject=withdrawal)
    assert queries() == first
    assert first <= 2 * len(KINDS)


def staff(*codes: str, entities: tuple[str, ...] = ()) -> Browser:
    sync_permissions()
    user = User.objects.create_user(
        f"staff{User.objects.count()}@example.com", "a-long-password", is_staff=True,
        scope_level=ScopeLevel.ENTITY if entities else ScopeLevel.ALL, entities=list(entities),
    )  # fmt: skip
    for code in codes:
        app, _, name = code.partition(".")
        user.user_permissions.add(
            *PermissionRow.objects.filter(content_type__app_label=app, codename=name)
        )
    browser = Browser()
    browser.force_login(user)
    return browser


def test_the_page_keeps_scope_and_shows_each_kind_only_to_those_who_may_read_it(withdrawal):
    address = f"/admin/core/auditrecord/of/payments.withdrawal/{withdrawal.pk}/"
    assert staff("clients.view_client").get(address).status_code == 403
    assert staff("payments.view_withdrawal", entities=("BOS-XX",)).get(address).status_code == 404
    assert (
        staff("payments.view_withdrawal").get(address.replace("withdrawal", "nothing")).status_code
        == 404
    )

    narrow = staff("payments.view_withdrawal").get(address)
    assert {entry.kind for entry in narrow.context["entries"]} == {"actions"}
    voter = staff("payments.view_withdrawal", "core.view_approval").get(address)
    assert {entry.kind for entry in voter.context["entries"]} == {"actions", "approvals"}
    wide = staff(
        "payments.view_withdrawal", "payments.view_payments", "rules.view_decisionlog",
        "core.view_auditrecord",
    ).get(address)  # fmt: skip
    assert {entry.kind for entry in wide.context["entries"]} >= {"decisions", "money"}
    acts = [entry for entry in wide.context["entries"] if entry.kind == "actions"]
    assert all(entry.url.startswith("/admin/core/auditrecord/") for entry in acts)
    only = staff("payments.view_withdrawal", "payments.view_payments").get(
        address, {"kind": "money"}
    )
    assert [entry.kind for entry in only.context["entries"]] == ["money"]


def test_sales_reads_nothing_of_holds_cases_and_withdrawals_that_others_read(withdrawal):
    client = withdrawal.client
    legal_hold_set(client_id=client.pk, actor=SYSTEM, reason="asked by the prosecutor")
    with transaction.atomic():
        case = case_for(client, actor=SYSTEM)
    audit(actor=SYSTEM, action="nobody.knows", client_id=client.pk)

    def subjects(role: str, **how) -> set[str]:
        reader = Actor(
            ActorKind.STAFF, "user:77", role, scope=Scope(ScopeLevel.ALL),
            permissions=frozenset(declared_roles()[role]),
        )  # fmt: skip
        entries = timeline_of(client, reader, window=Window(500), **how)
        return {entry.title.partition(".")[0] for entry in entries if entry.kind != "changes"}

    everything = {"hold", "kyc", "withdrawal", "nobody", "approval"}
    assert subjects("auditor") >= everything
    assert not subjects("sales") & everything
    assert "approval" not in subjects("sales", kind="approvals")
    assert subjects("support") & everything == {"kyc", "withdrawal"}

    seller = staff("clients.view_client")
    for address in (
        f"/admin/core/auditrecord/of/clients.client/{client.pk}/",
        f"/admin/clients/client/{client.pk}/change/",
    ):
        text = seller.get(address).content.decode()
        assert "asked by the prosecutor" not in text
        assert f"{case.pk}" not in text


def test_a_page_is_full_of_what_its_reader_may_read(withdrawal):
    client = withdrawal.client
    reader = Actor(
        ActorKind.STAFF, "user:77", "reader", scope=Scope(ScopeLevel.ALL),
        permissions=frozenset({"clients.view_client"}),
    )  # fmt: skip
    for number in range(5):
        audit(actor=SYSTEM, action=f"client.step{number}", subject=client, client_id=client.pk)
    for _ in range(10):
        audit(actor=SYSTEM, action="withdrawal.step", subject=withdrawal, client_id=client.pk)
    shown = timeline_of(client, reader, kind="actions", window=Window(5))
    assert [entry.title for entry in shown] == [f"client.step{n}" for n in (4, 3, 2, 1, 0)]
