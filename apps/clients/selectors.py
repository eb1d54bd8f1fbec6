"""Reads: what other apps and screens may ask about clients."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from apps.clients.enums import (
    DuplicateSignal,
    Lifecycle,
    LiftBy,
    OnboardingState,
    RestrictionKind,
)
from apps.clients.errors import OnboardingSchemaMissing, Restricted
from apps.clients.models import (
    Agreement,
    AgreementAcceptance,
    Client,
    ClientLogin,
    DuplicateFlag,
    LegalEntity,
    OnboardingSession,
    Person,
    Restriction,
)
from apps.clients.onboarding.answers import age
from apps.clients.onboarding.schema import Schema, Step, choose, parse
from apps.clients.permissions import (
    LIFT_COMPLIANCE,
    LIFT_FINANCE,
    LIFT_MLRO,
    LIFT_RESTRICTION,
    LIFT_RISK,
)
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.masks import may_look_up
from apps.users.models import User

DATA = Path(__file__).parent / "data"

LIFT_PERMISSIONS = {
    LiftBy.STAFF: LIFT_RESTRICTION,
    LiftBy.COMPLIANCE: LIFT_COMPLIANCE,
    LiftBy.MLRO: LIFT_MLRO,
    LiftBy.FINANCE: LIFT_FINANCE,
    LiftBy.RISK: LIFT_RISK,
}


def entity_by_code(code: str) -> LegalEntity:
    """Raises `NotVisible` when no company has this code."""
    entity = LegalEntity.objects.filter(code=code).first()
    if entity is None:
        raise NotVisible
    return entity


def client_list(*, actor: Actor) -> QuerySet[Client]:
    """Clients within the actor's scope, ready to be listed in a fixed number of queries."""
    return Client.objects.visible_to(actor).select_related("person", "entity", "owner", "desk")


def client_get(client_id: UUID, *, actor: Actor) -> Client:
    """Raises `NotVisible` when there is none or it is out of scope."""
    client = client_list(actor=actor).filter(pk=client_id).first()
    if client is None:
        raise NotVisible
    return client


def clients_of_user(user_id: int) -> list[UUID]:
    """Clients for whom this user may act now. `no_login` takes effect here, for every page,
    interface and open session at once."""
    barred = Restriction.objects.filter(
        client_id=OuterRef("client_id"), kind=RestrictionKind.NO_LOGIN
    ).in_force(clock.now())
    logins = ClientLogin.objects.filter(user_id=user_id, active=True).exclude(Exists(barred))
    return list(logins.values_list("client_id", flat=True))


def clients_of_staff(user_id: int) -> list[UUID]:
    """Clients that a member of staff is as a private person: by any login that was ever theirs, or by an address that
    leads to the same mailbox. For separation only: it opens nothing."""
    address = User.objects.filter(pk=user_id, is_staff=True).values_list("email", flat=True).first()
    if address is None:
        return []
    logins = ClientLogin.objects.filter(user_id=user_id).order_by().values_list("client_id")
    people = Person.objects.filter(mailbox_index__blind=address).order_by().values("pk")
    same = Client.objects.filter(person__in=people).order_by().values_list("pk")
    return [key for (key,) in logins.union(same)]


def own_client(actor: Actor) -> Client:
    """The client for whom this login acts; the longest-standing when there are several.

    Raises `NotVisible` for somebody who acts for nobody.
    """
    mine = Client.objects.filter(pk__in=actor.client_ids)
    client = mine.select_related("person", "entity").order_by("created_at").first()
    if client is None:
        raise NotVisible
    return client


def login_barred(user_id: int) -> bool:
    """Whether this login has clients, and every one of them is under `no_login`."""
    logins = ClientLogin.objects.filter(user_id=user_id, active=True)
    return logins.exists() and not clients_of_user(user_id)


def credentials_changed_at(client_id: UUID) -> datetime | None:
    """When the password or a second factor of any of this client's logins last changed."""
    logins = ClientLogin.objects.filter(client_id=client_id, active=True)
    newest: datetime | None = logins.aggregate(at=Max("user__credentials_changed_at"))["at"]
    return newest


