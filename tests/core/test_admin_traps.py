"""The known traps of admin packages, one test each: what the packages let through, and that it is closed here."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission as PermissionRow
from django.core import checks
from django.test import Client as Browser
from django.urls import NoReverseMatch, get_resolver, reverse
from guardian.admin import GuardedModelAdminMixin
from import_export.admin import ExportMixin, ImportMixin

from apps.clients.models import Client
from apps.core.actor import Actor, ScopeLevel
from apps.core.admin import BrokerInline, BrokerModelAdmin
from apps.core.admin.edits import WithoutTransaction
from apps.core.approvals import EFFECTS, approval_request, approves
from apps.core.checks import NEEDED
from apps.core.commands import command
from apps.core.models import Approval, ApprovalVote
from apps.core.permissions import VOTE_APPROVAL
from apps.users.models import Desk, User
from apps.users.roles import sync_permissions
from tests.clients import world

pytestmark = pytest.mark.django_db
PAGES = list(admin.site._registry.values())
BROKER_PAGES = [page for page in PAGES if isinstance(page, BrokerModelAdmin)]
MAKER = Actor.system("test")
SECRET = "s3cret-of-the-other-company"


@pytest.fixture(autouse=True)
def effect():
    @approves("test.act")
    def act(approval: Approval, *, actor: Actor) -> None: ...

    yield
    EFFECTS.pop("test.act")


@command
def ask(*, entity: str, title: str = "Pay Ana") -> Approval:
    return approval_request(
        action="test.act", title=title, payload={"amount": "1"}, permission=VOTE_APPROVAL,
        actor=MAKER, reason="due", entity=entity,
    )  # fmt: skip


def browser(*codes: str, entities: tuple[str, ...] = ("BOS-EU",)) -> Browser:
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
    found = Browser()
    found.force_login(user)
    return found


VIEW, VOTE = "core.view_approval", "core.vote_approval"
ALL_CRUD = ("core.add_approval", "core.change_approval", "core.delete_approval")
LIST = "/admin/core/approval/"


def unchanged(approval: Approval) -> None:
    assert Approval.objects.get(pk=approval.pk).title == approval.title
    assert Approval.objects.get(pk=approval.pk).state == "PENDING"
    assert ApprovalVote.objects.count() == 0


# simple-history


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_old_version_is_never_written_back(method):
    approval = ask(entity="BOS-EU")
    url = reverse(
        "admin:core_approval_simple_history", args=[approval.pk, approval.history.first().pk]
    )
    answer = getattr(browser(VIEW, *ALL_CRUD), method)(url, {"title": "Pay me", "required": 1})
    assert answer.status_code in (403, 405)
    unchanged(approval)
    assert approval.history.count() == 1


@pytest.mark.parametrize("page", ["history", "simple_history"])
def test_history_of_a_row_out_of_scope_is_absent(page):
    theirs = ask(entity="BOS-INT", title=SECRET)
    version = [theirs.history.first().pk] if page == "simple_history" else []
    answer = browser(VIEW).get(reverse(f"admin:core_approval_{page}", args=[theirs.pk, *version]))
    assert answer.status_code == 404
    assert SECRET not in answer.content.decode()


def test_a_version_of_one_row_is_not_read_through_another():
    ours, theirs = ask(entity="BOS-EU"), ask(entity="BOS-INT", title=SECRET)
    url = reverse("admin:core_approval_simple_history", args=[ours.pk, theirs.history.first().pk])
    assert browser(VIEW).get(url).status_code == 404


# django-unfold


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_no_page_has_an_action_that_runs_when_it_is_looked_at(page):
    """An unfold action without a dialog runs on GET for any member of staff; transitions are used instead."""
    for kind in ("actions_list", "actions_detail", "actions_row", "actions_submit_line"):
        assert list(getattr(page, kind, ())) == [], kind


@pytest.mark.parametrize("page", BROKER_PAGES, ids=lambda page: page.opts.label)
def test_every_transition_is_a_dialog_behind_a_permission(page):
    for transition in page.transitions:
        assert transition.permission is not None
        assert "actor" in inspect.signature(transition.service).parameters


# django-fsm


def test_the_transition_buttons_of_the_fsm_package_are_not_used():
    """They do not check the transition's permission on the server and keep half of what then fails."""
    for page in PAGES:
        assert not [c for c in type(page).__mro__ if c.__module__.startswith("django_fsm")]


# django-import-export


def test_nobody_imports_and_exports_go_through_the_house():
    for page in PAGES:
        assert not isinstance(page, ImportMixin | ExportMixin)
    names = {name for name in get_resolver("brokeros.urls").reverse_dict if isinstance(name, str)}
    assert not [name for name in names if name.endswith(("_import", "_process_import"))]


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_the_start_fails_when_a_door_of_a_package_is_opened_again(settings, name):
    setattr(settings, name, None)
    found = [error for error in checks.run_checks() if error.id.startswith("core.E")]
    assert len(found) == 1
    assert name in found[0].msg


