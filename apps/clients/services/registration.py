"""Registering and proving the address. Nothing here tells a stranger who is a client already."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.clients.enums import Lifecycle
from apps.clients.errors import (
    InvalidEmail,
    InvalidPhone,
    NoBookingEntity,
    TokenInvalid,
    WeakPassword,
)
from apps.clients.events import (
    ClientRegistered,
    EmailConfirmationRequested,
    EmailConfirmed,
    RegistrationRepeated,
)
from apps.clients.models import Client, ClientLogin, EmailConfirmation, LegalEntity, Person
from apps.clients.onboarding.answers import COUNTRIES, e164
from apps.clients.permissions import REGISTER_CLIENT
from apps.clients.selectors import onboarding_schema_for
from apps.clients.services.duplicates import flag_duplicates
from apps.clients.services.onboarding import session_begin
from apps.clients.tokens import confirmation_token, token_hash
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.commands import command
from apps.core.errors import InvalidInput
from apps.core.events import emit
from apps.core.ids import new_id
from apps.core.locks import lock_row, lock_rows
from apps.rules.points import CLIENT_BOOKING_ENTITY, CLIENT_REGISTER
from apps.rules.services import decide
from apps.users.models import Role
from apps.users.services import role_give

CONFIRMATION_TTL = timedelta(hours=24)
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is read as a digit, and a number tells nobody how many
clients there are."""


@command
def client_register(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    country: str,
    actor: Actor,
    phone: str = "",
    partner_code: str = "",
    language: str = "en",
    us_person: bool = False,
) -> Client | None:
    """Open a relationship with whichever company may serve this country, and mail a link.

    Answers None when the address has a login already; its owner is told by mail, and the caller
    must show a stranger the same page in both cases. Raises `InvalidEmail`, `InvalidPhone`,
    `WeakPassword`, `NoBookingEntity` and the rules' own refusals, all of which depend on what was
    typed alone and never on who is known.
    """
    if actor.kind is ActorKind.STAFF:
        actor.require(REGISTER_CLIENT)
    email = _email(email)
    country = _country(country)
    phone = _phone(phone, country)
    _require_strong(password, email, first_name, last_name)
    entity = _booking_entity(
        country, partner_code=partner_code, us_person=us_person, email=email, actor=actor
    )
    user_id = _user_new(email, password, f"{first_name} {last_name}".strip(), language, actor)
    if user_id is None:
        return None
    client = _client_new(
        entity=entity,
        person=Person(
            first_name=first_name.strip(),
            last_name=last_name.strip(),
            email=email,
            phone=phone,
            country=country,
        ),
        partner_code=partner_code.strip()[:40],
        language=language,
        us_person=us_person,
        actor=actor,
    )
    ClientLogin(user_id=user_id, client=client).save_as(
        actor, "registered", action="client.login_add"
    )
    flag_duplicates(client, actor=actor)
    emit(
        ClientRegistered(client_id=client.id, partner_code=client.partner_code, entity=entity.code)
    )
    _confirmation_new(client)
    return client


@command
def email_confirm(*, token: str, actor: Actor) -> Client:
    """The holder of the link proves the address; the login opens and the questions begin.

    A token works once and for `CONFIRMATION_TTL`. Raises `TokenInvalid` for every other token,
    whatever is wrong with it.
    """
    rows = lock_rows(EmailConfirmation.objects.filter(token_hash=token_hash(token)))
    confirmation = rows[0] if rows else None
    if confirmation is None or confirmation.used_at or confirmation.expires_at <= clock.now():
        raise TokenInvalid
    client = lock_row(Client.objects.all(), confirmation.client_id)
    if client.lifecycle != Lifecycle.REGISTERED:
        raise TokenInvalid
    EmailConfirmation.objects.filter(client=client, used_at=None).update(used_at=clock.now())
    users = ClientLogin.objects.filter(client=client, active=True).values("user_id")
    for user in lock_rows(get_user_model()._default_manager.filter(pk__in=users)):
        user.is_active = True
        user.save_as(actor, "e-mail confirmed", action="login.open")
    client.begin_onboarding(by=actor, reason="e-mail confirmed")
    client.save_as(actor, "e-mail confirmed", action="client.email_confirm")
    session_begin(client, actor=actor)
    emit(EmailConfirmed(client_id=client.id))
    return client


