"""Refusals around partners and commission."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class AlreadyPartner(DomainError):
    code = "ALREADY_PARTNER"
    message = _("This client is partner {code} already.")
    status = 409


class CodeTaken(DomainError):
    code = "CODE_TAKEN"
    message = _("The code {code} is taken.")
    status = 409


class TreeCycle(DomainError):
    code = "TREE_CYCLE"
    message = _("{child} stands above {parent}, so it cannot work under it.")


class TreeOverlap(DomainError):
    code = "TREE_OVERLAP"
    message = _("{child} has another partner above it in that time.")
    status = 409


class RateAboveParent(DomainError):
    code = "RATE_ABOVE_PARENT"
    message = _(
        "A sub-partner cannot earn more per lot than the partner above: {rate} against {above}."
    )


class AttributionLocked(DomainError):
    code = "ATTRIBUTION_LOCKED"
    message = _("The client has deposited, so another partner needs an approved move.")
    status = 409


class SelfReferral(DomainError):
    code = "SELF_REFERRAL"
    message = _("A partner does not earn on the own trades.")


class PlanInvalid(DomainError):
    code = "PLAN_INVALID"
    message = _("{problem}")


class VersionInForce(DomainError):
    code = "VERSION_IN_FORCE"
    message = _("A plan version that was in force is never changed. Publish a new one.")
    status = 409


class AlreadyReversed(DomainError):
    code = "ALREADY_REVERSED"
    message = _("This line has been reversed already.")
    status = 409


class NothingToPay(DomainError):
    code = "NOTHING_TO_PAY"
    message = _("Nothing is due to {partner} in {currency}: {amount}.")


class PayoutOpen(DomainError):
    code = "PAYOUT_OPEN"
    message = _("Payout {number} of this partner is still open.")
    status = 409
