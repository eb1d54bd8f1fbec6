"""Chosen states and kinds of the market."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InstrumentStatus(models.TextChoices):
    TRADABLE = "TRADABLE", _("Tradable")
    CLOSE_ONLY = "CLOSE_ONLY", _("Close only")
    HALTED = "HALTED", _("Halted")


class VenueKind(models.TextChoices):
    LIQUIDITY_PROVIDER = "LIQUIDITY_PROVIDER", _("Liquidity provider")
    INTERNAL = "INTERNAL", _("Internal matching")


class VenueStatus(models.TextChoices):
    ENABLED = "ENABLED", _("Enabled")
    DISABLED = "DISABLED", _("Disabled")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class BarInterval(models.TextChoices):
    """Intervals that are stored; longer ones are merged from them when read."""

    M1 = "M1", _("1 minute")
    H1 = "H1", _("1 hour")


class ConversionSide(models.TextChoices):
    """RECEIVE: money that the client gets; PAY: money that the client owes."""

    RECEIVE = "RECEIVE", _("Receives, at the worse price")
    PAY = "PAY", _("Owes, at the worse price")
    MID = "MID", _("Middle, for valuation only")
