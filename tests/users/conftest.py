from __future__ import annotations

import pytest

from apps.users.models import User
from apps.users.roles import load_roles
from tests.users.people import hire


@pytest.fixture
def roles(db: None) -> None:
    load_roles()


@pytest.fixture
def admin(roles: None) -> User:
    return hire("ada", "admin")


@pytest.fixture
def checker(roles: None) -> User:
    return hire("carla", "compliance")


@pytest.fixture
def newcomer(roles: None) -> User:
    return hire("nora", scope="DESK", entities=["BOS-EU"])
