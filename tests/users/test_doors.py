"""From where staff may come, and looking at a client's pages as that client."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser

from apps.clients.models import Client
from apps.clients.services import clients_hand_on
from apps.core import clock
from apps.core.addresses import client_address
from apps.core.context import RequestContext, set_request
from apps.core.errors import InvalidInput, NotAllowed, NotVisible, ReadOnly
from apps.core.masks import FieldMask, mask_for
from apps.core.models import AuditRecord
from apps.users.errors import LocksOneselfOut, NotAClient
from apps.users.models import Impersonation, NetworkRule, RoleGrant, User
from apps.users.selectors import actor_for, impersonating_actor
from apps.users.services import (
    impersonation_start,
    network_rule_add,
    network_rule_end,
    role_revoke,
    user_cut_off,
)
from tests.clients.conftest import house
from tests.clients.world import confirmed, user_of
from tests.users.people import acting, hire, refused

pytestmark = pytest.mark.django_db
__all__ = ["house"]


@pytest.fixture
def lena(house) -> Client:
    return confirmed()


@pytest.fixture
def sara(house) -> User:
    return hire("sara", "support")


def browser_of(user: User) -> Browser:
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    return browser


def looks(browser: Browser, login: User, minutes: int = 15):
    return browser.post(
        f"/admin/users/impersonation/begin/{login.pk}/",
        {"minutes": minutes, "reason": "asked about the missing deposit"},
    )


def test_whoever_looks_reads_no_more_of_the_person_than_in_the_back_office(lena, sara):
    browser, login = browser_of(sara), user_of(lena)
    looks(browser, login)
    look, staff = Impersonation.objects.get(), actor_for(sara)

    looking = impersonating_actor(staff, look, login)

    for field in ("clients.Person.tax_id", "payments.PaymentInstrument.details"):
        assert mask_for(looking, field) is mask_for(staff, field) is FieldMask.PARTIAL
        assert mask_for(actor_for(login), field) is FieldMask.FULL


def test_the_client_is_seen_as_the_client_sees_it_and_nothing_can_be_changed(lena, sara):
    browser, login = browser_of(sara), user_of(lena)
    assert looks(browser, login).status_code == 302
    page = browser.get("/portal/profile/")
    assert page.status_code == 200
    shown = page.content.decode()
    assert "sees this as the client, reading only" in shown
    assert "asked about the missing deposit" in shown
    before = AuditRecord.objects.count()
    for path in ("/portal/profile/", "/portal/application/", "/api/v1/kyc-cases/submit/"):
        assert browser.post(path, {"x": 1}).status_code == 403
    assert AuditRecord.objects.count() == before
    trail = AuditRecord.objects.filter(client_id=lena.pk, action__startswith="impersonation.")
    seen = trail.get(action="impersonation.page")
    assert (seen.actor_id, seen.on_behalf_of, seen.after) == (
        f"user:{sara.pk}", f"user:{login.pk}", {"path": "/portal/profile/"},
    )  # fmt: skip
    assert trail.filter(action="impersonation.start").count() == 1
    assert browser.get("/admin/").status_code == 200
    browser.post("/admin/users/impersonation/stop/")
    assert browser.get("/portal/profile/").status_code in (302, 403, 404)
    assert Impersonation.objects.get().ended_at is not None


def test_the_command_layer_refuses_too(lena, sara):
    officer = hire("carla", "compliance")
    set_request(RequestContext(read_only=True))
    try:
        with refused(ReadOnly):
            user_cut_off(user_id=sara.pk, actor=acting(officer), reason="left")
    finally:
        set_request(None)


def test_it_ends_by_itself_and_with_the_one_who_looks(lena, sara):
    browser = browser_of(sara)
    looks(browser, user_of(lena), minutes=5)
    assert browser.get("/portal/profile/").status_code == 200
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        assert browser.get("/portal/profile/").status_code in (302, 403, 404)
    officer = hire("carla", "compliance")
    user_cut_off(user_id=sara.pk, actor=acting(officer), reason="left")
    assert Impersonation.objects.get().ended_at is not None
    assert browser.get("/portal/profile/").status_code == 302


@pytest.mark.parametrize("lost", ["role", "view"])
def test_a_look_is_over_with_the_right_to_look(lena, sara, lost):
    browser = browser_of(sara)
    looks(browser, user_of(lena))
    assert browser.get("/portal/profile/").status_code == 200
    if lost == "role":
        grant = RoleGrant.objects.get(user=sara)
        boss = acting(hire("ada", "admin"))
        role_revoke(rolegrant_id=grant.pk, actor=boss, reason="moves on")
    else:
        User.objects.filter(pk=sara.pk).update(scope_level="ENTITY", entities=["BOS-INT"])
    pages = AuditRecord.objects.filter(action="impersonation.page").count()
    assert browser.get("/portal/profile/").status_code in (302, 403, 404)
    assert AuditRecord.objects.filter(action="impersonation.page").count() == pages


def test_staff_are_never_looked_at_this_way(lena, sara):
    colleague, login = hire("felix", "finance"), user_of(lena)
    sven = hire("sven", "sales")
    elsewhere = hire("omar", "support", scope="ENTITY", entities=["BOS-INT"])
    for person, target, minutes, error in (
        (sara, colleague, 15, NotAClient),
        (sven, login, 15, NotAllowed),
        (sara, login, 61, InvalidInput),
        (elsewhere, login, 15, NotVisible),
    ):
        with refused(error):
            impersonation_start(
                user_id=target.pk, actor=acting(person), reason="curious", minutes=minutes
            )
    assert Impersonation.objects.count() == 0


def test_a_second_look_ends_the_first(lena, sara):
    browser = browser_of(sara)
    looks(browser, user_of(lena))
    looks(browser, user_of(lena))
    assert sorted(look.ended_at is None for look in Impersonation.objects.all()) == [False, True]


def test_from_elsewhere_a_session_ends_and_the_trail_says_so(house):
    admin, dealer = hire("ada", "admin"), hire("dylan", "dealing")
    browser = browser_of(dealer)
    assert browser.get("/admin/", REMOTE_ADDR="203.0.113.9").status_code == 200
    rule = network_rule_add(
        role="dealing", networks=["198.51.100.0/24"], actor=acting(admin), reason="desk only"
    )
    assert browser.get("/admin/", REMOTE_ADDR="198.51.100.7").status_code == 200
    refused_page = browser.get("/admin/", REMOTE_ADDR="203.0.113.10")
    assert refused_page.status_code == 403
    assert "NETWORK_NOT_ALLOWED" in refused_page.content.decode()
    assert browser.get("/admin/", REMOTE_ADDR="198.51.100.7").status_code == 302
    record = AuditRecord.objects.get(action="sign_in.refused")
    assert (record.after, record.subject_id) == ({"address": "203.0.113.10"}, str(dealer.pk))
    network_rule_end(networkrule_id=rule.pk, actor=acting(admin), reason="home office")
    assert browser_of(dealer).get("/admin/", REMOTE_ADDR="203.0.113.10").status_code == 200


def test_a_persons_own_rule_replaces_those_of_the_roles(house):
    admin, dealer = hire("ada", "admin"), hire("dylan", "dealing")
    for who in ({"role": "dealing"}, {"user_id": dealer.pk}):
        network = "198.51.100.0/24" if "role" in who else "2001:db8::/32"
        network_rule_add(networks=[network], actor=acting(admin), reason="desk", **who)
    assert browser_of(dealer).get("/admin/", REMOTE_ADDR="2001:db8::1").status_code == 200
    assert browser_of(dealer).get("/admin/", REMOTE_ADDR="198.51.100.7").status_code == 403


def test_nobody_locks_oneself_out(house):
    from dataclasses import replace

    admin = hire("ada", "admin")
    actor = replace(acting(admin), ip="203.0.113.9")
    with refused(LocksOneselfOut):
        network_rule_add(role="admin", networks=["198.51.100.0/24"], actor=actor, reason="desk")
    assert NetworkRule.objects.count() == 0
    with refused(InvalidInput):
        network_rule_add(role="admin", networks=["not a network"], actor=actor, reason="desk")


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "found"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.2", "192.0.2.1, 198.51.100.1, 10.0.0.3", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.2", "nonsense", ["10.0.0.0/8"], "10.0.0.2"),
        ("10.0.0.2", "", ["10.0.0.0/8"], "10.0.0.2"),
    ],
)
def test_only_our_own_proxies_are_believed(remote, forwarded, trusted, found):
    meta = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(meta, trusted) == found


def test_a_leavers_clients_are_handed_on_with_their_history(lena, house):
    old, new, boss = hire("sven", "sales"), hire("sonja", "sales"), hire("olof", "operations")
    Client.objects.filter(pk=lena.pk).update(owner=old)
    handed = clients_hand_on(
        from_owner_id=old.pk, to_owner_id=new.pk, actor=acting(boss), reason="Sven left"
    )
    after = Client.objects.get(pk=lena.pk)
    assert (handed, after.owner_id) == (1, new.pk)
    assert after.history.latest().history_change_reason == "Sven left"
    with refused(InvalidInput):
        clients_hand_on(
            from_owner_id=new.pk, to_owner_id=new.pk, actor=acting(boss), reason="circle"
        )
    with refused(NotAllowed):
        clients_hand_on(
            from_owner_id=new.pk, to_owner_id=old.pk, actor=acting(new), reason="not mine"
        )
