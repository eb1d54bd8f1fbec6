"""Who holds which role, from when until when, and who agreed to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.core.actor import Scope, ScopeLevel
from apps.core.approvals.errors import Beneficiary
from apps.core.errors import (
    InvalidInput,
    NotAllowed,
    NotVisible,
    SelfApproval,
    StaleBase,
)
from apps.core.models import Approval, AuditRecord
from apps.users.errors import (
    AccessPending,
    BeyondOwnRole,
    BeyondOwnScope,
    DutiesConflict,
    LastAdmin,
    LoginIsOut,
    NothingAsked,
    OwnAccess,
    RoleHeld,
    RoleUnknown,
)
from apps.users.models import Role, RoleGrant, User
from apps.users.reach import reach_of, widens
from apps.users.services import access_request, role_give, role_revoke
from tests.users.people import OPENING, acting, approve, hire, refused, roles_of

pytestmark = pytest.mark.django_db
PAY = "payments.approve_withdrawal"


def ask(by: User, who: User, *roles: str, **more) -> Approval:
    return access_request(
        user_id=who.pk, actor=acting(by), reason="joins the team", roles=roles, **more
    )


def test_a_role_is_held_only_after_a_second_person_agreed(admin, checker, newcomer):
    approval = ask(admin, newcomer, "finance")
    assert not acting(newcomer).allows(PAY)
    approve(approval, checker)
    assert acting(newcomer).allows(PAY)
    grant = RoleGrant.objects.get(user=newcomer)
    assert (grant.role.name, grant.granted_by_id, grant.approval_id, grant.reason) == (
        "finance", f"user:{admin.pk}", approval.pk, "joins the team",
    )  # fmt: skip
    newest = grant.history.latest()
    assert (newest.history_user, newest.history_change_reason) == (checker, "joins the team")
    assert AuditRecord.objects.filter(action="role.grant", subject_id=str(grant.pk)).count() == 1


def test_the_maker_does_not_approve_and_neither_does_whom_it_favours(admin, checker):
    second = hire("marek", "mlro")
    approval = ask(admin, second, "operations")
    with refused(SelfApproval):
        approve(approval, admin)
    with refused(Beneficiary):
        approve(approval, second)
    assert roles_of(second) == ["mlro"]
    approve(approval, checker)
    assert roles_of(second) == ["mlro", "operations"]


def test_nobody_asks_for_oneself(admin):
    with refused(OwnAccess):
        ask(admin, admin, "finance")


def test_without_the_permission_nobody_asks(newcomer, roles):
    dealer = hire("dylan", "dealing")
    with refused(NotAllowed):
        ask(dealer, newcomer, "dealing")


def test_nobody_gives_what_they_do_not_hold(checker, newcomer):
    with refused(BeyondOwnRole):
        ask(checker, newcomer, "finance")


def test_whoever_holds_every_permission_of_a_role_may_ask_for_it(checker, newcomer):
    assert ask(checker, newcomer, "compliance").state == "PENDING"


def test_asking_twice_is_one_request(admin, newcomer):
    ask(admin, newcomer, "finance")
    with refused(AccessPending):
        ask(admin, newcomer, "finance")


def test_a_role_that_is_held_is_not_given_again(admin, checker):
    with refused(RoleHeld):
        ask(admin, checker, "compliance")


@pytest.mark.parametrize("role", ["client", "no-such-role"])
def test_staff_hold_roles_of_staff(admin, newcomer, role):
    with refused(RoleUnknown):
        ask(admin, newcomer, role)


def test_something_must_be_asked_for(admin, newcomer):
    with refused(NothingAsked):
        ask(admin, newcomer)


def test_a_grant_begins_and_ends_by_itself(admin, checker, newcomer):
    now = clock.now()
    begins, ends = now + timedelta(days=1), now + timedelta(days=2)
    approve(ask(admin, newcomer, "finance", valid_from=begins, valid_until=ends), checker)
    instant = timedelta(microseconds=1)
    for moment, allowed in (
        (begins - instant, False),
        (begins, True),
        (ends - instant, True),
        (ends, False),
    ):
        with clock.frozen(moment):
            assert acting(newcomer).allows(PAY) is allowed, moment
            assert (roles_of(newcomer) == ["finance"]) is allowed


@pytest.mark.parametrize("days", [(0, -1), (2, 1), (1, 1)])
def test_the_end_lies_after_the_beginning_and_ahead(admin, newcomer, days):
    now = clock.now()
    begins, ends = (now + timedelta(days=count) for count in days)
    with refused(InvalidInput):
        ask(admin, newcomer, "finance", valid_from=begins, valid_until=ends)


def test_a_request_whose_time_is_over_gives_nothing(admin, checker, newcomer):
    approval = ask(admin, newcomer, "finance", valid_until=clock.now() + timedelta(hours=1))
    with clock.frozen(clock.now() + timedelta(hours=2)), refused(InvalidInput):
        approve(approval, checker)


@pytest.mark.parametrize(
    "pair", [("auditor", "support"), ("dealing", "finance"), ("sales", "mlro")]
)
def test_duties_that_do_not_go_together_are_refused(admin, roles, pair):
    person = hire("pat", pair[0])
    with refused(DutiesConflict):
        ask(admin, person, pair[1])


def test_duties_are_looked_at_again_when_it_takes_effect(admin, checker, newcomer):
    dealing = ask(admin, newcomer, "dealing")
    finance = ask(admin, newcomer, "finance")
    approve(dealing, checker)
    with refused(DutiesConflict):
        approve(finance, checker)


def test_flagged_duties_want_two_approvals_and_say_why(admin, checker, roles):
    person, mlro = hire("fatima", "finance"), hire("marek", "mlro")
    approval = ask(admin, person, "compliance")
    assert approval.required == 2
    assert approval.payload["duties"] == ["Payments want one vote from each of these two."]
    approve(approval, checker)
    assert roles_of(person) == ["finance"]
    approve(approval, mlro)
    assert roles_of(person) == ["compliance", "finance"]


def test_whom_flagged_duties_favour_does_not_cast_the_first_of_two_yes(admin, checker):
    approval = ask(admin, checker, "finance")
    assert approval.required == 2
    with refused(Beneficiary):
        approve(approval, checker)
    assert Approval.objects.get(pk=approval.pk).votes.count() == 0


def test_two_flagged_duties_asked_one_by_one_still_want_two_people(admin, checker, newcomer):
    finance, compliance = ask(admin, newcomer, "finance"), ask(admin, newcomer, "compliance")
    assert (finance.required, compliance.required) == (1, 1)
    approve(finance, checker)
    with refused(StaleBase):
        approve(compliance, checker)
    assert roles_of(newcomer) == ["finance"]
    again = ask(admin, newcomer, "compliance")
    assert again.required == 2


def test_revoking_takes_effect_at_once_and_twice_is_once(admin, roles):
    person = hire("fatima", "finance")
    grant = RoleGrant.objects.get(user=person)
    actor = acting(admin)
    role_revoke(rolegrant_id=grant.pk, actor=actor, reason="changes the team")
    assert roles_of(person) == []
    assert not acting(person).allows(PAY)
    with clock.frozen(clock.now() + timedelta(days=1)):
        again = role_revoke(rolegrant_id=grant.pk, actor=actor, reason="once more")
    assert again.revoke_reason == "changes the team"
    assert AuditRecord.objects.filter(action="role.revoke").count() == 1


def test_a_login_is_locked_before_its_grants_as_when_it_is_cut_off(admin, roles):
    grant = RoleGrant.objects.get(user=hire("fatima", "finance"))
    actor = acting(admin)
    with CaptureQueriesContext(connection) as seen:
        role_revoke(rolegrant_id=grant.pk, actor=actor, reason="changes the team")
    tables = (User._meta.db_table, RoleGrant._meta.db_table)
    locks = [
        q["sql"].split(" FROM ")[1].split()[0].strip('"')
        for q in seen
        if "FOR NO KEY UPDATE" in q["sql"]
    ]
    assert [table for table in locks if table in tables] == list(tables)


def test_a_grant_that_has_not_begun_is_revoked_and_never_begins(admin, checker, newcomer):
    tomorrow = clock.now() + timedelta(days=1)
    approve(ask(admin, newcomer, "finance", valid_from=tomorrow), checker)
    grant = RoleGrant.objects.get(user=newcomer)
    role_revoke(rolegrant_id=grant.pk, actor=acting(admin), reason="no longer needed")
    with clock.frozen(tomorrow):
        assert roles_of(newcomer) == []


def test_without_the_permission_nobody_revokes(roles):
    sales = hire("sven", "sales")
    grant = RoleGrant.objects.get(user=hire("fatima", "finance"))
    with refused(NotAllowed):
        role_revoke(rolegrant_id=grant.pk, actor=acting(sales), reason="not liked")


def test_the_last_administrator_stays(admin, checker):
    grant = RoleGrant.objects.get(user=admin)
    with refused(LastAdmin):
        role_revoke(rolegrant_id=grant.pk, actor=acting(checker), reason="left")
    hire("second", "admin")
    role_revoke(rolegrant_id=grant.pk, actor=acting(checker), reason="left")
    assert roles_of(admin) == []


def test_an_administrator_for_a_week_is_not_one_who_stays(admin, checker, newcomer):
    week = clock.now() + timedelta(days=7)
    approve(ask(admin, newcomer, "admin", valid_until=week), checker)
    with refused(LastAdmin):
        role_revoke(
            rolegrant_id=RoleGrant.objects.get(user=admin).pk, actor=acting(checker), reason="out"
        )


def test_a_wider_view_is_asked_for_with_the_role(admin, checker, newcomer):
    wish = {**reach_of(newcomer), "scope_level": "ENTITY", "entities": ["BOS-EU", "BOS-INT"]}
    approve(ask(admin, newcomer, "finance", scope=wish), checker)
    after = User.objects.get(pk=newcomer.pk)
    assert (after.scope_level, after.entities) == ("ENTITY", ["BOS-EU", "BOS-INT"])
    assert after.history.latest().history_change_reason == "joins the team"


def test_a_view_that_changed_meanwhile_is_asked_for_again(admin, checker, newcomer):
    wish = {**reach_of(newcomer), "scope_level": "ALL"}
    approval = ask(admin, newcomer, scope=wish)
    User.objects.filter(pk=newcomer.pk).update(scope_level="OWN")
    with refused(StaleBase):
        approve(approval, checker)


def test_nobody_lets_others_see_further_than_oneself(roles, newcomer):
    local = hire("olof", "operations", scope="ENTITY", entities=["BOS-EU"])
    for wish in ({"scope_level": "ALL"}, {"scope_level": "ENTITY", "entities": ["BOS-INT"]}):
        with refused(BeyondOwnScope):
            ask(local, newcomer, scope={**reach_of(newcomer), **wish})


def test_staff_of_another_company_are_not_there(roles):
    local = hire("olof", "admin", scope="ENTITY", entities=["BOS-EU"])
    elsewhere = hire("omar", "sales", scope="ENTITY", entities=["BOS-INT"])
    both = hire("bea", "sales", scope="ENTITY", entities=["BOS-EU", "BOS-INT"])
    for person in (elsewhere, both):
        with refused(NotVisible):
            ask(local, person, "support")
        with refused(NotVisible):
            role_revoke(
                rolegrant_id=RoleGrant.objects.get(user=person).pk, actor=acting(local), reason="x"
            )


def test_somebody_who_is_out_gets_nothing(admin, checker, newcomer):
    approval = ask(admin, newcomer, "finance")
    User.objects.filter(pk=newcomer.pk).update(is_active=False)
    with refused(LoginIsOut):
        approve(approval, checker)
    with refused(LoginIsOut):
        ask(admin, newcomer, "support")


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (("DESK", 1, []), ("ENTITY", 1, ["EU"]), True),
        (("ENTITY", None, ["EU"]), ("ENTITY", None, ["EU", "INT"]), True),
        (("ENTITY", None, ["EU", "INT"]), ("ENTITY", None, ["EU"]), False),
        (("ENTITY", None, ["EU"]), ("DESK", None, []), True),
        (("DESK", 1, []), ("DESK", 2, []), True),
        (("DESK", 1, []), ("DESK", None, []), False),
        (("DESK", 1, []), ("DESK", 1, ["EU"]), True),
        (("DESK", 1, ["EU"]), ("DESK", 1, []), True),
        (("ENTITY", None, []), ("ENTITY", None, ["EU"]), True),
        (("ENTITY", None, ["EU"]), ("ENTITY", None, []), False),
        (("ENTITY", 1, []), ("DESK", 1, []), True),
        (("ENTITY", None, ["EU"]), ("OWN", None, ["EU"]), False),
        (("NONE", None, []), ("NONE", None, ["EU"]), False),
        (("ALL", None, []), ("ENTITY", 3, ["EU"]), False),
        (("ALL", None, []), ("NONE", None, []), False),
        (("NONE", None, []), ("OWN", None, []), True),
    ],
)
def test_what_counts_as_wider(newcomer, before, after, wider):
    base = reach_of(newcomer)
    names = ("scope_level", "desk_id", "entities")
    old, new = ({**base, **dict(zip(names, values, strict=True))} for values in (before, after))
    assert widens(old, new) is wider


def test_a_country_more_is_wider_and_none_is_nothing(newcomer):
    base = {**reach_of(newcomer), "scope_level": "JURISDICTION"}
    none, one, two = ({**base, "jurisdictions": names} for names in ([], ["CY"], ["CY", "DE"]))
    assert [widens(none, one), widens(one, two)] == [True, True]
    assert [widens(two, one), widens(one, none)] == [False, False]


def test_whoever_sees_nothing_sees_no_colleagues_whatever_companies_are_named(newcomer):
    blind = hire("bert", "admin", scope="NONE", entities=["BOS-EU"])
    assert acting(blind).scope.entities == frozenset()
    named = replace(
        acting(blind), scope=Scope(level=ScopeLevel.NONE, entities=frozenset({"BOS-EU"}))
    )
    assert list(User.objects.all().visible_to(named)) == []
    assert list(RoleGrant.objects.visible_to(named)) == []
    with refused(NotVisible):
        ask(blind, newcomer, "support")


def test_the_system_alone_gives_roles_of_staff_without_asking(admin, newcomer):
    with refused(NotAllowed), transaction.atomic():
        role_give(newcomer, "finance", actor=acting(admin), reason="quickly")
    client = User.objects.create_user("lena@client.example", "x")
    with refused(RoleUnknown), transaction.atomic():
        role_give(client, "finance", actor=OPENING, reason="quickly")


def test_no_flag_stands_above_the_grants(roles):
    root = User.objects.create_superuser("root@house.example", "x")
    assert root.is_superuser is False
    assert roles_of(root) == ["admin"]
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=root.pk).update(is_superuser=True)


def test_the_database_refuses_the_same_role_twice_at_a_time(roles):
    person = hire("fatima", "finance")
    finance = Role.objects.get(name="finance")
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.create(user=person, role=finance)
    with pytest.raises(DatabaseError), transaction.atomic():
        RoleGrant.objects.filter(user=person).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.filter(user=person).update(valid_until=clock.now() - timedelta(days=9))
    assert roles_of(person) == ["finance"]


@pytest.mark.parametrize("grants", [1, 6])
def test_what_somebody_may_do_is_two_questions_however_many_roles(roles, grants):
    names = [
        n for n in Role.objects.values_list("name", flat=True) if n not in ("client", "partner")
    ]
    person = hire("many", *sorted(names)[:grants])
    with CaptureQueriesContext(connection) as seen:
        codes = User.objects.get(pk=person.pk).get_all_permissions()
    assert len(seen.captured_queries) == 3
    assert codes
    assert Permission.objects.count() >= len(codes)