def client_email(client_id: UUID) -> str:
    """Where mail to the client goes."""
    return str(Client.objects.select_related("person").get(pk=client_id).person.email)


def client_age_years(client: Client) -> int:
    """Whole years, -1 while the date of birth is unknown."""
    born: date | None = client.person.date_of_birth
    return -1 if born is None else age(born, clock.now().date())


BY_PERSON = ("names", "email_index", "phone_index", "tax_id_index")
MOST_FOUND = 1_000


def client_ids_named(text: str, *, actor: Actor) -> list[UUID]:
    """Those in scope whose number begins so, or who are found by a name's beginning, a whole e-mail address, phone
    or tax number.

    Only by what the actor reads in full: a search that finds by a masked field tells what the mask hides. Each way
    has its own index and its own question: asked together they would read every client.
    """
    rows = client_list(actor=actor)
    numbers = rows.filter(number__startswith=text.upper()).order_by("-created_at")
    found = list(numbers.values_list("pk", flat=True)[:MOST_FOUND])
    named = Q()
    for name in BY_PERSON:
        if may_look_up(actor, Client, f"person__{name}"):
            named |= Q(**{f"{name}__blind": text})
    if named:
        people = Person.objects.filter(named).order_by().values("pk")
        found += rows.filter(person__in=people).order_by().values_list("pk", flat=True)[:MOST_FOUND]
    return list(dict.fromkeys(found))


def client_search(text: str, *, actor: Actor) -> QuerySet[Client]:
    """See `client_ids_named`."""
    return client_list(actor=actor).filter(pk__in=client_ids_named(text, actor=actor))


# Restrictions


def restrictions_in_force(client_id: UUID) -> QuerySet[Restriction]:
    return Restriction.objects.filter(client_id=client_id).in_force(clock.now())


def client_restrictions(client_id: UUID) -> set[str]:
    """The kinds that bind this client now, however many rows stand behind each."""
    return set(restrictions_in_force(client_id).values_list("kind", flat=True))


def restrictions_by_client(client_ids: Iterable[UUID]) -> dict[UUID, set[str]]:
    """The same for many clients in one query; a client without any is in it with an empty set."""
    kinds: dict[UUID, set[str]] = {client_id: set() for client_id in client_ids}
    rows = Restriction.objects.filter(client_id__in=list(kinds)).in_force(clock.now())
    for client_id, kind in rows.values_list("client_id", "kind"):
        kinds[client_id].add(kind)
    return kinds


def client_require_free_of(client: Client | UUID, *kinds: str) -> None:
    """Raises `Restricted` when any of `kinds` binds the client now."""
    client_id = client.id if isinstance(client, Client) else client
    binding = sorted(client_restrictions(client_id) & set(kinds))
    if binding:
        raise Restricted(restrictions=", ".join(binding))


def may_lift(restriction: Restriction, actor: Actor) -> bool:
    """Whether this actor's word ends the restriction."""
    if actor.is_system:
        return True
    permission = LIFT_PERMISSIONS.get(LiftBy(restriction.lift_by))
    return permission is not None and actor.allows(permission)


# Agreements


def agreements_in_force(entity_id: UUID, *, language: str = "en") -> list[Agreement]:
    """The highest version of each document that is in force now; English where there is no other."""
    newest: dict[str, Agreement] = {}
    rows = Agreement.objects.filter(entity_id=entity_id, in_force_from__lte=clock.now())
    for agreement in rows.filter(language__in=[language, "en"]).order_by("code", "version"):
        held = newest.get(agreement.code)
        if held and held.version == agreement.version and held.language == language:
            continue
        newest[agreement.code] = agreement
    return list(newest.values())


def agreements_of(client: Client) -> list[Agreement]:
    """The documents in force for the client, each marked with `acceptance` (or None)."""
    agreements = agreements_in_force(client.entity_id, language=client.language)
    accepted = {row.agreement_id: row for row in AgreementAcceptance.objects.filter(client=client)}
    for agreement in agreements:
        agreement.acceptance = accepted.get(agreement.id)  # type: ignore[attr-defined]
    return agreements


