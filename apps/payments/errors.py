"""Refusals around payments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class MethodNotOffered(DomainError):
    code = "METHOD_NOT_OFFERED"
    message = _("{method} in {currency} is not offered to you.")


class AmountBelowMinimum(DomainError):
    code = "AMOUNT_BELOW_MINIMUM"
    message = _("The smallest amount is {minimum}.")


class AmountAboveMaximum(DomainError):
    code = "AMOUNT_ABOVE_MAXIMUM"
    message = _("The largest amount is {maximum}.")


class NoRoute(DomainError):
    code = "NO_PAYMENT_ROUTE"
    message = _("No payment provider takes this payment at the moment. Try another method.")
    status = 409


class WithdrawalsRestricted(DomainError):
    code = "WITHDRAWAL_NOT_POSSIBLE"
    message = _("{why}")


class WalletTooLow(DomainError):
    code = "WALLET_TOO_LOW"
    message = _(
        "{available} is free in this wallet. Move money from a trading account first, or ask for less."
    )
    status = 409


class DestinationUnknown(DomainError):
    code = "DESTINATION_UNKNOWN"
    message = _("Choose where the money shall go.")


class DestinationInvalid(DomainError):
    code = "DESTINATION_INVALID"
    message = _("{problem}")


class ChecksFailed(DomainError):
    code = "CHECKS_FAILED"
    message = _("It cannot be approved now: {checks}")
    status = 409


class NotCancelable(DomainError):
    code = "NOT_CANCELABLE"
    message = _("The money is already on its way to the provider, so it can no longer be canceled.")
    status = 409


class ForgedWebhook(DomainError):
    code = "WEBHOOK_NOT_AUTHENTIC"
    message = _("The signature does not belong to this message.")
    status = 401


class UnknownProvider(DomainError):
    code = "UNKNOWN_PROVIDER"
    message = _("No such payment provider.")
    status = 404


class ProviderSaysNo(DomainError):
    code = "PROVIDER_REFUSED"
    message = _("The payment provider refused: {reason}.")
    status = 409


class ProviderSilent(DomainError):
    """The outcome is not known. It is asked about by reference and never sent again."""

    code = "PROVIDER_SILENT"
    message = _("The payment provider has not answered yet. Nothing will be done twice.")
    status = 503


class ProviderUnreachable(ProviderSilent):
    """Nothing left this house, so nothing can have happened."""

    code = "PROVIDER_UNREACHABLE"
    message = _("The payment provider cannot be reached at the moment.")


class RateMissing(DomainError):
    code = "RATE_MISSING"
    message = _("There is no exchange rate from {source} to {target} at the moment.")
    status = 503


class SuspenseMismatch(DomainError):
    code = "SUSPENSE_MISMATCH"
    message = _("{problem}")
    status = 409


class CatalogueInvalid(DomainError):
    code = "CATALOGUE_INVALID"
    message = _("{where}: {problem}")
