"""Refusals that reach people, with the sentence that explains them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class EngineSilent(DomainError):
    code = "ENGINE_SILENT"
    message = _(
        "The order engine did not answer in time. Nothing is lost: send the same request again with the same id."
    )
    status = 503


class EngineRunsElsewhere(DomainError):
    code = "ENGINE_RUNS_ELSEWHERE"
    message = _("The order engine of shard {shard} is running in another process.")
    status = 409


class AccountNotInEngine(DomainError):
    code = "ACCOUNT_UNKNOWN"
    message = _("This trading account is not open for trading yet.")
    status = 409


class FreeMarginTooLow(DomainError):
    code = "FREE_MARGIN_TOO_LOW"
    message = _("Only {available} can leave this account: the rest secures open positions.")
    status = 409


class InvalidQuantity(DomainError):
    code = "QUANTITY_INVALID"
    message = _("{quantity} lots is not a multiple of {step}.")


class InvalidPrice(DomainError):
    code = "PRICE_INVALID"
    message = _("{price} has more decimal places than {symbol} quotes.")


class OrderTooLate(DomainError):
    code = "TOO_LATE_TO_CANCEL"
    message = _("This order has already ended.")
    status = 409


class CancelPending(DomainError):
    code = "CANCEL_ALREADY_PENDING"
    message = _("The cancel of this order is already under way.")
    status = 409


class EngineRefused(DomainError):
    """Any other reason of the engine, by its own code."""

    code = "ENGINE_REFUSED"
    message = _("{sentence}")
    status = 409

    def __init__(self, engine_code: str, **values: Any) -> None:
        super().__init__(sentence=sentence_for(engine_code), **values)
        self.code = engine_code


SENTENCES = {
    "KILL_SWITCH": _(
        "Trading is stopped at the moment; you can close positions and cancel orders."
    ),
    "ACCOUNT_UNKNOWN": _("This trading account is not open for trading yet."),
    "ACCOUNT_NOT_ACTIVE": _("This trading account cannot trade at the moment."),
    "ACCOUNT_CLOSE_ONLY": _("This trading account can only close positions."),
    "CLIENT_RESTRICTED": _("Trading is restricted for this client; open positions can be closed."),
    "INSTRUMENT_UNKNOWN": _("This instrument is not offered."),
    "INSTRUMENT_NOT_TRADABLE": _("This instrument is halted."),
    "INSTRUMENT_CLOSE_ONLY": _("This instrument can only be closed."),
    "MARKET_CLOSED": _("The market is closed. Try again when the session opens."),
    "QUOTE_MISSING": _("There is no price for this instrument at the moment."),
    "QUOTE_STALE": _("The last price is too old to trade on."),
    "CONVERSION_RATE_MISSING": _(
        "There is no rate to convert the result into the account's currency."
    ),
    "QUANTITY_INVALID": _("The quantity must be more than zero."),
    "QUANTITY_TOO_SMALL": _("The quantity is below the smallest order."),
    "QUANTITY_TOO_LARGE": _("The quantity is above the largest order."),
    "PRICE_INVALID": _("The limit price does not fit the instrument's tick."),
    "UNSUPPORTED_ORDER": _("This kind of order is not supported."),
    "DUPLICATE_CLIENT_ORDER_ID": _("This order id was used for a different order."),
    "ORDER_RATE_EXCEEDED": _("Too many orders in one second. Wait a moment and try again."),
    "PRICE_OUTSIDE_COLLAR": _("The limit is too far through the market."),
    "SIZE_FAT_FINGER": _("The quantity looks like a slip; split the order if it is meant."),
    "NOTIONAL_TOO_LARGE": _("The order's value is above the account's limit."),
    "FREE_MARGIN_TOO_LOW": _("There is not enough free margin for this order."),
    "POSITION_UNKNOWN": _("There is no such open position on this account."),
    "POSITION_CLOSED": _("The position was closed already."),
    "CLOSE_EXCEEDS_POSITION": _("More would be closed than is open."),
    "NOT_FILLABLE_NOW": _("The order could not be filled at once."),
    "VENUE_REJECTED": _("The market did not accept the order."),
    "VENUE_NOT_FOUND": _("The market does not know the order; nothing was filled."),
    "VENUE_MISSING": _("There is no market to send the order to."),
    "ORDER_UNKNOWN": _("There is no such order."),
}


def sentence_for(code: str) -> str:
    """What a code means, for people."""
    return str(SENTENCES.get(code, code.replace("_", " ").capitalize() + "."))