def agreements_missing(client: Client) -> list[Agreement]:
    """What the client still has to accept: also a new version of what was accepted before."""
    return [
        agreement
        for agreement in agreements_of(client)
        if agreement.required and agreement.acceptance is None  # type: ignore[attr-defined]
    ]


# Onboarding


@lru_cache(maxsize=1)
def onboarding_schemas() -> tuple[Schema, ...]:
    """Every published schema. A file that contradicts itself fails here, at start."""
    files = sorted((DATA / "onboarding").glob("*.toml"))
    return tuple(parse(tomllib.loads(path.read_text("utf-8"))) for path in files)


def onboarding_schema_for(*, entity: str, country: str, code: str = "") -> Schema:
    """The questions for a new application; `code` when a rule names them. Raises
    `OnboardingSchemaMissing`."""
    schemas = [schema for schema in onboarding_schemas() if not code or schema.code == code]
    schema = choose(schemas, entity, country)
    if schema is None:
        raise OnboardingSchemaMissing(entity=entity, country=country)
    return schema


def onboarding_schema_of(session: OnboardingSession) -> Schema:
    """The version with which the application began."""
    for schema in onboarding_schemas():
        if (schema.code, schema.version) == (session.schema_code, session.schema_version):
            return schema
    raise OnboardingSchemaMissing(entity=session.schema_code, country=str(session.schema_version))


def onboarding_steps(session: OnboardingSession) -> list[Step]:
    """The steps that this client must take, in order, given the answers so far."""
    schema = onboarding_schema_of(session)
    return list(schema.steps_for(session.answers, session.client.country))


def onboarding_progress(session: OnboardingSession) -> dict[str, Any]:
    """How far: steps with their state, the next one, a percentage."""
    steps = onboarding_steps(session)
    done = [step for step in steps if step.code in session.completed_steps]
    open_steps = [step for step in steps if step.code not in session.completed_steps]
    return {
        "steps": [
            {
                "code": step.code,
                "title": step.title,
                "done": step.code in session.completed_steps,
                "current": step.code == session.current_step,
            }
            for step in steps
        ],
        "open": open_steps,
        "next": open_steps[0] if open_steps else None,
        "done": len(done),
        "total": len(steps),
        "percent": 100 * len(done) // len(steps) if steps else 100,
    }


def onboarding_stuck(*, actor: Actor) -> QuerySet[OnboardingSession]:
    """Open applications, the longest-standing first."""
    return (
        OnboardingSession.objects.visible_to(actor)
        .filter(state=OnboardingState.OPEN)
        .exclude(client__lifecycle__in=[Lifecycle.REJECTED, Lifecycle.CLOSED])
        .select_related("client__person", "client__entity")
    )


# Duplicates


def likely_duplicates(client: Client) -> list[tuple[Client, str]]:
    """Other clients who share the mailbox or the phone, with the signal."""
    person = client.person
    others = Client.objects.exclude(person_id=person.id).select_related("person")
    found = [
        (other, DuplicateSignal.EMAIL.value)
        for other in others.filter(person__mailbox_index=person.email)
    ]
    if person.phone:
        found += [
            (other, DuplicateSignal.PHONE.value)
            for other in others.filter(person__phone_index=person.phone)
        ]
    return found


def open_duplicates(*, actor: Actor) -> QuerySet[DuplicateFlag]:
    """Pairs to be decided, of clients whom the actor sees on both sides."""
    flags = DuplicateFlag.objects.visible_to(actor).filter(state="OPEN")
    return flags.select_related("client__person", "other__person")


def login_of(client: Client) -> int | None:
    """The login that the client comes in with."""
    logins = ClientLogin.objects.filter(client=client, active=True, user__is_staff=False)
    return logins.order_by("created_at").values_list("user_id", flat=True).first()
