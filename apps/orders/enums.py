"""Codes as they are stored: FIX 4.4 values where the standard has them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Side(models.IntegerChoices):
    BUY = 1, _("Buy")
    SELL = 2, _("Sell")


class OrderType(models.TextChoices):
    MARKET = "1", _("Market")
    LIMIT = "2", _("Limit")


class TimeInForce(models.TextChoices):
    DAY = "0", _("Day")
    GTC = "1", _("Good till cancelled")
    IOC = "3", _("Immediate or cancel")
    FOK = "4", _("Fill or kill")


class OrderStatus(models.TextChoices):
    """OrdStatus (39)."""

    PENDING_NEW = "A", _("Pending new")
    NEW = "0", _("New")
    PARTIALLY_FILLED = "1", _("Partially filled")
    FILLED = "2", _("Filled")
    CANCELED = "4", _("Cancelled")
    PENDING_CANCEL = "6", _("Pending cancel")
    REJECTED = "8", _("Rejected")
    EXPIRED = "C", _("Expired")
    PENDING_REPLACE = "E", _("Pending replace")


LIVE_STATUSES = (
    OrderStatus.PENDING_NEW,
    OrderStatus.NEW,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.PENDING_CANCEL,
    OrderStatus.PENDING_REPLACE,
)
ENDED_STATUSES = (
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
)


class ExecType(models.TextChoices):
    """ExecType (150)."""

    NEW = "0", _("Accepted")
    CANCELED = "4", _("Cancelled")
    REPLACED = "5", _("Replaced")
    PENDING_CANCEL = "6", _("Cancel requested")
    REJECTED = "8", _("Rejected")
    EXPIRED = "C", _("Expired")
    TRADE = "F", _("Filled")
    ORDER_STATUS = "I", _("Status")


class Book(models.TextChoices):
    EXTERNAL = "A", _("A, external")
    HOUSE = "B", _("B, house")


class DealEntry(models.TextChoices):
    IN = "IN", _("In")
    OUT = "OUT", _("Out")


class CloseReason(models.TextChoices):
    CLIENT = "CLIENT", _("Closed by the client")
    NETTED = "NETTED", _("Netted")


class AccountMode(models.TextChoices):
    HEDGING = "HEDGING", _("Hedging")
    NETTING = "NETTING", _("Netting")


class KillSwitchMode(models.TextChoices):
    REJECT_NEW = "REJECT_NEW", _("Only reductions and cancels")
    OFF = "OFF", _("Off")
