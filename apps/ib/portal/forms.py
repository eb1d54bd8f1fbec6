"""What a partner fills in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

CURRENCIES = [("USD", "USD"), ("EUR", "EUR"), ("GBP", "GBP")]


class ApplyForm(forms.Form):
    name = forms.CharField(label=_("Name of your business"), max_length=120)
    code = forms.SlugField(
        label=_("Your code"),
        max_length=40,
        help_text=_(
            "Clients type it or follow a link that carries it. Letters, digits and hyphens."
        ),
    )
    currency = forms.ChoiceField(label=_("Paid out in"), choices=CURRENCIES)


class LinkForm(forms.Form):
    label = forms.CharField(
        label=_("For your eyes"),
        max_length=80,
        help_text=_("Where you use it: newsletter, web site, video."),
    )
    code = forms.SlugField(label=_("Code in the address"), max_length=40)
