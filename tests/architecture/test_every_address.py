"""Every address, knocked at by everybody: nothing breaks, nothing leaks, and looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client as Browser

from apps.core.permissions import REGISTRY
from apps.users.roles import declared_roles
from tests.architecture.addresses import (
    RULES,
    Address,
    Rule,
    addresses,
    model_admins,
    model_page,
)
from tests.architecture.house import ELSEWHERE, HERE, STAFF_ROLES, House

pytestmark = pytest.mark.django_db

NOBODY = UUID(int=0)
WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM|COPY)\s+"?(\w+)', re.IGNORECASE)
SESSIONS = frozenset({"django_session"})
"""A page may note something in the visitor's own session."""

FRAMEWORK = {"django_celery_beat_periodictask", "django_celery_beat_clockedschedule",
             "django_celery_beat_crontabschedule", "django_celery_beat_solarschedule",
             "django_celery_beat_intervalschedule", "users_role"}  # fmt: skip
"""Pages that other packages bring: for the administrator alone."""

BODY = {"reason": "because", "leverage": 10, "client_order_id": "sweep-1", "quantity": "0.01"}
KEY = {"Idempotency-Key": "sweep-of-every-address"}
CLAIMS = frozenset({"core_idempotencyrecord"})
"""A key is claimed before the call and freed when the call is refused."""

ROLES = declared_roles()

COSTLY = {"schema", "admin:rules_decisionlog_receipt", "admin:payments_withdrawal_dossier_pdf"}
"""Papers drawn and signed anew each time: the administrator opens them for all who may, the others knock in vain."""


@pytest.fixture
def _django_db_helper() -> None:
    """The house stays as well; it is flushed after the last test of this module."""


