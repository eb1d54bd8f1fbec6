"""Logins, desks and teams, roles and who holds them, what was shared until a date."""

from apps.users.models.grants import RoleGrant
from apps.users.models.masks import RoleMask
from apps.users.models.shares import DatedGrant
from apps.users.models.user import ADMIN, Desk, Role, Team, User, UserManager
from apps.users.signin.models import KnownDevice, SignInBrake

__all__ = [
    "ADMIN",
    "DatedGrant",
    "Desk",
    "KnownDevice",
    "Role",
    "RoleGrant",
    "RoleMask",
    "SignInBrake",
    "Team",
    "User",
    "UserManager",
]
