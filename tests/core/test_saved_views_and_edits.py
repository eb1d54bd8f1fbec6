"""Lists kept under a name, and edits that say why and never go over somebody else's."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.http import QueryDict
from django.test import Client as Browser

from apps.core.actor import Actor, ActorKind
from apps.core.commands import command
from apps.core.edits import EditedMeanwhile, refuse_stale
from apps.core.errors import NotAllowed, NotVisible
from apps.core.locks import lock_row
from apps.core.models import AuditRecord, SavedView
from apps.core.permissions import SHARE_VIEW
from apps.core.views import MOST_VIEWS, TooManyViews, kept_query, view_remove, view_save, views_for
from apps.users.models import Desk, User

pytestmark = pytest.mark.django_db
ANA = Actor(ActorKind.STAFF, "user:1", "Ana", user_id=1, permissions=frozenset({str(SHARE_VIEW)}))
BEN = Actor(ActorKind.STAFF, "user:2", "Ben", user_id=2)


def keep(actor: Actor = ANA, name: str = "Mine", role: str = "", **more) -> SavedView:
    values = {"query": "state__exact=PENDING&p=3", "is_default": False} | more
    return view_save(model="core.approval", name=name, role=role, actor=actor, **values)


def test_a_view_keeps_filters_and_order_and_neither_the_page_nor_what_was_searched():
    assert kept_query(QueryDict("p=3&q=x&o=-1&state__exact=A&empty=&all=1&_popup=1")) == (
        "o=-1&state__exact=A"
    )
    assert keep().query == "state__exact=PENDING"


def test_ones_own_and_the_roles_views_are_shown_and_no_others():
    own, shared = keep(), keep(name="Ours", role="compliance")
    assert list(views_for(ANA, "core.approval", [])) == [own, shared]
    assert list(views_for(BEN, "core.approval", ["compliance"])) == [shared]
    assert list(views_for(BEN, "core.approval", ["sales"])) == []
    assert list(views_for(ANA, "clients.client", ["compliance"])) == []


def test_sharing_needs_its_permission_and_is_written_down():
    with pytest.raises(NotAllowed):
        keep(BEN, role="compliance")
    assert SavedView.objects.count() == 0
    keep(role="compliance")
    assert AuditRecord.objects.get().action == "view.share"


def test_one_view_opens_first():
    keep(is_default=True)
    keep(name="Other", is_default=True)
    assert [v.name for v in SavedView.objects.filter(is_default=True)] == ["Other"]


def test_saving_the_same_name_replaces_and_nobody_keeps_without_end():
    keep()
    keep(query="state__exact=APPROVED")
    assert SavedView.objects.get().query == "state__exact=APPROVED"
    for number in range(MOST_VIEWS - 1):
        keep(name=f"v{number}")
    with pytest.raises(TooManyViews):
        keep(name="one more")
    assert SavedView.objects.count() == MOST_VIEWS


def test_another_ones_view_is_not_removed():
    view = keep(role="compliance")
    with pytest.raises(NotVisible):
        view_remove(view_id=view.pk, actor=BEN)
    view_remove(view_id=view.pk, actor=ANA)
    assert SavedView.objects.count() == 0


# Edits


@command
def desk_rename(*, pk: int, base: dict, actor: Actor, reason: str, name: str) -> Desk:
    """As the edit service of a page is written."""
    desk = lock_row(Desk.objects.all(), pk)
    if refuse_stale(desk, base, {"name": name}):
        desk.name = name
        desk.save()
        from apps.core.audit import audit

        audit(actor=actor, action="desk.rename", subject=desk, reason=reason)
    return desk


@pytest.fixture
def page(monkeypatch):
    found = admin.site.get_model_admin(Desk)
    monkeypatch.setattr(type(found), "editable_fields", ("name",))
    monkeypatch.setattr(type(found), "edit_service", desk_rename)
    monkeypatch.setattr(type(found), "fieldsets", ((None, {"fields": ("name",)}),))
    monkeypatch.setattr(type(found), "has_change_permission", lambda self, request, obj=None: True)
    monkeypatch.setattr(type(found), "has_view_permission", lambda self, request, obj=None: True)
    monkeypatch.setattr(type(found), "get_queryset", lambda self, request: Desk.objects.all())
    browser = Browser()
    browser.force_login(
        User.objects.create_user(
            "a@example.com", "a-long-password", is_staff=True, scope_level="ALL"
        )
    )
    return browser, Desk.objects.create(code="a", name="Old")


def post(page, **fields) -> object:
    browser, desk = page
    body = {"name": "New", "edit_reason": "they moved", "edit_base": '{"name": "Old"}'} | fields
    return browser.post(f"/admin/users/desk/{desk.pk}/change/", body)


def test_an_edit_says_why(page):
    assert post(page, edit_reason="").status_code == 200
    assert Desk.objects.get().name == "Old"
    assert post(page).status_code == 302
    assert Desk.objects.get().name == "New"
    assert AuditRecord.objects.get().reason == "they moved"


def test_the_second_of_two_open_forms_is_told_what_changed_and_loses_nothing_it_typed(page):
    post(page)
    answer = post(page, name="Third")
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Old → New" in shown
    assert 'value="Third"' in shown
    assert Desk.objects.get().name == "New"
    assert AuditRecord.objects.count() == 1


def test_the_same_form_sent_twice_is_one_edit(page):
    assert [post(page).status_code for _ in range(2)] == [302, 302]
    assert AuditRecord.objects.count() == 1


def test_a_row_that_is_what_was_seen_is_written_and_one_that_is_not_is_refused():
    desk = Desk(code="a", name="Now")
    assert refuse_stale(desk, {"name": "Now"}, {"name": "Next"}) is True
    assert refuse_stale(desk, {"name": "Before"}, {"name": "Now"}) is False
    with pytest.raises(EditedMeanwhile) as refused:
        refuse_stale(desk, {"name": "Before"}, {"name": "Next"})
    assert refused.value.code == "STALE_BASE"
    assert refused.value.values == {"changed": "name: Before → Now"}