def may(who: str, permission: str) -> bool:
    """Whether the role file gives `who` this permission."""
    role = {"elsewhere": "admin", "anonymous": None}.get(who, who)
    if role == "partner":
        return permission in ROLES["client"] + ROLES["partner"]
    return role is not None and (ROLES[role] == ["*"] or permission in ROLES[role])


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile."""
    seen: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITE.match(sql)
        if found:
            seen.add(found.group(1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


class Visit:
    """One person at the doors, who keeps a note of everything that is not as it should be."""

    def __init__(self, house: House, who: str, *, secrets: list[str] = ()) -> None:  # type: ignore[assignment]
        self.who = who
        self.browser: Browser = house.browser(who)
        self.secrets = secrets
        self.found: list[str] = []

    def knock(
        self, path: str, *wanted: int, method: str = "get", records: frozenset[str] = frozenset()
    ) -> Any:
        with writes() as changed:
            if method == "post" and path.startswith("/api/"):
                answer = self.browser.post(path, BODY, "application/json", headers=KEY)
            else:
                answer = getattr(self.browser, method)(path)
        label = f"{self.who}: {method.upper()} {path}"
        if answer.status_code >= 500 and answer.status_code not in wanted:
            error = getattr(answer, "exc_info", None)
            self.found.append(f"{label} broke: {answer.status_code} {error and error[1]!r}")
        elif wanted and answer.status_code not in wanted:
            self.found.append(f"{label} answered {answer.status_code}, expected {wanted}")
        if changed - records - SESSIONS - (CLAIMS if method == "post" else frozenset()):
            self.found.append(f"{label} wrote to {sorted(changed - records)}")
        if self.secrets and answer.status_code == 200 and not answer.streaming:
            text = answer.content.decode(errors="replace")
            self.found += [f"{label} shows {secret}" for secret in self.secrets if secret in text]
        return answer

    def found_nothing(self) -> None:
        assert not self.found, "\n" + "\n".join(self.found)


def secrets_of(house: House, who: str) -> list[str]:
    """Texts that only those may see who may see this client."""
    story = getattr(house, who)
    kinds = ("accounts.TradingAccount", "payments.Deposit", "payments.Withdrawal", "payments.Transfer",
             "kyc.KycCase", "kyc.Document")  # fmt: skip
    rows = [str(house.thing(kind, who).pk) for kind in kinds]
    return [story.email, story.names[1], str(story.client_id), story.row.number, *rows]


def unruled() -> list[str]:
    return [
        a.name for a in addresses() if a.name not in RULES and model_page(a.name) is None
        and not (a.name == "admin:-" and a.route.endswith("<path:object_id>/"))
    ]  # fmt: skip


def test_every_address_has_a_rule() -> None:
    known = {address.name for address in addresses()}
    assert unruled() == []
    assert set(RULES) - known == set(), "these rules are for addresses that do not exist"


def ruled(*doors: str) -> list[tuple[Address, Rule]]:
    return [
        (a, RULES[a.name]) for a in addresses() if a.name in RULES and RULES[a.name].door in doors
    ]


def path_of(address: Address, rule: Rule, house: House, whose: str) -> str:
    return address.path(**(rule.objects(house, whose) if rule.objects else {}))


def method_of(rule: Rule) -> str:
    return "post" if rule.posts else "get"


def test_a_visitor_is_asked_to_sign_in_everywhere_but_at_the_front_door(house: House) -> None:
    visit = Visit(house, "anonymous", secrets=secrets_of(house, "ana"))
    for address, rule in ruled(
        "client", "partner", "login", "api", "staff", "staff-none", "staff-some"
    ):
        for method in ("get", "post"):
            answer = visit.knock(path_of(address, rule, house, "ana"), method=method)
            refused = answer.status_code in (401, 403, 405) or (
                answer.status_code == 302 and "/login/" in answer["Location"]
            )
            if not refused:
                visit.found.append(
                    f"{address.name} lets a visitor in: {method} {answer.status_code}"
                )
    for model in model_admins():
        for page in ("changelist", "add"):
            visit.knock(model_path(model, page, ""), 302)
    for address, rule in ruled("public"):
        visit.knock(path_of(address, rule, house, "ana"), *((400, 401, 403, 302, 200) if rule.posts else ()),
                    method=method_of(rule), records=rule.records)  # fmt: skip
    for path in ("/healthz", "/readyz", "/metrics", "/no-such-page/"):
        visit.knock(path, 200, 401, 403, 404, 503)
    visit.found_nothing()


def test_a_client_sees_the_own_things_and_nobody_elses(house: House) -> None:
    visit = Visit(house, "client", secrets=secrets_of(house, "omar"))
    for address, rule in ruled("client", "api", "login", "public"):
        path = path_of(address, rule, house, "ana")
        if rule.door == "api" and rule.permission and not may("client", rule.permission):
            visit.knock(path, 403, method=method_of(rule))
        elif not rule.posts:
            query = f"?client={house.ana.client_id}" if address.name == "wallet-list" else ""
            visit.knock(path + query, 200, 302, 404 if address.name in ABSENT else 200,
                        *((503,) if address.name == "exposure" else ()), records=rule.records)  # fmt: skip
        if rule.owned and (not rule.permission or may("client", rule.permission)):
            visit.knock(
                path_of(address, rule, house, "omar"), *_refusals(rule), method=method_of(rule)
            )
            visit.knock(path_of(address, rule, house, "omar"), 404, 405, 302, 415, method="post")
    visit.knock(f"/api/v1/wallets/?client={house.omar.client_id}", 200)
    visit.found_nothing()


ABSENT = {
    "restriction-detail", "mailbox-message", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_download_recovery_codes", "mfa_edit_webauthn", "mfa_remove_webauthn",
}  # fmt: skip
"""A client does not read why they are restricted; this house has mailed nothing; and nobody has a second factor."""


def _refusals(rule: Rule) -> tuple[int, ...]:
    """Another one's object is not there; a form that was posted goes back to its list with a message."""
    return (404, 302) if rule.posts and rule.door == "client" else (404,)


def test_a_client_does_not_come_into_the_back_office_or_to_partners(house: House) -> None:
    visit = Visit(house, "client", secrets=secrets_of(house, "omar"))
    for address, rule in ruled("staff", "staff-none", "staff-some"):
        visit.knock(path_of(address, rule, house, "ana"), 302)
        visit.knock(path_of(address, rule, house, "ana"), 302, method="post")
    for address, rule in ruled("partner"):
        visit.knock(path_of(address, rule, house, "ana"), 302)
    visit.found_nothing()


