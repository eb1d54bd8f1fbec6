"""The codes of platforms, accounts and what is asked of a platform."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlatformKind(models.TextChoices):
    """Which adapter speaks to it."""

    SIMULATED = "SIMULATED", _("Simulated platform")


class ServerEnvironment(models.TextChoices):
    LIVE = "LIVE", _("Live")
    DEMO = "DEMO", _("Demo")


class AccountMode(models.TextChoices):
    """Whether opposite trades stand side by side or offset each other."""

    HEDGING = "HEDGING", _("Hedging")
    NETTING = "NETTING", _("Netting")


class AccountState(models.TextChoices):
    """Where an account stands. A restriction of the client is another axis and changes none of these."""

    REQUESTED = "REQUESTED", _("Requested")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waiting for approval")
    PROVISIONING = "PROVISIONING", _("Being opened")
    PROVISION_FAILED = "PROVISION_FAILED", _("Opening failed")
    ACTIVE = "ACTIVE", _("Active")
    CLOSE_ONLY = "CLOSE_ONLY", _("Close only")
    READ_ONLY = "READ_ONLY", _("Read only")
    DISABLED = "DISABLED", _("Disabled")
    DORMANT = "DORMANT", _("Dormant")
    ARCHIVED = "ARCHIVED", _("Archived")
    CLOSED = "CLOSED", _("Closed")
    REJECTED = "REJECTED", _("Rejected")


LIVE_STATES = (
    AccountState.ACTIVE,
    AccountState.CLOSE_ONLY,
    AccountState.READ_ONLY,
    AccountState.DISABLED,
)
OPENING_STATES = (
    AccountState.REQUESTED,
    AccountState.PENDING_APPROVAL,
    AccountState.PROVISIONING,
    AccountState.PROVISION_FAILED,
)


class RightsLevel(models.TextChoices):
    """What the holder may do on the platform, from most to least."""

    FULL = "FULL", _("Full")
    CLOSE_ONLY = "CLOSE_ONLY", _("Close only")
    READ_ONLY = "READ_ONLY", _("Read only")
    DISABLED = "DISABLED", _("Disabled")


class OperationKind(models.TextChoices):
    CREATE_ACCOUNT = "CREATE_ACCOUNT", _("Open account")
    SET_LEVERAGE = "SET_LEVERAGE", _("Set leverage")
    SET_RIGHTS = "SET_RIGHTS", _("Set rights")
    DEPOSIT = "DEPOSIT", _("Deposit")
    WITHDRAWAL = "WITHDRAWAL", _("Withdrawal")
    CREDIT_IN = "CREDIT_IN", _("Credit in")
    CREDIT_OUT = "CREDIT_OUT", _("Credit out")
    CORRECTION = "CORRECTION", _("Correction")


BALANCE_KINDS = (
    OperationKind.DEPOSIT,
    OperationKind.WITHDRAWAL,
    OperationKind.CREDIT_IN,
    OperationKind.CREDIT_OUT,
    OperationKind.CORRECTION,
)


class OperationState(models.TextChoices):
    """UNKNOWN: sent and not answered. It is asked about before it is ever sent again."""

    REQUESTED = "REQUESTED", _("Requested")
    SENT = "SENT", _("Sent")
    UNKNOWN = "UNKNOWN", _("No answer")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Refused")
