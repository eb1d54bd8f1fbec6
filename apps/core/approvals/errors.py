"""What is refused around approvals."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, NotAllowed, StaleBase


class Claimed(DomainError):
    code = "CLAIMED"
    message = _("{who} has taken this. Take it over with a reason, or wait until {until}.")
    status = 409


class Beneficiary(DomainError):
    code = "BENEFICIARY"
    message = _("You gain from this, so someone else must decide.")
    status = 403


class SameDesk(DomainError):
    code = "SAME_DESK"
    message = _("Somebody of another desk must decide on this.")
    status = 403


class BaseChanged(StaleBase):
    message = _(
        "This was changed in the meantime: {changes}. Whoever asked sets it on what is there now."
    )


class NotRevisable(DomainError):
    code = "NOT_REVISABLE"
    message = _("A change of this kind is taken back and asked for again.")
    status = 409


class NotTheMaker(NotAllowed):
    code = "NOT_THE_MAKER"
    message = _("Only {maker}, who asked for this, can do that.")
    status = 403


class NoEmergencyPath(DomainError):
    code = "NO_EMERGENCY_PATH"
    message = _("A change of this kind always waits for the people it needs.")
    status = 403


class OwnReview(DomainError):
    code = "OWN_REVIEW"
    message = _("You asked for this or did it, so someone else must review it.")
    status = 403


class DelegationTooLong(DomainError):
    code = "DELEGATION_TOO_LONG"
    message = _("Nobody stands in for longer than {days} days. Give it again when it ends.")


class OwnStandIn(DomainError):
    code = "OWN_STAND_IN"
    message = _("Only the one who is away, or another manager, can name you to stand in.")
    status = 403


class DutiesTogether(DomainError):
    code = "DUTIES_TOGETHER"
    message = _("These two people's duties must not come together: {why}")
    status = 409


class PolicyInvalid(DomainError):
    code = "POLICY_INVALID"
    message = _("The policy cannot be used: {problems}.")


class PolicyWaits(DomainError):
    code = "POLICY_WAITS"
    message = _("Another version of this policy waits for approval. Decide on it first.")
    status = 409


class AlreadyAsked(DomainError):
    code = "ALREADY_ASKED"
    message = _("{maker} has asked for this already. It waits for approval.")
    status = 409
