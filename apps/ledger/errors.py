from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class InsufficientFunds(DomainError):
    code = "INSUFFICIENT_FUNDS"
    message = _("Only {available} is available.")
    status = 409


class IdempotencyConflict(DomainError):
    code = "IDEMPOTENCY_CONFLICT"
    message = _("The key {key} was already used for another posting.")
    status = 422


class PeriodClosed(DomainError):
    code = "PERIOD_CLOSED"
    message = _(
        "The books are closed through {closed_through}. Post the correction in the open period."
    )
    status = 409


class AccountClosed(DomainError):
    code = "LEDGER_ACCOUNT_CLOSED"
    message = _("The ledger account {account} is closed.")
    status = 409


class InvalidPosting(DomainError):
    code = "INVALID_POSTING"
    message = _("This posting is not possible: {problem}.")


class HoldResolved(DomainError):
    code = "HOLD_ALREADY_RESOLVED"
    message = _("This hold was already posted or released.")
    status = 409


class HoldExpired(DomainError):
    code = "HOLD_EXPIRED"
    message = _("This hold expired at {expires_at}.")
    status = 409