def test_a_partner_sees_the_own_branch_and_clients_only_masked(house: House) -> None:
    masked = [house.ana.email, house.ana.names[1], house.ana.row.number]
    visit = Visit(house, "partner", secrets=[*secrets_of(house, "omar"), *masked])
    for address, rule in ruled("partner", "api"):
        if rule.permission and not may("partner", rule.permission):
            visit.knock(path_of(address, rule, house, "ana"), 403, method=method_of(rule))
        elif rule.door == "partner" or rule.permission.startswith("ib."):
            visit.knock(path_of(address, rule, house, "ana"), 200)
        if rule.owned and (not rule.permission or may("partner", rule.permission)):
            visit.knock(path_of(address, rule, house, "omar"), 404, method=method_of(rule))
    visit.found_nothing()


def model_path(model: str, page: str, key: Any, extra: str = "") -> str:
    admin = model_admins()[model]
    base = f"/admin/{admin.opts.app_label}/{admin.opts.model_name}/"
    return {
        "changelist": base,
        "add": f"{base}add/",
        "change": f"{base}{key}/change/",
        "delete": f"{base}{key}/delete/",
        "history": f"{base}{key}/history/",
        "simple_history": f"{base}{key}/history/{extra}/",
        "transition": f"{base}{key}/do/{extra}/",
        "export": f"{base}export/",
        "view_save": f"{base}views/save/",
        "-": f"{base}{key}/",
    }[page]


def row_of(house: House, model: str, whose: str) -> Any:
    """A row of this client (or this company); None when there is none. Rows of the house are the same for both."""
    admin = model_admins()[model]
    rows = admin.model._default_manager.all()
    if model == "rules_ruleset" or getattr(rows, "scope_paths", None):
        return house.thing(admin.opts.label, whose)
    return rows.order_by("pk").first()


def is_scoped(model: str) -> bool:
    rows = model_admins()[model].model._default_manager.all()
    return model == "rules_ruleset" or bool(getattr(rows, "scope_paths", None))


def test_a_partner_reads_the_plans_it_is_paid_by_and_no_others(house: House) -> None:
    answer = house.browser("partner").get("/api/v1/plans/")
    assert [plan["code"] for plan in answer.json()["results"]] == ["standard"]


def version_of(row: Any) -> Any:
    history = getattr(row, "history", None)
    version = history.order_by("-history_id").first() if history is not None else None
    return version.history_id if version is not None else 1


def test_the_administrator_finds_every_page_working(house: House) -> None:
    visit = Visit(house, "admin")
    for address, rule in ruled("staff", "staff-some"):
        if not rule.posts:
            visit.knock(path_of(address, rule, house, "ana"), 200, 302, records=rule.records)
    visit.knock("/admin/search/?s=keller", 200)
    visit.knock("/admin/search/?s=keller&extended=1", 200)
    for model in model_admins():
        row = row_of(house, model, "ana")
        key = row.pk if row is not None else NOBODY
        visit.knock(model_path(model, "changelist", key), 200)
        visit.knock(model_path(model, "changelist", key) + "?q=a", 200, 302)
        visit.knock(model_path(model, "change", key), *((200,) if row is not None else (404, 302)))
        visit.knock(model_path(model, "history", key), 200, 404, *((302,) if row is None else ()))
        if model not in FRAMEWORK:
            visit.knock(model_path(model, "add", key), 403)
            visit.knock(model_path(model, "delete", key), 403, 302)
            visit.knock(model_path(model, "simple_history", key, version_of(row)), 200, 404)
            visit.knock(
                model_path(model, "simple_history", key, version_of(row)), 403, 404, method="post"
            )
            visit.knock(model_path(model, "change", key), 403, 302, method="post")
            for transition in model_admins()[model].transitions:
                visit.knock(
                    model_path(model, "transition", key, transition.code), _dialog(transition, row)
                )
    visit.found_nothing()


def _dialog(transition: Any, row: Any) -> int:
    """What the dialog of an act answers to whoever may do it: a row's state may not allow it now."""
    if row is None:
        return 404
    return 200 if transition.visible(row) else 409


