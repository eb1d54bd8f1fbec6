"""Chosen states and kinds of risk."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SwitchLevel(models.TextChoices):
    """What a kill switch stops. The value is the first part of the engine's scope."""

    FIRM = "firm", _("The whole firm")
    ENTITY = "entity", _("A legal entity")
    GROUP = "group", _("A group of accounts")
    CLIENT = "client", _("A client")
    ACCOUNT = "account", _("A trading account")
    SYMBOL = "symbol", _("An instrument")
    BOOK = "book", _("A book")


HOUSE_WIDE = frozenset({SwitchLevel.FIRM, SwitchLevel.GROUP, SwitchLevel.SYMBOL, SwitchLevel.BOOK})
"""What concerns the clients of every company at once."""


class SwitchState(models.TextChoices):
    TRIPPED = "TRIPPED", _("Tripped")
    REARM_REQUESTED = "REARM_REQUESTED", _("Re-arming asked for")
    REARMED = "REARMED", _("Re-armed")
