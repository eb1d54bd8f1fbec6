"""Forms of the portal. What an answer must be is decided by the services, not here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pycountry
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.clients.onboarding.schema import Field, Step

RADIO_AT_MOST = 5


@lru_cache(maxsize=1)
def country_choices() -> list[tuple[str, str]]:
    """Countries by their common name."""
    named = [
        (country.alpha_2, getattr(country, "common_name", country.name))
        for country in pycountry.countries
    ]
    return [("", ""), *sorted(named, key=lambda item: item[1])]


def _text(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs=attrs)


class RegisterForm(forms.Form):
    first_name = forms.CharField(
        label=_("First name"), max_length=100, widget=_text(autocomplete="given-name")
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=100, widget=_text(autocomplete="family-name")
    )
    country = forms.ChoiceField(
        label=_("Country where you live"),
        choices=country_choices,
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    phone = forms.CharField(
        label=_("Mobile phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("Twelve characters or more; a sentence is easy to remember."),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    partner_code = forms.CharField(
        label=_("Partner code"), max_length=40, required=False, widget=_text(autocomplete="off")
    )
    read = forms.BooleanField(label=_("I have read the privacy notice and the risk warning"))


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("New password"),
        help_text=_("Twelve characters or more; a sentence is easy to remember."),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class StepForm(forms.Form):
    """The questions of one step, as this client gets them. Carries values and shows errors; the
    judging is the service's."""

    def __init__(
        self,
        step: Step,
        *,
        country: str,
        values: Mapping[str, Any],
        errors: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(initial=dict(values))
        deciding = {condition.question for item in step.fields for condition in item.when}
        for item in step.visible_fields(values, country):
            self.fields[item.name] = _field_for(item)
            if item.name in deciding:
                self.fields[item.name].widget.attrs["data-decides"] = ""
        self._errors = {name: self.error_class([text]) for name, text in (errors or {}).items()}  # type: ignore[assignment]


def given(step: Step, data: Any) -> dict[str, Any]:
    """What was typed, by the step's own field names; nothing else is taken from a request."""
    values: dict[str, Any] = {}
    for item in step.fields:
        if item.type == "multichoice":
            values[item.name] = data.getlist(item.name)
        else:
            values[item.name] = data.get(item.name, "")
    return values


def _field_for(item: Field) -> forms.Field:
    label = gettext(item.label)
    common: dict[str, Any] = {
        "label": label,
        "help_text": gettext(item.help) if item.help else "",
        "required": item.required,
    }
    attrs = {"autocomplete": item.autocomplete} if item.autocomplete else {}
    if item.type == "choice":
        return _choice_field(item, common)
    if item.type == "multichoice":
        return forms.MultipleChoiceField(
            choices=_options(item), widget=forms.CheckboxSelectMultiple, **common
        )
    if item.type == "yesno":
        return forms.ChoiceField(
            choices=[("yes", _("Yes")), ("no", _("No"))], widget=forms.RadioSelect, **common
        )
    if item.type == "country":
        return forms.ChoiceField(choices=country_choices(), **common)
    if item.type == "accept":
        return forms.BooleanField(**common)
    if item.type == "date":
        return forms.CharField(widget=forms.DateInput(attrs={**attrs, "type": "date"}), **common)
    kind = "tel" if item.type == "phone" else "text"
    return forms.CharField(
        max_length=item.max_length,
        widget=forms.TextInput(attrs={**attrs, "type": kind}),
        **common,
    )


def _choice_field(item: Field, common: dict[str, Any]) -> forms.Field:
    options = _options(item)
    if len(options) <= RADIO_AT_MOST:
        return forms.ChoiceField(choices=options, widget=forms.RadioSelect, **common)
    return forms.ChoiceField(choices=[("", ""), *options], **common)


def _options(item: Field) -> list[tuple[str, str]]:
    return [(option.value, gettext(option.label)) for option in item.options]
