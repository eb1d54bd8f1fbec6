"""Refusals of risk."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class SwitchTargetUnknown(DomainError):
    code = "SWITCH_TARGET_UNKNOWN"
    message = _("There is no {level} {target}.")


class SwitchAlreadyTripped(DomainError):
    code = "SWITCH_ALREADY_TRIPPED"
    message = _("Trading is already stopped for {scope}.")
    status = 409


class BeyondOwnScope(DomainError):
    code = "BEYOND_OWN_SCOPE"
    message = _("{level}: that reaches clients of every company, and you see only some of them.")
    status = 403
