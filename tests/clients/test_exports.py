"""Clients as a file: within scope, written down, for its maker alone, once."""

from __future__ import annotations

import csv
import io
import re
import time
from datetime import timedelta
from hashlib import sha256

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse

from apps.clients.exports import CLIENTS
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.models import AuditRecord, Run, RunFile
from apps.core.runs import run_stop, run_work, runs_resume, runs_tidy
from apps.users.models import Role, User
from apps.users.selectors import actor_for

from . import world

pytestmark = pytest.mark.usefixtures("house")
LIST = "/admin/clients/client/"


def desk(role: str, **fields) -> Browser:
    browser = Browser()
    browser.force_login(world.staff_user(role, **fields))
    return browser


def ask(browser: Browser, query: str = "", **fields) -> object:
    shown = browser.get(f"{LIST}export/{query}").content.decode()
    run_id = re.search(r'name="run_id" value="([^"]+)"', shown).group(1)
    body = {"run_id": run_id, "columns": ["number", "email"], "file_format": "csv"}
    body |= {"reason": "monthly check"} | fields
    return browser.post(f"{LIST}export/{query}", body)


def rows_of(browser: Browser, run: Run) -> list[list[str]]:
    answer = browser.get(reverse("admin-run-file", args=[run.pk]))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_a_small_export_is_written_at_once_and_written_down():
    first, second = world.register(email="one@x.example"), world.register(email="two@x.example")
    browser = desk("compliance")
    answer = ask(browser)
    run = Run.objects.get()
    assert answer["Location"] == reverse("admin-run", args=[run.pk])
    assert (run.state, run.total, run.done) == ("DONE", 2, 2)
    rows = rows_of(browser, run)
    assert rows[0] == ["Number", "E-mail"]
    assert {row[0] for row in rows[1:]} == {first.number, second.number}
    record = AuditRecord.objects.get(action="export.run")
    assert record.reason == "monthly check"
    assert {key: record.after[key] for key in ("list", "filter", "columns", "count")} == {
        "list": "clients.client", "filter": "", "columns": ["number", "email"], "count": 2,
    }  # fmt: skip
    assert AuditRecord.objects.filter(action="export.download").count() == 1
    assert record.request_id == f"run-{run.pk}"


def test_the_file_holds_what_the_list_shows_with_its_filter():
    client = world.register(email="one@x.example")
    world.register(email="two@x.example")
    browser = desk("compliance")
    ask(browser, f"?q={client.number}")
    assert [row[0] for row in rows_of(browser, Run.objects.get())[1:]] == [client.number]


def test_what_was_searched_stands_neither_in_the_trail_nor_in_the_run():
    world.register()
    ask(desk("compliance"), "?q=lena@client.example&lifecycle__exact=REGISTERED")
    record, run = AuditRecord.objects.get(action="export.run"), Run.objects.get()
    assert record.after["count"] == 1
    assert record.after["filter"].startswith("q=hmac:")
    assert record.after["filter"].endswith("&lifecycle__exact=REGISTERED")
    assert "lena" not in str(record.after) + str(run.request)
    assert sha256(b"lena@client.example").hexdigest()[:16] not in record.after["filter"]


def test_a_search_is_forgotten_when_the_export_fails_and_when_somebody_stops_it(
    in_background, deliver_outbox
):
    browser = desk("compliance")
    ask(browser, "?q=lena@client.example")
    stopped = Run.objects.get()
    assert "lena" in stopped.request["query"]
    run_stop(run_id=stopped.pk, actor=actor_for(User.objects.get(pk=stopped.user_id)))
    ask(browser, "?q=lena@client.example")
    User.objects.filter(is_staff=True).update(is_active=False)
    deliver_outbox()
    assert sorted(run.state for run in Run.objects.all()) == ["FAILED", "STOPPED"]
    assert {run.request["query"].partition(":")[0] for run in Run.objects.all()} == {"q=hmac"}


def test_staff_of_another_company_export_nothing_of_this_one():
    world.register(email="one@x.example")
    elsewhere = desk(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="int@house.example"
    )
    ask(elsewhere)
    assert rows_of(elsewhere, Run.objects.get()) == [["Number", "E-mail"]]


def test_those_who_may_see_may_not_therefore_export():
    world.register(email="one@x.example")
    browser = desk("dealing")
    assert browser.get(LIST).status_code == 200
    assert browser.get(f"{LIST}export/").status_code == 403
    assert browser.post(f"{LIST}export/", {"reason": "because"}).status_code == 403
    assert "/export/" not in browser.get(LIST).content.decode()
    assert Run.objects.count() == 0


def test_a_reason_is_asked_and_undeclared_columns_are_refused():
    browser = desk("compliance")
    assert ask(browser, reason="").status_code == 422
    assert ask(browser, columns=["number", "person__tax_id"]).status_code == 422
    assert Run.objects.count() == 0


