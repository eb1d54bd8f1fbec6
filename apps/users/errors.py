"""Refusals about people and what they may do."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class LoginExists(DomainError):
    code = "LOGIN_EXISTS"
    message = _("There is a login with this address already. One person, one login.")
    status = 409


class NotStaff(DomainError):
    code = "NOT_STAFF"
    message = _("This login does not belong to a member of staff.")


class LoginIsOut(DomainError):
    code = "LOGIN_IS_OUT"
    message = _("This login was cut off. Let it back in first.")
    status = 409


class PasswordIsSet(DomainError):
    code = "PASSWORD_IS_SET"
    message = _(
        "This login has a password already. A lost one is reset with a colleague's approval."
    )
    status = 409


class RoleUnknown(DomainError):
    code = "ROLE_UNKNOWN"
    message = _("There is no role {role} for this kind of login.")


class RoleHeld(DomainError):
    code = "ROLE_HELD"
    message = _("The role {role} is held at that time already.")
    status = 409


class OwnAccess(DomainError):
    code = "OWN_ACCESS"
    message = _("This is your own access: two other people must decide on it.")
    status = 403


class BeyondOwnRole(DomainError):
    code = "BEYOND_OWN_ROLE"
    message = _("You cannot give what you do not hold: {missing}.")
    status = 403


class BeyondOwnScope(DomainError):
    code = "BEYOND_OWN_SCOPE"
    message = _("You cannot let anybody see further than you do.")
    status = 403


class DutiesConflict(DomainError):
    code = "DUTIES_CONFLICT"
    message = _("Two duties that one person must not hold together: {conflicts}.")


class LastAdmin(DomainError):
    code = "LAST_ADMIN"
    message = _(
        "Nobody else would be administrator without an end date. Appoint another one first."
    )
    status = 409


class NothingAsked(DomainError):
    code = "NOTHING_ASKED"
    message = _("Nothing would change.")


class AccessPending(DomainError):
    code = "ACCESS_PENDING"
    message = _("The same waits for approval already.")
    status = 409


class ReviewNotDone(DomainError):
    code = "REVIEW_NOT_DONE"
    message = _("{open} lines wait for a decision.")
    status = 409


class OwnLine(DomainError):
    code = "OWN_LINE"
    message = _("This is your own access, so somebody else must look at it.")
    status = 403


class NetworkNotAllowed(DomainError):
    code = "NETWORK_NOT_ALLOWED"
    message = _("Your role may not be used from this network.")
    status = 403


class LocksOneselfOut(DomainError):
    code = "LOCKS_ONESELF_OUT"
    message = _(
        "You come from {address}, which this rule would shut out. Add your own network first."
    )


class NotAClient(DomainError):
    code = "NOT_A_CLIENT"
    message = _("Only the pages of a client can be looked at this way, never those of staff.")
    status = 403


class LinkInvalid(DomainError):
    code = "LINK_INVALID"
    message = _("This link does not work any more. Ask for a new one.")
    status = 404
