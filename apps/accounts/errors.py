"""Refusals around trading accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class ClientNotActive(DomainError):
    code = "CLIENT_NOT_ACTIVE"
    message = _("Accounts are opened once your application is approved. It is {lifecycle} now.")


class AccountTypeNotOffered(DomainError):
    code = "ACCOUNT_TYPE_NOT_OFFERED"
    message = _("This account type is not offered here: {why}.")


class CurrencyNotOffered(DomainError):
    code = "CURRENCY_NOT_OFFERED"
    message = _("{account_type} accounts are offered in {offered}, not in {currency}.")


class LeverageNotOffered(DomainError):
    code = "LEVERAGE_NOT_OFFERED"
    message = _("Choose one of these leverages: {offered}.")


class LeverageAboveCap(DomainError):
    code = "LEVERAGE_ABOVE_CAP"
    message = _("The highest leverage for you is {cap}:1. {why}")


class TooManyAccounts(DomainError):
    code = "TOO_MANY_ACCOUNTS"
    message = _(
        "You have {count} accounts of this type, which is the most that one client may have."
    )
    status = 409


class ChangePending(DomainError):
    code = "CHANGE_PENDING"
    message = _(
        "A change of this account is still on its way to the platform. Try again in a moment."
    )
    status = 409


class CapabilityMissing(DomainError):
    code = "CAPABILITY_MISSING"
    message = _("{platform} cannot do this: {capability}.")


class AccountNotFundable(DomainError):
    code = "ACCOUNT_NOT_FUNDABLE"
    message = _("Money cannot be booked on this account while it is {state}.")
    status = 409


class WrongCurrency(DomainError):
    code = "WRONG_CURRENCY"
    message = _("This account is in {account}, the amount is in {amount}.")


class PlatformSaysNo(DomainError):
    code = "PLATFORM_REFUSED"
    message = _("The trading platform refused: {reason}.")
    status = 409


class PlatformPending(DomainError):
    """The outcome is not known yet. The reference is asked about before anything is repeated."""

    code = "PLATFORM_PENDING"
    message = _("The trading platform has not confirmed yet. Nothing will be done twice.")
    status = 503


class CatalogueInvalid(DomainError):
    code = "CATALOGUE_INVALID"
    message = _("{where}: {problem}")
