"""Refusals of the market."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class UnknownInstrument(DomainError):
    code = "UNKNOWN_INSTRUMENT"
    message = _("There is no instrument {symbol}.")
    status = 404


class UnknownVenueSymbol(DomainError):
    code = "UNKNOWN_VENUE_SYMBOL"
    message = _("{venue} has no symbol for {symbol}.")


class NoQuote(DomainError):
    code = "NO_QUOTE"
    message = _("There is no price for {symbol} at the moment.")
    status = 409


class NoConversion(DomainError):
    code = "NO_CONVERSION"
    message = _(
        "{source} cannot be converted to {target}: no instrument connects them with a price."
    )
    status = 409


class InvalidTerms(DomainError):
    code = "INVALID_TERMS"
    message = _("{symbol}: {problem}")


class InvalidSession(DomainError):
    code = "INVALID_SESSION"
    message = _("{calendar}: {problem}")


class BadMarketFile(DomainError):
    code = "BAD_MARKET_FILE"
    message = _("{problem}")
