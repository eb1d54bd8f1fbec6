"""The house before its first client: reference data, staff, plans."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction

from apps.core.actor import Actor
from apps.ib.enums import TermKindChoice, TierModeChoice
from apps.ib.services import LineDraft, plan_create, plan_version_publish
from apps.portal.seed.cast import PASSWORD, STAFF, StaffMember
from apps.users.models import Desk
from apps.users.selectors import actor_for
from apps.users.services import role_give

SHARED_DATA = (
    "load_roles",
    "load_approvals",
    "load_rules",
    "load_instruments",
    "load_entities",
    "load_account_types",
    "load_providers",
)
OPENING = Actor.system("opening")
DESKS = (("eu", "Europe"), ("int", "International"))


def load_reference_data() -> None:
    """Everything that an installation loads from files before it opens."""
    for name in SHARED_DATA:
        call_command(name, stdout=io.StringIO())


def hire_staff(opened: datetime) -> dict[str, Actor]:
    """A login for every role; answers who acts under which local part of the address."""
    users = get_user_model()._default_manager
    for code, name in DESKS:
        Desk.objects.get_or_create(code=code, defaults={"name": name})
    hired = {}
    for member in STAFF:
        user = users.create_user(
            member.email,
            PASSWORD,
            name=member.name,
            is_staff=True,
            scope_level=member.scope,
            date_joined=opened,
        )
        with transaction.atomic():
            role_give(
                user, member.role, actor=OPENING, reason="opening of the house", valid_from=opened
            )
        hired[_short(member)] = actor_for(user)
    return hired


def _short(member: StaffMember) -> str:
    return member.email.partition("@")[0]


def publish_plans(staff: dict[str, Actor], opened: datetime) -> None:
    """What partners are paid by: a master's plan and two for those below."""
    manager = staff["partners"]
    for code, name, fx, other in (
        ("master", "Master", "9.00", "0.30"),
        ("standard", "Standard", "6.00", "0.20"),
        ("starter", "Starter", "4.00", "0.12"),
    ):
        plan_create(
            code=code,
            name=name,
            currency="USD",
            tier_mode=TierModeChoice.DIFFERENTIAL,
            actor=manager,
            reason="opening of the partner programme",
        )
        plan_version_publish(
            plan_code=code,
            lines=[
                LineDraft(
                    TermKindChoice.PER_LOT,
                    (fx,),
                    asset_class="FX",
                    reference_contract=Decimal(100_000),
                ),
                LineDraft(TermKindChoice.SPREAD_SHARE, (other,)),
            ],
            valid_from=opened,
            actor=manager,
            reason="opening of the partner programme",
        )
