"""The codes of partners, their commission and their payouts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AgreementState(models.TextChoices):
    APPLIED = "APPLIED", _("Applied")
    UNDER_REVIEW = "UNDER_REVIEW", _("Under review")
    APPROVED = "APPROVED", _("Approved")
    ACTIVE = "ACTIVE", _("Active")
    SUSPENDED = "SUSPENDED", _("Suspended")
    TERMINATED = "TERMINATED", _("Terminated")
    EXPIRED = "EXPIRED", _("Expired")
    REJECTED = "REJECTED", _("Rejected")


OVER_STATES = (AgreementState.TERMINATED, AgreementState.EXPIRED, AgreementState.REJECTED)


class TermKindChoice(models.TextChoices):
    PER_LOT = "PER_LOT", _("Per standard lot")
    SPREAD_SHARE = "SPREAD_SHARE", _("Share of the spread")
    REVENUE_SHARE = "REVENUE_SHARE", _("Share of spread and commission")


class TierModeChoice(models.TextChoices):
    OVERRIDE = "OVERRIDE", _("Own rate for each distance")
    DIFFERENTIAL = "DIFFERENTIAL", _("Difference to the partner below")


class VersionState(models.TextChoices):
    DRAFT = "DRAFT", _("Draft")
    IN_FORCE = "IN_FORCE", _("In force")


class AttributionSource(models.TextChoices):
    """How the house knows who introduced the client."""

    LINK = "LINK", _("Link or code at registration")
    MANUAL = "MANUAL", _("Set by staff")
    MOVE = "MOVE", _("Moved from another partner")


class AccrualState(models.TextChoices):
    CALCULATED = "CALCULATED", _("Calculated")
    HELD = "HELD", _("Held")
    CONFIRMED = "CONFIRMED", _("Confirmed")
    PAYABLE = "PAYABLE", _("Payable")
    PAID = "PAID", _("Paid")
    REVERSED = "REVERSED", _("Reversed")


EARNED_STATES = (
    AccrualState.CALCULATED,
    AccrualState.CONFIRMED,
    AccrualState.PAYABLE,
    AccrualState.PAID,
)


class PayoutState(models.TextChoices):
    DRAFT = "DRAFT", _("Draft")
    CALCULATED = "CALCULATED", _("Calculated")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waiting for approval")
    APPROVED = "APPROVED", _("Approved")
    PAID = "PAID", _("Paid")
    CANCELED = "CANCELED", _("Canceled")
