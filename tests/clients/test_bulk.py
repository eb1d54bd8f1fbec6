"""One action on many clients: shown before, done once, each row with its own record and its own answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from apps.clients.models import Client
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.models import AuditRecord, Run, RunRow
from apps.core.runs import row_do, runs_resume
from apps.users.models import Desk, User

from . import world

pytestmark = pytest.mark.usefixtures("house")
LIST = "/admin/clients/client/"


def desk(role: str, **fields) -> Browser:
    browser = Browser()
    browser.force_login(world.staff_user(role, **fields))
    return browser


def clients(count: int) -> list[Client]:
    return [world.register(email=f"c{number}@x.example") for number in range(count)]


def choose(browser: Browser, action: str, rows: list[Client], query: str = "", **more) -> object:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    return browser.post(f"{LIST}{query}", body | more)


@pytest.fixture
def book():
    return Desk.objects.create(code="book", name="Book")


def owners(book: Desk, **more) -> dict:
    return {"owner_id": "", "desk_id": str(book.pk), "reason": "new book"} | more


def test_choosing_rows_shows_what_will_happen_and_changes_nothing():
    rows = clients(2)
    browser = desk("operations")
    answer = choose(browser, "wake", rows)
    run = Run.objects.get()
    assert answer["Location"] == reverse("admin:clients_client_bulk", args=[run.pk])
    assert (run.state, run.total) == ("DRAFT", 0)
    shown = browser.get(answer["Location"]).content.decode()
    assert "NOT_NOW" in shown
    assert rows[0].number in shown
    assert not RunRow.objects.filter(label__icontains="vogel").exists()
    assert "None of these rows can be done now" in shown
    assert browser.post(answer["Location"], {"reason": "all together"}).status_code == 200
    assert Run.objects.get().state == "DRAFT"


def test_each_row_goes_through_the_service_of_its_button_with_its_own_record(book):
    rows = clients(3)
    browser = desk("operations")
    url = choose(browser, "owner", rows[:2])["Location"]
    answer = browser.post(url, owners(book))
    run = Run.objects.get()
    assert answer["Location"] == reverse("admin-run", args=[run.pk])
    assert (run.state, run.done, run.refused) == ("DONE", 2, 0)
    assert {row.desk_id for row in Client.objects.filter(pk__in=[r.pk for r in rows[:2]])} == {
        book.pk
    }
    assert Client.objects.get(pk=rows[2].pk).desk_id is None
    records = AuditRecord.objects.filter(subject_type="clients.Client", request_id=f"run-{run.pk}")
    assert sorted(r.subject_id for r in records) == sorted(str(r.pk) for r in rows[:2])
    assert {record.reason for record in records} == {"new book"}
    batch = AuditRecord.objects.get(action="bulk.run")
    assert (batch.reason, batch.after["rows"]) == ("new book", 2)


def test_a_double_click_does_it_once(book):
    rows = clients(2)
    browser = desk("operations")
    url = choose(browser, "owner", rows)["Location"]
    first, second = (browser.post(url, owners(book)) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert AuditRecord.objects.filter(subject_type="clients.Client", reason="new book").count() == 2
    assert AuditRecord.objects.filter(action="bulk.run").count() == 1


def test_all_rows_that_match_are_those_of_the_filter_and_the_scope():
    rows = clients(3)
    browser = desk("operations")
    choose(browser, "owner", rows[:1], f"?q={rows[1].number}", select_across="1")
    assert [row.object_id for row in RunRow.objects.all()] == [str(rows[1].pk)]
    elsewhere = desk(
        "operations", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    choose(elsewhere, "owner", rows, select_across="1")
    assert RunRow.objects.count() == 1


def test_without_the_permission_the_action_is_neither_offered_nor_done(book):
    rows = clients(1)
    sales = desk("sales")
    assert 'value="owner"' not in sales.get(LIST).content.decode()
    choose(sales, "owner", rows)
    assert Run.objects.count() == 0
    url = choose(desk("operations"), "owner", rows)["Location"]
    assert sales.post(url, owners(book)).status_code == 404
    assert Client.objects.get(pk=rows[0].pk).desk_id is None


def test_a_row_that_changed_meanwhile_is_refused_with_its_code_and_the_others_are_done():
    rows = clients(2)
    browser = desk("operations")
    for row in rows:
        Client.objects.filter(pk=row.pk).update(lifecycle="ACTIVE")
    url = choose(browser, "dormant", rows)["Location"]
    assert Run.objects.get().total == 2
    Client.objects.filter(pk=rows[0].pk).update(lifecycle="CLOSED")
    browser.post(url, {"reason": "quiet for a year"})
    run = Run.objects.get()
    assert (run.state, run.done, run.refused) == ("DONE", 1, 1)
    refused = RunRow.objects.get(outcome="REFUSED")
    assert (refused.object_id, refused.code) == (str(rows[0].pk), "LIFECYCLE_FORBIDS")
    assert Client.objects.get(pk=rows[0].pk).lifecycle == "CLOSED"
    shown = browser.get(reverse("admin-run", args=[run.pk])).content.decode()
    assert "LIFECYCLE_FORBIDS" in shown


def test_a_reason_is_asked():
    rows = clients(1)
    browser = desk("operations")
    url = choose(browser, "owner", rows)["Location"]
    assert browser.post(url, {"reason": ""}).status_code == 422
    assert Run.objects.get().state == "DRAFT"


@pytest.fixture
def in_background(monkeypatch):
    monkeypatch.setattr("apps.core.admin.bulk.BulkMixin.is_big", lambda self, bulk, total: True)


def test_a_killed_worker_leaves_no_row_undone_and_none_done_twice(in_background, book):
    rows = clients(3)
    browser = desk("operations")
    url = choose(browser, "owner", rows)["Location"]
    browser.post(url, owners(book))
    run = Run.objects.get()
    first = run.rows.first()
    assert row_do(row_id=first.pk, act=lambda object_id: None) is True
    assert row_do(row_id=first.pk, act=lambda object_id: None) is False
    Run.objects.filter(pk=run.pk).update(
        state="RUNNING", leased_until=clock.now() - timedelta(seconds=1)
    )
    assert runs_resume() == 1
    run.refresh_from_db()
    assert (run.state, run.done) == ("DONE", 3)
    assert AuditRecord.objects.filter(subject_type="clients.Client", reason="new book").count() == 2


def test_a_stopped_run_leaves_the_rest_alone(in_background, book, deliver_outbox):
    rows = clients(2)
    browser = desk("operations")
    browser.post(choose(browser, "owner", rows)["Location"], owners(book))
    run = Run.objects.get()
    assert browser.post(reverse("admin-run-stop", args=[run.pk])).status_code == 302
    deliver_outbox()
    assert Run.objects.get().state == "STOPPED"
    assert not Client.objects.filter(desk=book).exists()


def test_whoever_left_the_house_meanwhile_does_nothing_more(in_background, book, deliver_outbox):
    rows = clients(2)
    browser = desk("operations")
    browser.post(choose(browser, "owner", rows)["Location"], owners(book))
    User.objects.filter(is_staff=True).update(is_active=False)
    deliver_outbox()
    run = Run.objects.get()
    assert run.state == "FAILED"
    assert run.error.startswith("NOBODY_TO_ACT_FOR")
    assert not Client.objects.filter(desk=book).exists()
