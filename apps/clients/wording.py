"""Sentences for people, for the codes of the pure core."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.clients.onboarding import answers

_TEXTS: dict[str, Any] = {
    answers.REQUIRED: _("Please answer this."),
    answers.TOO_LONG: _("At most {limit} characters."),
    answers.NOT_TEXT: _("Please use letters, digits and punctuation."),
    answers.NOT_A_DATE: _("Please write a date as year-month-day."),
    answers.IN_FUTURE: _("This date lies in the future."),
    answers.TOO_OLD: _("Please check the year."),
    answers.TOO_YOUNG: _("You must be {age} or older."),
    answers.NOT_AN_OPTION: _("Please choose one of the answers."),
    answers.NOT_A_COUNTRY: _("Please choose a country."),
    answers.NOT_A_PHONE: _("Please write a phone number with its country code."),
    answers.NOT_A_TAX_ID: _("This is not a tax number of that country; check each digit."),
    answers.NOT_YES_OR_NO: _("Please choose yes or no."),
    answers.MUST_ACCEPT: _("You can go on only when you accept this."),
}


def refusal_text(refusal: answers.Refusal) -> str:
    """Why an answer will not do, in words."""
    return str(_TEXTS[refusal.code]).format(**refusal.values)
