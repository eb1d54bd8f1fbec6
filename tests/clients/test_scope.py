"""How far staff see: own, team, desk, country, company; and what was shared, for as long as it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import DatabaseError, IntegrityError, transaction
from guardian.shortcuts import assign_perm

from apps.clients.errors import AlreadyShared
from apps.clients.models import Client, ClientShare, LegalEntity, Person
from apps.clients.services import (
    client_owner_change,
    client_share,
    client_share_revoke,
    restriction_add,
)
from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.core.errors import InvalidInput, NotAllowed, NotVisible, WrongState
from apps.core.models import AuditRecord, OutboxEvent
from apps.users.models import Desk, Team, User
from apps.users.selectors import actor_for

from . import world

pytestmark = pytest.mark.usefixtures("house")
L = ScopeLevel


class Floor:
    """Two desks; on the first a team of two whom Tessa leads. Five clients, each in a different hand."""

    def __init__(self) -> None:
        north, south = (
            Desk.objects.create(code="n", name="North"),
            Desk.objects.create(code="s", name="South"),
        )
        self.lead = self.person("tessa", desk=north)
        self.team = Team.objects.create(code="alps", name="Alps", desk=north, lead=self.lead)
        self.max = self.person("max", desk=north, team=self.team)
        self.ida = self.person("ida", desk=north, team=self.team)
        self.otto = self.person("otto", desk=north)
        self.stine = self.person("stine", desk=south)
        self.clients = {
            "max": self.client("max", self.max, north, "DE"),
            "ida": self.client("ida", self.ida, north, "AT"),
            "otto": self.client("otto", self.otto, north, "DE"),
            "stine": self.client("stine", self.stine, south, "AE"),
            "nobody": self.client("nobody", None, None, "DE"),
        }
        self.north, self.south = north, south

    def person(self, name: str, **fields) -> User:
        return world.staff_user("sales", scope=L.OWN, email=f"{name}@house.example", **fields)

    def client(self, name: str, owner: User | None, desk: Desk | None, country: str) -> Client:
        client = world.register(email=f"{name}@client.example", country=country)
        return client_owner_change(
            client_id=client.pk, owner_id=owner and owner.pk, desk_id=desk and desk.pk,
            actor=world.SYSTEM, reason="opening",
        )  # fmt: skip

    def seen_by(self, user: User, model=Client, path: str = "pk") -> set[str]:
        names = {client.pk: name for name, client in self.clients.items()}
        rows = model.objects.visible_to(actor_for(User.objects.get(pk=user.pk)))
        return {names[key] for key in rows.values_list(path, flat=True)}


@pytest.fixture
def floor() -> Floor:
    return Floor()


def sees(user: User, level: ScopeLevel, **fields) -> User:
    for name, value in {"scope_level": level, **fields}.items():
        setattr(user, name, value)
    user.save()
    return user


@pytest.mark.parametrize(
    ("level", "fields", "seen"),
    [
        (L.NONE, {}, set()),
        (L.OWN, {}, {"max"}),
        (L.OWN, {"entities": ["BOS-INT"]}, set()),
        (L.TEAM, {}, {"max", "ida"}),
        (L.TEAM, {"team": None}, set()),
        (L.DESK, {}, {"max", "ida", "otto"}),
        (L.JURISDICTION, {}, set()),
        (L.JURISDICTION, {"jurisdictions": ["AT", "AE"]}, {"ida", "stine"}),
        (L.JURISDICTION, {"jurisdictions": ["AT", "AE"], "entities": ["BOS-INT"]}, {"stine"}),
        (L.ENTITY, {}, set()),
        (L.ENTITY, {"entities": ["BOS-EU"]}, {"max", "ida", "otto", "nobody"}),
        (L.ENTITY, {"entities": ["BOS-EU", "BOS-INT"]}, {"max", "ida", "otto", "nobody", "stine"}),
        (L.ALL, {}, {"max", "ida", "otto", "nobody", "stine"}),
    ],
)
def test_each_level_reaches_exactly_its_own(floor, level, fields, seen):
    user = sees(floor.max, level, **fields)
    assert floor.seen_by(user) == seen
    people = set(Person.objects.visible_to(actor_for(user)).values_list("clients__pk", flat=True))
    assert people == {floor.clients[name].pk for name in seen}


def test_a_lead_sees_the_rows_of_all_the_teams_owners_and_follows_its_members(floor):
    lead = sees(floor.lead, L.TEAM)
    assert floor.seen_by(lead) == {"max", "ida"}
    sees(floor.ida, L.OWN, team=None)
    assert floor.seen_by(lead) == {"max"}
    sees(floor.otto, L.OWN, team=floor.team)
    assert floor.seen_by(lead) == {"max", "otto"}


def test_the_database_keeps_teams_within_their_desk(floor):
    for change in (
        lambda: sees(floor.stine, L.TEAM, team=floor.team),
        lambda: sees(floor.max, L.TEAM, desk=floor.south),
        lambda: sees(floor.max, L.TEAM, desk=None),
        lambda: Team.objects.filter(pk=floor.team.pk).update(desk=floor.south),
        lambda: sees(floor.max, L.JURISDICTION, jurisdictions=["Germany"[:2]]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert floor.seen_by(User.objects.get(pk=floor.max.pk)) == {"max"}


def test_every_scoped_table_knows_every_axis_or_finds_it_through_the_client():
    """Whoever adds a table with an owner, a desk or a company adds the other ways of being limited too."""
    short = {}
    for model in apps.get_models():
        rows = getattr(model, "objects", None)
        paths = getattr(rows.all(), "scope_paths", None) if rows is not None else None
        if not paths or "subject_client" in paths or not ({"owner", "desk"} & set(paths)):
            continue
        missing = {"owner", "team", "desk", "jurisdiction", "entity"} - set(paths)
        if missing:
            short[model._meta.label] = missing
    assert short == {}


# Dated exceptions


def share(
    floor: Floor, name: str, to: User, *, by: User | Actor | None = None, days: float = 7
) -> ClientShare:
    actor = by if isinstance(by, Actor) else actor_for(by or floor.otto)
    return client_share(
        client_id=floor.clients[name].pk, user_id=to.pk, until=clock.now() + timedelta(days=days),
        actor=actor, reason="holiday cover",
    )  # fmt: skip


def test_a_shared_client_is_seen_everywhere_until_its_date_and_no_longer(floor):
    restriction_add(
        client_id=floor.clients["otto"].pk, kind="no_new_account", reason="too many",
        actor=world.SYSTEM,
    )  # fmt: skip
    restrictions = apps.get_model("clients.Restriction")
    trail = AuditRecord.objects.filter(client_id=floor.clients["otto"].pk)
    assert floor.seen_by(floor.stine) == {"stine"}
    assert floor.seen_by(floor.stine, restrictions, "client_id") == set()

    granted = share(floor, "otto", floor.stine)
    assert granted.in_force
    assert floor.seen_by(floor.stine) == {"stine", "otto"}
    assert floor.seen_by(floor.stine, restrictions, "client_id") == {"otto"}
    mine = actor_for(User.objects.get(pk=floor.stine.pk))
    assert set(trail.visible_to(mine)) == set(trail)
    assert floor.seen_by(floor.max) == {"max"}

    with clock.frozen(granted.valid_until - timedelta(seconds=1)):
        assert floor.seen_by(floor.stine) == {"stine", "otto"}
    with clock.frozen(granted.valid_until):
        assert floor.seen_by(floor.stine) == {"stine"}
        assert floor.seen_by(floor.stine, restrictions, "client_id") == set()
    assert AuditRecord.objects.get(action="client.share").reason == "holiday cover"
    assert OutboxEvent.objects.filter(name="clients.ClientShared").count() == 1


def test_a_share_reaches_somebody_with_no_scope_at_all_and_ignores_their_company(floor):
    outsider = sees(floor.stine, L.ENTITY, entities=["BOS-INT"])
    share(floor, "otto", outsider)
    assert floor.seen_by(outsider) == {"stine", "otto"}
    assert floor.seen_by(sees(outsider, L.NONE)) == {"otto"}


def test_what_was_taken_back_is_gone_at_once_and_once_only(floor):
    granted = share(floor, "otto", floor.stine)
    client_share_revoke(share_id=granted.pk, actor=actor_for(floor.otto), reason="back early")
    assert floor.seen_by(floor.stine) == {"stine"}
    with pytest.raises(WrongState):
        client_share_revoke(share_id=granted.pk, actor=actor_for(floor.otto), reason="again")
    row = ClientShare.objects.get()
    assert (row.revoked_by, row.revoke_reason) == (f"user:{floor.otto.pk}", "back early")
    assert row.history.count() == 2
    share(floor, "otto", floor.stine)
    assert floor.seen_by(floor.stine) == {"stine", "otto"}


def test_a_share_of_somebody_who_left_opens_nothing(floor):
    share(floor, "otto", floor.stine)
    sees(floor.stine, L.OWN, is_active=False)
    assert actor_for(floor.stine).scope.shared == {"client": frozenset()}


def test_refused_shares_change_nothing(floor):
    nobody = actor_for(world.staff_user("dealing", scope=L.ALL))
    share(floor, "otto", floor.stine)
    refusals = [
        (NotVisible, lambda: share(floor, "otto", floor.ida, by=floor.max)),
        (NotVisible, lambda: share(floor, "otto", floor.ida, by=floor.stine)),
        (NotAllowed, lambda: share(floor, "otto", floor.ida, by=nobody)),
        (InvalidInput, lambda: share(floor, "otto", floor.otto)),
        (InvalidInput, lambda: share(floor, "otto", world.user_of(floor.clients["ida"]))),
        (InvalidInput, lambda: share(floor, "otto", floor.ida, days=0)),
        (InvalidInput, lambda: share(floor, "otto", floor.ida, days=91)),
        (AlreadyShared, lambda: share(floor, "otto", floor.stine)),
    ]
    before = (ClientShare.objects.count(), AuditRecord.objects.count())
    for error, act in refusals:
        with pytest.raises(error):
            act()
    granted = ClientShare.objects.get()
    for by in (floor.stine, floor.max):
        with pytest.raises(NotVisible):
            client_share_revoke(share_id=granted.pk, actor=actor_for(by), reason="mine now")
    assert (ClientShare.objects.count(), AuditRecord.objects.count()) == before
    assert floor.seen_by(floor.ida) == {"ida"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"valid_until": timedelta(0)},
        {"valid_until": timedelta(days=91)},
        {"granted_by": "user"},
        {"revoked_by": "somebody"},
    ],
)
def test_the_database_refuses_an_exception_without_reason_or_end(floor, wrong):
    now = clock.now()
    fields = {
        "content_object": floor.clients["otto"], "user": floor.stine, "granted_by": floor.otto,
        "permission": Permission.objects.filter(codename="view_client")[0], "reason": "cover",
        "valid_from": now, "valid_until": now + timedelta(days=1),
    }  # fmt: skip
    for name, value in wrong.items():
        fields[name] = (
            now + value
            if isinstance(value, timedelta)
            else floor.stine
            if value == "user"
            else value
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        ClientShare(**fields).save()
    assert ClientShare.objects.count() == 0


def test_guardians_own_grants_open_nothing(floor):
    """Its shortcut knows neither reason nor end, and other models keep no object permissions at all."""
    with pytest.raises(IntegrityError), transaction.atomic():
        assign_perm("clients.view_client", floor.stine, floor.clients["otto"])
    entity = LegalEntity.objects.first()
    assign_perm("clients.view_legalentity", floor.stine, entity)
    assert not User.objects.get(pk=floor.stine.pk).has_perm("clients.view_legalentity", entity)
    assert not LegalEntity.objects.visible_to(actor_for(floor.stine)).exists()


def test_object_permissions_end_with_their_date(floor):
    granted = share(floor, "otto", floor.stine)
    user, client = User.objects.get(pk=floor.stine.pk), floor.clients["otto"]
    assert user.has_perm("clients.view_client", client)
    assert not user.has_perm("clients.change_owner", client)
    with clock.frozen(granted.valid_until):
        assert not user.has_perm("clients.view_client", client)
