"""People and papers of the stories that clients' and KYC's tests tell."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from PIL import Image

from apps.clients.management.commands.load_entities import entities_load
from apps.clients.models import Client, EmailConfirmation
from apps.clients.selectors import agreements_of, clients_of_user, onboarding_steps
from apps.clients.services import (
    client_register,
    email_confirm,
    onboarding_step_save,
    onboarding_submit,
)
from apps.clients.tokens import confirmation_token
from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.rules.compiled import forget_compiled
from apps.rules.services import load_rule_files
from apps.users.models import Role
from apps.users.roles import load_roles
from apps.users.selectors import actor_for

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery-9"
SYSTEM = Actor.system("tests")


def anonymous() -> Actor:
    from django.contrib.auth.models import AnonymousUser

    return actor_for(AnonymousUser())


def staff(role: str, *, scope: ScopeLevel = ScopeLevel.ALL, **fields: Any) -> Actor:
    """A member of staff in a role, as the actor of a request."""
    return actor_for(staff_user(role, scope=scope, **fields))


def staff_user(role: str, *, scope: ScopeLevel = ScopeLevel.ALL, **fields: Any):
    email = fields.pop("email", f"{role}@house.example")
    users = get_user_model().objects
    held = users.filter(email=email).first()
    if held:
        return held
    user = users.create_user(
        email=email, password=PASSWORD, name=role, is_staff=True, scope_level=scope, **fields
    )
    user.groups.add(Role.objects.get(name=role))
    return user


REGISTRATION = {
    "email": "lena@client.example",
    "password": PASSWORD,
    "first_name": "Lena",
    "last_name": "Vogel",
    "country": "DE",
    "phone": "+49 151 23456789",
}


def register(**fields: Any) -> Client | None:
    return client_register(**{**REGISTRATION, **fields}, actor=anonymous())


def token_of(client: Client) -> str:
    confirmation = EmailConfirmation.objects.filter(client=client).latest("created_at")
    return confirmation_token(confirmation.id)


def confirmed(**fields: Any) -> Client:
    client = register(**fields)
    email_confirm(token=token_of(client), actor=anonymous())
    return again(client)


def user_of(client: Client):
    return get_user_model().objects.get(client_logins__client=client)


def acting(client: Client) -> Actor:
    """The client's own login as the actor of a request."""
    user = get_user_model().objects.get(client_logins__client=client)
    assert client.id in clients_of_user(user.pk)
    return actor_for(user)


def again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


ANSWERS: dict[str, dict[str, Any]] = {
    "personal": {
        "first_name": "Lena",
        "last_name": "Vogel",
        "date_of_birth": "1990-05-17",
        "citizenship": "DE",
        "phone": "+49 151 23456789",
    },
    "address": {
        "address_line1": "Lindenweg 4",
        "address_line2": "",
        "city": "Bremen",
        "region": "",
        "postal_code": "28195",
    },
    "tax": {
        "tax_residence": "DE",
        "has_tax_id": "yes",
        "tax_id": "36574261809",
        "us_person": "no",
    },
    "finances": {
        "employment": "EMPLOYED",
        "occupation": "Engineer",
        "annual_income": "50-100K",
        "net_worth": "25-100K",
        "source_of_funds": ["SALARY", "SAVINGS"],
        "planned_deposits": "0-10K",
        "pep": "no",
    },
    "appropriateness": {
        "cfd_experience": "FEW",
        "profession": "STUDIED",
        "q_leverage": "1000",
        "q_closeout": "CLOSED",
        "q_gap": "NEXT",
    },
    "warning": {"warning_accepted": "on"},
}


def answers_for(client: Client, step: str, **changes: Any) -> dict[str, Any]:
    if step == "agreements":
        return {item.code: str(item.id) for item in agreements_of(client)}
    return {**ANSWERS[step], **changes.get(step, {})}


def answered(*, until: str = "", changes: dict[str, Any] | None = None, **fields: Any) -> Client:
    """A client who answered every step before `until`, or all of them."""
    client = confirmed(**fields)
    actor = acting(client)
    while True:
        session = again(client).onboarding
        open_steps = [
            step.code
            for step in onboarding_steps(session)
            if step.code not in session.completed_steps
        ]
        if not open_steps or open_steps[0] == until:
            return again(client)
        onboarding_step_save(
            client_id=client.id,
            step=open_steps[0],
            answers=answers_for(client, open_steps[0], **(changes or {})),
            actor=actor,
        )


def applicant(**fields: Any) -> Client:
    """A client whose application is in."""
    client = answered(**fields)
    onboarding_submit(client_id=client.id, actor=acting(client))
    return again(client)


def picture(
    size: tuple[int, int] = (1200, 800),
    *,
    colour: str = "navy",
    form: str = "JPEG",
    exif: Image.Exif | None = None,
) -> bytes:
    out = io.BytesIO()
    options = {"exif": exif} if exif else {}
    Image.new("RGB", size, colour).save(out, form, **options)
    return out.getvalue()


PDF = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
)

NEXT_YEAR = date(2030, 1, 31)


@contextmanager
def open_house(settings: Any, vault: Path) -> Iterator[None]:
    """Companies, rules and roles in force, on a morning in November; documents in a scratch vault."""
    settings.PRIVATE_STORAGE_ROOT = vault
    forget_compiled()
    with clock.frozen(AT):
        load_roles()
        load_rule_files(actor=SYSTEM)
        entities_load(actor=SYSTEM)
        yield
    forget_compiled()