# django-guardian


def test_the_page_that_edits_everybodys_object_permissions_does_not_exist():
    for page in PAGES:
        assert not isinstance(page, GuardedModelAdminMixin)
    with pytest.raises(NoReverseMatch):
        reverse("admin:core_approval_permissions", args=[1])


# Pages that packages bring


def test_every_page_is_one_of_ours():
    assert [p.opts.label for p in PAGES if not p.model.__module__.startswith("apps.")] == []


def test_inlines_are_read_only_and_scoped():
    for page in BROKER_PAGES:
        for inline in page.inlines:
            assert issubclass(inline, BrokerInline), inline


def test_the_page_of_a_row_runs_its_service_outside_of_the_frameworks_transaction():
    for page in BROKER_PAGES:
        below = type(page).__mro__
        assert below.index(WithoutTransaction) < below.index(admin.ModelAdmin)


# Adding, deleting, editing in lists


@pytest.mark.parametrize("page", BROKER_PAGES, ids=lambda page: page.opts.label)
def test_lists_edit_nothing_and_delete_nothing(page, rf):
    request = rf.get("/")
    request.actor, request.user = MAKER, User(is_superuser=True, is_staff=True)
    assert tuple(page.list_editable) == ()
    assert "delete_selected" not in page.get_actions(request)
    assert page.has_add_permission(request) is False
    assert page.has_delete_permission(request) is False


def test_deleting_in_bulk_is_no_action_even_when_it_is_posted():
    approval = ask(entity="BOS-EU")
    body = {"action": "delete_selected", "_selected_action": [str(approval.pk)], "post": "yes"}
    browser(VIEW, *ALL_CRUD).post(LIST, body)
    browser(VIEW, *ALL_CRUD).post(LIST, body | {"select_across": "1"})
    unchanged(approval)


def test_a_list_posted_as_a_formset_changes_nothing():
    approval = ask(entity="BOS-EU")
    body = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(approval.pk),
        "form-0-title": "Pay me", "_save": "Save",
    }  # fmt: skip
    browser(VIEW, *ALL_CRUD).post(LIST, body)
    unchanged(approval)


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_add_delete_and_change_are_refused_to_those_who_hold_the_frameworks_permissions(path):
    approval = ask(entity="BOS-EU")
    answer = browser(VIEW, *ALL_CRUD).post(
        LIST + path.format(pk=approval.pk), {"title": "Pay me", "post": "yes"}
    )
    assert answer.status_code == 403
    unchanged(approval)


# Lookups in the address


@pytest.mark.parametrize(
    "query",
    [
        "payload_hash__startswith=a", "reason=due", "maker_id__contains=s", "votes__reason__contains=x",
        "state__regex=P", "title__icontains=Pay", "entity=BOS-INT", "action__startswith=test",
    ],
)  # fmt: skip
def test_an_address_asks_only_what_a_declared_filter_asks(query):
    ask(entity="BOS-EU")
    assert browser(VIEW).get(f"{LIST}?{query}").status_code == 400


def test_what_the_declared_filters_ask_is_answered():
    ask(entity="BOS-EU")
    found = browser(VIEW)
    for query in ("state__exact=PENDING", "action=test.act", "o=-1", "p=1", "q=Pay"):
        assert found.get(f"{LIST}?{query}").status_code == 200, query


def test_password_hashes_are_not_guessed_letter_by_letter():
    found = browser("users.view_user")
    for query in (
        "password__startswith=m",
        "password__gt=m",
        "is_superuser=1",
        "last_login__isnull=1",
    ):
        assert found.get(f"/admin/users/user/?{query}").status_code == 400, query


def test_a_long_search_is_cut_and_an_odd_page_is_harmless():
    found = browser(VIEW)
    for query in ("q=" + "x" * 5000, "p=999999999", "p=-1", "p=abc", "o=99.x", "all="):
        assert found.get(f"{LIST}?{query}").status_code in (200, 302), query
    assert found.get(f"{LIST}?_facets=True").status_code in (200, 302)


# Pop-ups and raw ids


@pytest.mark.parametrize("name", ["_popup", "_to_field"])
@pytest.mark.parametrize("path", ["", "add/", "{pk}/change/", "{pk}/delete/"])
def test_no_page_opens_for_another_windows_picker(name, path):
    url = LIST + path.format(pk=ask(entity="BOS-EU").pk)
    assert browser(VIEW, *ALL_CRUD).get(f"{url}?{name}=id").status_code in (400, 403)


# Pickers, autocomplete, choices of filters: what the rows hide, the choices hide


@pytest.fixture
def two_companies(settings, tmp_path):
    with world.open_house(settings, tmp_path / "vault"):
        here = world.staff_user(
            "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-EU"], email="here@x.example"
        )
        there = world.staff_user(
            "sales", scope=ScopeLevel.ENTITY, entities=["BOS-INT"], email="there@x.example"
        )
        User.objects.filter(pk=there.pk).update(name=SECRET)
        found = Browser()
        found.force_login(here)
        yield found, there