@pytest.mark.parametrize("role", [role for role in STAFF_ROLES if role != "admin"])
def test_each_role_opens_what_its_permissions_say(house: House, role: str) -> None:
    visit = Visit(house, role)
    for address, rule in ruled("staff"):
        allowed = not rule.permission or may(role, rule.permission)
        if allowed and (rule.posts or address.name in COSTLY):
            continue
        wanted = (200, 302) if allowed else (403,)
        visit.knock(path_of(address, rule, house, "ana"), *wanted, method=method_of(rule),
                    records=rule.records)  # fmt: skip
    for address, rule in ruled("api"):
        if rule.permission and not may(role, rule.permission):
            visit.knock(path_of(address, rule, house, "ana"), 403, method=method_of(rule))
        elif not rule.posts and address.name not in COSTLY:
            visit.knock(f"{path_of(address, rule, house, 'ana')}?client={house.ana.client_id}", 200,
                        *((503,) if address.name == "exposure" else ()), records=rule.records)  # fmt: skip
    for model, admin in model_admins().items():
        _at_the_model(visit, house, model, admin, role)
    for address, rule in ruled("client"):
        visit.knock(path_of(address, rule, house, "ana"), 302, 405, method=method_of(rule))
    visit.found_nothing()


def _at_the_model(visit: Visit, house: House, model: str, admin: Any, role: str) -> None:
    row = row_of(house, model, "ana")
    key = row.pk if row is not None else NOBODY
    sees = may(role, f"{admin.opts.app_label}.view_{admin.opts.model_name}")
    if sees:
        visit.knock(model_path(model, "changelist", key) + "?q=nothing-like-this", 200, 302)
    else:
        for page in ("changelist", "change", "history"):
            visit.knock(model_path(model, page, key), 403, *((404, 302) if row is None else (404,)))
        if model not in FRAMEWORK:
            visit.knock(model_path(model, "simple_history", key, version_of(row)), 403, 404)
            visit.knock(model_path(model, "view_save", key), 403, method="post")
    export = getattr(admin, "export", None)
    if export is not None:
        wanted = 200 if sees and may(role, str(export.permission)) else 403
        visit.knock(model_path(model, "export", key), wanted)
    for transition in getattr(admin, "transitions", ()) if row is not None else ():
        if not may(role, str(transition.permission)):
            path = model_path(model, "transition", key, transition.code)
            for method in ("get", "post"):
                visit.knock(path, 403, *(() if sees else (404,)), method=method)


WHOLE_HOUSE = {"admin:ledger_trial_balance"}
"""Pages that add everybody's money up."""


def test_the_other_companys_staff_see_nothing_of_this_one(house: House) -> None:
    visit = Visit(house, "elsewhere", secrets=secrets_of(house, "ana"))
    for address, rule in ruled("staff", "staff-some"):
        wanted = (404,) if rule.owned else (403,) if address.name in WHOLE_HOUSE else (200, 302)
        if not rule.posts or rule.owned:
            visit.knock(path_of(address, rule, house, "ana"), *wanted, method=method_of(rule))
    for text in ("keller", house.ana.email, house.ana.row.number):
        visit.knock(f"/admin/search/?s={text}&extended=1", 200)
    for address, rule in ruled("api"):
        wanted = (404,) if rule.owned else (200, 503)
        path = f"{path_of(address, rule, house, 'ana')}?client={house.ana.client_id}"
        visit.knock(
            path,
            *wanted if not (rule.posts and not rule.owned) else (400, 404),
            method=method_of(rule),
        )
    for model in model_admins():
        if model not in FRAMEWORK:
            _across_the_border(visit, house, model)
    visit.found_nothing()


def _across_the_border(visit: Visit, house: House, model: str) -> None:
    visit.knock(model_path(model, "changelist", ""), 200)
    row = row_of(house, model, "ana")
    if row is None or not is_scoped(model):
        return
    for page, extra in (
        ("change", ""),
        ("delete", ""),
        ("history", ""),
        ("simple_history", version_of(row)),
    ):
        visit.knock(model_path(model, page, row.pk, extra), 404, 302, 403)
    for transition in model_admins()[model].transitions:
        for method in ("get", "post"):
            visit.knock(
                model_path(model, "transition", row.pk, transition.code), 404, method=method
            )


def test_permissions_that_pages_ask_for_are_declared() -> None:
    asked = {rule.permission for rule in RULES.values() if rule.permission}
    undeclared = {code for code in asked if code not in REGISTRY and ".view_" not in code}
    assert undeclared == set()
    assert HERE != ELSEWHERE
