"""Logins, desks and teams, roles and who holds them, what was shared until a date."""

from apps.users.models.doors import Impersonation, NetworkRule
from apps.users.models.grants import RoleGrant
from apps.users.models.masks import RoleMask
from apps.users.models.reviews import AccessReview, AccessReviewLine, PermissionUse, quarter_of
from apps.users.models.shares import DatedGrant
from apps.users.models.user import ADMIN, Desk, Role, Team, User, UserManager
from apps.users.signin.models import KnownDevice, SignInBrake

__all__ = [
    "ADMIN",
    "AccessReview",
    "AccessReviewLine",
    "DatedGrant",
    "Desk",
    "Impersonation",
    "KnownDevice",
    "NetworkRule",
    "PermissionUse",
    "Role",
    "RoleGrant",
    "RoleMask",
    "SignInBrake",
    "Team",
    "User",
    "UserManager",
    "quarter_of",
]