def test_the_choices_of_a_filter_name_nobody_out_of_scope(two_companies, monkeypatch):
    found, _there = two_companies
    page = admin.site.get_model_admin(Client)
    monkeypatch.setattr(page, "list_filter", ("entity", "owner"))
    shown = found.get("/admin/clients/client/").content.decode()
    assert "owner__id__exact" in shown
    assert SECRET not in shown
    assert "BOS-INT" not in shown


def test_the_choices_of_a_filter_over_a_relation_are_within_scope_too(two_companies, monkeypatch):
    found, _there = two_companies
    page = admin.site.get_model_admin(Client)
    monkeypatch.setattr(page, "list_filter", ("owner__name", "entity__code"))
    shown = found.get("/admin/clients/client/").content.decode()
    assert SECRET not in shown
    assert "BOS-INT" not in shown


def test_pickers_offer_only_what_is_in_scope(two_companies, rf):
    request = rf.get("/")
    request.actor = world.staff(
        "compliance", scope=ScopeLevel.ENTITY, entities=["BOS-EU"], email="p@x.example"
    )
    request.user = User.objects.get(email="p@x.example")
    field = Client._meta.get_field("entity")
    offered = admin.site.get_model_admin(Client).formfield_for_dbfield(field, request)
    assert [row.code for row in offered.queryset] == ["BOS-EU"]
    widget = offered.widget
    assert not getattr(widget, "can_add_related", False)
    assert not getattr(widget, "can_change_related", False)
    assert not getattr(widget, "can_delete_related", False)


def test_autocomplete_answers_within_scope_and_permission(two_companies):
    found, _there = two_companies
    query = "?app_label=clients&model_name=client&field_name=owner&term=s3cret"
    assert SECRET not in found.get(f"/admin/autocomplete/{query}").content.decode()
    nobody = browser()
    assert nobody.get(f"/admin/autocomplete/{query}").status_code == 403
    odd = "?app_label=clients&model_name=client&field_name=number&term=x"
    assert found.get(f"/admin/autocomplete/{odd}").status_code == 403


def test_dates_above_a_list_are_those_of_rows_in_scope(monkeypatch):
    ours, theirs = ask(entity="BOS-EU"), ask(entity="BOS-INT")
    Approval.objects.filter(pk=theirs.pk).update(created_at=datetime(1999, 5, 5, tzinfo=UTC))
    monkeypatch.setattr(admin.site.get_model_admin(Approval), "date_hierarchy", "created_at")
    shown = browser(VIEW).get(LIST).content.decode()
    assert str(ours.pk) in shown
    assert "1999" not in shown


# Odd doors of the framework


def test_view_on_site_tells_nothing_of_what_exists():
    from django.contrib.contenttypes.models import ContentType

    theirs = ask(entity="BOS-INT")
    kind = ContentType.objects.get_for_model(Approval).pk
    found = browser(VIEW)
    for key in (theirs.pk, "nothing"):
        answer = found.get(f"/admin/r/{kind}/{key}/")
        assert answer.status_code == 404
        assert answer.resolver_match.url_name == "admin-no-public-page"


def test_nobody_sets_another_persons_password():
    other = User.objects.create_user("other@example.com", "a-long-password", is_staff=True)
    everything = User.objects.create_superuser("root@example.com", "a-long-password")
    found = Browser()
    found.force_login(everything)
    body = {"password1": "another-long-one", "password2": "another-long-one"}
    for path in (
        f"/admin/users/user/{other.pk}/password/",
        f"/admin/auth/user/{other.pk}/password/",
    ):
        assert found.post(path, body, follow=True).status_code in (403, 404, 200)
    assert User.objects.get(pk=other.pk).check_password("a-long-password")


def test_the_frameworks_own_log_stays_empty(rf):
    """It knows no reasons and repeats names of rows; the audit trail is the one record."""
    page = admin.site.get_model_admin(Desk)
    request = rf.get("/")
    request.user = User.objects.create_user("a@example.com", "a-long-password", is_staff=True)
    desk = Desk.objects.create(code="a", name="A")
    page.log_change(request, desk, "changed")
    page.log_addition(request, desk, "added")
    page.log_deletions(request, Desk.objects.all())
    assert LogEntry.objects.count() == 0


def test_the_catalogue_of_texts_is_for_staff_alone():
    assert Browser().get("/admin/jsi18n/").status_code == 302
    assert browser().get("/admin/jsi18n/").status_code == 200


# Doors of actions


@pytest.mark.parametrize("body", [{"action": "anything"}, {"action": "__call__"}, {"index": "0"}])
def test_an_action_that_is_not_declared_does_nothing(body):
    approval = ask(entity="BOS-EU")
    answer = browser(VIEW).post(LIST, body | {"_selected_action": [str(approval.pk)]})
    assert answer.status_code in (200, 302)
    unchanged(approval)
