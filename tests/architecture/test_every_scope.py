"""Every address that names a row × every way to be limited: in scope it opens, out of scope there is nothing.

Each of these people may do everything; what they differ in is how far they see. `ana`'s client has an owner, a desk, a
team and a country of its own; it is shared with `guest` now, and was with `late` until yesterday.
"""

from __future__ import annotations

from typing import Any

import pytest

from apps.clients.models import Client
from apps.users.selectors import actor_for
from tests.architecture.addresses import model_admins
from tests.architecture.house import House
from tests.architecture.test_every_address import (
    COSTLY,
    FRAMEWORK,
    Visit,
    method_of,
    model_path,
    path_of,
    row_of,
    ruled,
    secrets_of,
    version_of,
)

pytestmark = pytest.mark.django_db

SEES = {
    "own": {"ana"},
    "lead": {"ana"},
    "desk": {"ana"},
    "country": {"ana"},
    "company": {"ana"},
    "guest": {"ana"},
    "late": set(),
    "nobody": set(),
}
THOROUGH = {"own", "guest", "late"}
"""They try every page and button of what they do not see; the others its page, which asks the same query."""

THERE = (200, 302)
ABSENT = (404,)


@pytest.fixture
def _django_db_helper() -> None:
    """The house stays as well."""


def rows_of_clients(house: House, whose: str) -> dict[str, Any]:
    """Model → a row of this client, of every page whose rows belong to somebody."""
    found = {}
    for model, admin in model_admins().items():
        rows = admin.model._default_manager.all()
        if model in FRAMEWORK or not getattr(rows, "scope_paths", None):
            continue
        row = row_of(house, model, whose)
        if row is not None:
            found[model] = row
    return found


@pytest.mark.parametrize("who", SEES)
def test_each_scope_opens_its_own_rows_and_finds_no_others(house: House, who: str) -> None:
    unseen = [whose for whose in ("ana", "omar") if whose not in SEES[who]]
    secrets = [text for whose in unseen for text in secrets_of(house, whose)]
    visit = Visit(house, who, secrets=secrets)
    actor = actor_for(house.logins[who])
    clients = set(Client.objects.visible_to(actor).values_list("pk", flat=True))
    assert {getattr(house, whose).client_id for whose in SEES[who]} == clients & {
        house.ana.client_id, house.omar.client_id,
    }  # fmt: skip
    for whose in ("ana", "omar"):
        for model, row in rows_of_clients(house, whose).items():
            seen = type(row)._default_manager.visible_to(actor).filter(pk=row.pk).exists()
            own = "client" in type(row)._default_manager.all().scope_paths
            if seen != (whose in SEES[who]) and (own or seen):
                visit.found.append(f"{who} {'sees' if seen else 'misses'} {whose}'s {model}")
            if seen:
                visit.knock(model_path(model, "change", row.pk), 200)
            else:
                _knock_at_the_absent(visit, model, row, every_page=who in THOROUGH)
    visit.found_nothing()


def _knock_at_the_absent(visit: Visit, model: str, row: Any, *, every_page: bool) -> None:
    visit.knock(model_path(model, "change", row.pk), *ABSENT)
    if not every_page:
        return
    for page, extra in (("history", ""), ("simple_history", version_of(row))):
        visit.knock(model_path(model, page, row.pk, extra), *ABSENT)
    visit.knock(model_path(model, "delete", row.pk), 404, 403)
    visit.knock(model_path(model, "change", row.pk), 404, 403, method="post")
    for transition in model_admins()[model].transitions:
        path = model_path(model, "transition", row.pk, transition.code)
        visit.knock(path, *ABSENT)
        visit.knock(path, *ABSENT, method="post")


@pytest.mark.parametrize("who", SEES)
def test_pages_of_other_kinds_the_interface_and_lists_keep_to_the_same_scope(
    house: House, who: str
) -> None:
    unseen = [whose for whose in ("ana", "omar") if whose not in SEES[who]]
    visit = Visit(house, who, secrets=[t for whose in unseen for t in secrets_of(house, whose)])
    for address, rule in ruled("staff", "api"):
        if not rule.owned or (address.name in COSTLY and who not in THOROUGH):
            continue
        for whose in ("ana", "omar"):
            path = path_of(address, rule, house, whose)
            wanted = ABSENT if whose not in SEES[who] else (*THERE, 404, 400, 403, 409, 405, 422)
            if whose in SEES[who] and rule.posts:
                continue
            visit.knock(path, *wanted, method=method_of(rule), records=rule.records)
    for address, rule in ruled("api"):
        if not rule.owned and not rule.posts and address.name not in COSTLY:
            path = f"{path_of(address, rule, house, 'ana')}?client={house.omar.client_id}"
            visit.knock(path, 200, 403, 503)
    for model in rows_of_clients(house, "ana"):
        visit.knock(model_path(model, "changelist", ""), 200)
    for text in (house.omar.names[1], house.omar.email, house.omar.row.number):
        visit.knock(f"/admin/search/?s={text}&extended=1", 200)
    visit.found_nothing()


@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_a_missing_permission_is_told_before_anything_is_looked_for(
    house: House, page: str
) -> None:
    """Whoever may not open a page is told so alike for rows of theirs, of others and of nobody: 403, never 404."""
    visit = Visit(house, "sales")
    nobody = "00000000-0000-0000-0000-000000000000"
    for key in (house.thing("kyc.Document", "ana").pk, nobody):
        visit.knock(
            model_path("kyc_document", page, key), 403, *((404,) if page == "delete" else ())
        )
    visit.found_nothing()
