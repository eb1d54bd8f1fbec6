"""How a rule's inputs and obligations are written for people."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def rule_value(value: Any) -> str:
    """Yes and no in words, lists in one line, a dash for nothing."""
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "\N{EM DASH}"
    return "\N{EM DASH}" if value in (None, "") else str(value)


@register.filter
def outcome_tone(outcome: Any) -> str:
    """A required step is a warning like a review; the others have the tone that they have everywhere."""
    return "warn" if str(outcome) == "REQUIRE" else ""
