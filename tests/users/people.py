"""Members of staff for the stories of access."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from apps.core.actor import Actor, ScopeLevel
from apps.core.approvals import approval_vote
from apps.core.errors import DomainError
from apps.core.models import Approval, AuditRecord, OutboxEvent
from apps.users.models import RoleGrant, User
from apps.users.selectors import actor_for
from apps.users.services import role_give

OPENING = Actor.system("opening")
PASSWORD = "correct-horse-battery-9"


def hire(name: str, *roles: str, scope: str = ScopeLevel.ALL, **fields: Any) -> User:
    user = User.objects.create_user(
        f"{name}@house.example", PASSWORD, name=name, is_staff=True, scope_level=scope, **fields
    )
    for role in roles:
        with transaction.atomic():
            role_give(user, role, actor=OPENING, reason="opening of the house")
    return user


def acting(user: User) -> Actor:
    """The person as the actor of a request that begins now."""
    return actor_for(User.objects.get(pk=user.pk))


def approve(approval: Approval, user: User, verdict: str = "APPROVE") -> Approval:
    return approval_vote(
        approval_id=approval.pk, actor=acting(user), verdict=verdict, reason="looked at it"
    )


def roles_of(user: User) -> list[str]:
    """What is held at this moment."""
    held = RoleGrant.objects.in_force().filter(user=user)
    return sorted(held.values_list("role__name", flat=True))


def state_of_house() -> tuple[int, ...]:
    """Counts that move with every change."""
    return (
        RoleGrant.objects.in_force().count(),
        RoleGrant.objects.count(),
        Approval.objects.count(),
        AuditRecord.objects.count(),
        OutboxEvent.objects.count(),
        User.objects.filter(is_active=True).count(),
    )


class refused:  # noqa: N801
    """The block ends in this refusal, and nothing has changed by it."""

    def __init__(self, error: type[DomainError]) -> None:
        self.error = error

    def __enter__(self) -> None:
        self.before = state_of_house()
        self.raises = pytest.raises(self.error)
        self.raises.__enter__()

    def __exit__(self, *caught: Any) -> bool:
        answer = self.raises.__exit__(*caught)
        assert state_of_house() == self.before
        return answer