@command
def email_confirmation_resend(*, email: str, actor: Actor) -> None:
    """Mail a new link if this address waits for one; links mailed before stop working. Says
    nothing about whether it did."""
    waiting = Client.objects.filter(person__email_index=email, lifecycle=Lifecycle.REGISTERED)
    for client in lock_rows(waiting):
        EmailConfirmation.objects.filter(client=client, used_at=None).update(used_at=clock.now())
        _confirmation_new(client)


def _confirmation_new(client: Client) -> None:
    confirmation_id = new_id()
    at = clock.now()
    EmailConfirmation.objects.create(
        id=confirmation_id,
        client=client,
        token_hash=token_hash(confirmation_token(confirmation_id)),
        created_at=at,
        expires_at=at + CONFIRMATION_TTL,
    )
    emit(EmailConfirmationRequested(client_id=client.id, confirmation_id=confirmation_id))


def _booking_entity(
    country: str, *, partner_code: str, us_person: bool, email: str, actor: Actor
) -> LegalEntity:
    """Which company serves this registrant, as the rules say and the trail cites."""
    decide(
        CLIENT_REGISTER,
        {
            "country": country,
            "partner_code": partner_code,
            "us_person": us_person,
            "email": email,
            "ip": actor.ip,
        },
        actor=actor,
    ).raise_unless_allowed()
    decision = decide(
        CLIENT_BOOKING_ENTITY, {"country": country, "us_person": us_person}, actor=actor
    )
    decision.raise_unless_allowed()
    code = decision.obligations.get("entity", "")
    entity = LegalEntity.objects.filter(code=code, active=True).first()
    if entity is None:
        raise NoBookingEntity(country=country)
    onboarding_schema_for(entity=entity.code, country=country)
    return entity


def _client_new(
    *,
    entity: LegalEntity,
    person: Person,
    partner_code: str,
    language: str,
    us_person: bool,
    actor: Actor,
) -> Client:
    person.save_as(actor, "registered", action="person.create")
    client = Client(
        number=_number(),
        entity=entity,
        person=person,
        country=person.country,
        language=language,
        partner_code=partner_code,
        us_person=us_person,
    )
    client.save_as(actor, "registered", action="client.register")
    return client


def _user_new(email: str, password: str, name: str, language: str, actor: Actor) -> int | None:
    """A login that cannot be used before its address is proven, or None when there is one.

    The password is hashed in both cases, so that the answer takes as long either way.
    """
    users = get_user_model()._default_manager
    held = users.filter(email=email).first()
    if held is not None:
        make_password(password)
        emit(RegistrationRepeated(user_id=held.pk))
        return None
    try:
        with transaction.atomic():
            user = users.create_user(
                email=email, password=password, name=name, language=language, is_active=False
            )
    except IntegrityError:
        emit(RegistrationRepeated(user_id=users.get(email=email).pk))
        return None
    Role.objects.get_or_create(name="client")
    role_give(user, "client", actor=actor, reason="registered")
    return user.pk


def _number() -> str:
    letters = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _email(raw: str) -> str:
    email = raw.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidEmail(email=raw) from error
    return email


def _country(raw: str) -> str:
    country = raw.strip().upper()
    if country not in COUNTRIES:
        raise InvalidInput(field="country", problem=raw)
    return country


def _phone(raw: str, country: str) -> str:
    if not raw.strip():
        return ""
    phone = e164(raw, country)
    if phone is None:
        raise InvalidPhone(phone=raw)
    return phone


def _require_strong(password: str, email: str, first_name: str, last_name: str) -> None:
    user = get_user_model()(email=email, name=f"{first_name} {last_name}")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(explanation=" ".join(error.messages)) from error