def test_a_double_click_exports_once():
    browser = desk("compliance")
    shown = browser.get(f"{LIST}export/").content.decode()
    run_id = re.search(r'name="run_id" value="([^"]+)"', shown).group(1)
    body = {"run_id": run_id, "columns": ["number"], "file_format": "csv", "reason": "twice"}
    assert [browser.post(f"{LIST}export/", body).status_code for _ in range(2)] == [302, 302]
    assert Run.objects.count() == 1
    assert AuditRecord.objects.filter(action="export.run").count() == 1


def test_a_file_is_its_makers_alone_and_gone_after_a_day():
    maker, other = desk("compliance"), desk("compliance", email="other@house.example")
    ask(maker)
    run = Run.objects.get()
    for name in ("admin-run", "admin-run-progress", "admin-run-file"):
        assert other.get(reverse(name, args=[run.pk])).status_code == 404
    assert other.post(reverse("admin-run-stop", args=[run.pk])).status_code == 404
    assert b"Number" not in bytes(RunFile.objects.get().content)
    with clock.frozen(clock.now() + timedelta(hours=25)):
        assert maker.get(reverse("admin-run-file", args=[run.pk])).status_code == 410
        assert runs_tidy() == 1
    assert RunFile.objects.count() == 0


def test_a_copied_file_does_not_open_under_another_run():
    maker = desk("compliance")
    ask(maker)
    ask(maker, reason="again please")
    first, second = RunFile.objects.order_by("run_id")
    RunFile.objects.filter(pk=second.pk).update(content=first.content)
    maker.raise_request_exception = False
    assert maker.get(reverse("admin-run-file", args=[second.pk])).status_code == 500


@pytest.fixture
def in_background(monkeypatch):
    monkeypatch.setattr(
        "apps.core.admin.exports.ExportMixin.is_big_export", lambda self, total: True, raising=True
    )


def test_a_big_export_is_written_by_a_worker(in_background, deliver_outbox):
    world.register(email="one@x.example")
    browser = desk("compliance")
    ask(browser)
    run = Run.objects.get()
    assert run.state == "QUEUED"
    page = browser.get(reverse("admin-run", args=[run.pk])).content.decode()
    assert "every 2s" in page
    deliver_outbox()
    assert Run.objects.get().state == "DONE"
    assert len(rows_of(browser, run)) == 2
    assert "every 2s" not in browser.get(reverse("admin-run", args=[run.pk])).content.decode()


def test_those_who_left_the_house_take_nothing_along(in_background, deliver_outbox):
    ask(desk("compliance"))
    User.objects.filter(is_staff=True).update(is_active=False)
    deliver_outbox()
    run = Run.objects.get()
    assert run.state == "FAILED"
    assert run.error.startswith("NOBODY_TO_ACT_FOR")
    assert RunFile.objects.count() == 0


def test_an_export_whose_worker_died_is_written_by_the_next(in_background):
    ask(desk("compliance"))
    run = Run.objects.get()
    dead = clock.now() - timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(state="RUNNING", leased_until=dead)
    assert runs_resume() == 1
    assert Run.objects.get().state == "DONE"
    assert runs_resume() == 0


def test_more_rows_than_a_file_may_hold_are_refused(monkeypatch):
    world.register(email="one@x.example")
    world.register(email="two@x.example")
    page_export = "apps.clients.admin.ClientAdmin.export"
    small = type(CLIENTS)(CLIENTS.model, CLIENTS.permission, CLIENTS.columns, max_rows=1)
    monkeypatch.setattr(page_export, small)
    answer = ask(desk("compliance"))
    assert answer.status_code == 422
    assert "TOO_MANY_ROWS" in answer.content.decode()
    assert Run.objects.count() == 0


def loses(code: str) -> None:
    rows = Permission.objects.filter(codename=code.partition(".")[2])
    Role.objects.get(name="compliance").permissions.remove(*rows)


def test_a_finished_file_opens_only_for_those_who_may_still_export_and_proved_it_lately():
    world.register(email="one@x.example")
    browser = desk("compliance")
    ask(browser)
    run = Run.objects.get()
    at = reverse("admin-run-file", args=[run.pk])
    session = browser.session
    session["fresh_at"] = 0
    session.save()
    assert browser.get(at).status_code == 302, "led to a proof"
    session["fresh_at"] = time.time()
    session.save()
    assert browser.get(at).status_code == 200
    loses("clients.export_client")
    assert (browser.get(LIST).status_code, browser.get(at).status_code) == (200, 403)
    assert AuditRecord.objects.filter(action="export.download").count() == 1


@pytest.mark.parametrize("lost", ["clients.export_client", "clients.view_client"])
def test_a_worker_writes_nothing_for_somebody_who_lost_what_it_needs(monkeypatch, lost):
    world.register(email="one@x.example")
    browser = desk("compliance")
    monkeypatch.setattr("apps.core.admin.exports.ExportMixin.is_big_export", lambda *_: True)
    ask(browser)
    run = Run.objects.get()
    loses(lost)
    run_work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error.partition(":")[0]) == ("FAILED", "NOT_ALLOWED")
    assert RunFile.objects.count() == 0
