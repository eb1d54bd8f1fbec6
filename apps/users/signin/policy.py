"""The policy of `data/sign_in.toml`: how long a session lives, and who needs a second factor."""

from __future__ import annotations

import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from apps.core.approvals import power_is_lent_to
from apps.core.permissions import REGISTRY
from apps.users.models import User
from apps.users.selectors import actor_for
from apps.users.signin.freshness import SEEN_AT, STARTED_AT

POLICY_FILE = Path(__file__).parent.parent / "data" / "sign_in.toml"
CHECKED = "second_factor_held"
SEEN_EVERY = 60.0
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class Policy:
    idle: dict[str, int]
    absolute: dict[str, int]
    staff: str
    passkey: frozenset[str]


@cache
def policy() -> Policy:
    with POLICY_FILE.open("rb") as file:
        data = tomllib.load(file)
    kinds = ("staff", "client")
    return Policy(
        idle={kind: data[kind]["idle"] * 60 for kind in kinds},
        absolute={kind: data[kind]["absolute"] * 60 for kind in kinds},
        staff=data["second_factor"]["staff"],
        passkey=frozenset(data["second_factor"]["passkey"]),
    )


def kind_of(user: Any) -> str:
    return "staff" if user.is_staff else "client"


def factors_of(user: Any) -> set[str]:
    """What this login has enrolled besides the password: `totp`, `webauthn`, `recovery_codes`."""
    return set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))


def factor_wanted(user: User) -> bool:
    """Whether what this member of staff may do, as themselves or standing in now, asks for a second factor."""
    if not user.is_staff or policy().staff == "nobody":
        return False
    if policy().staff == "all" or user.is_superuser:
        return True
    declared = (REGISTRY.get(code) for code in user.get_all_permissions())
    if any(permission is not None and permission.step_up for permission in declared):
        return True
    return power_is_lent_to(actor_for(user))


def passkey_wanted(user: User) -> bool:
    """Whether a passkey is the second factor to choose."""
    return user.is_staff and not policy().passkey.isdisjoint(user.get_all_permissions())


def must_enrol(request: HttpRequest) -> bool:
    """Whether this person has to enrol a second factor before anything else. Asked at
    each request until one is enrolled, so that a role given meanwhile counts at once."""
    user = request.user
    if not settings.SECOND_FACTOR_ENFORCED or not user.is_authenticated or not user.is_staff:
        return False
    if request.session.get(CHECKED):
        return False
    if not factor_wanted(user):
        return False
    if not has_factor(user):
        return True
    request.session[CHECKED] = True
    return False


def has_factor(user: User) -> bool:
    return not factors_of(user).isdisjoint(FACTORS)


def factor_missing(user: User) -> bool:
    """Whether what this person may do asks for a second factor and none is enrolled."""
    return factor_wanted(user) and not has_factor(user)


def is_over(request: HttpRequest) -> bool:
    """Whether this session has been idle, or has lasted, for longer than its kind may."""
    return session_over(request.session, request.user)


def session_over(session: Any, user: Any) -> bool:
    """As `is_over`, of a session that no request carries."""
    kind, now = kind_of(user), time.time()
    started, seen = session.get(STARTED_AT), session.get(SEEN_AT)
    if started is None or seen is None:
        return False
    return bool(now - seen > policy().idle[kind] or now - started > policy().absolute[kind])


def note_activity(request: HttpRequest) -> None:
    """Written once a minute at most, so that looking around does not write to the database."""
    now = time.time()
    if now - request.session.get(SEEN_AT, 0) > SEEN_EVERY:
        request.session[SEEN_AT] = now
