"""The trade ticket."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class TicketForm(forms.Form):
    """An order as a client fills it in. `submission_key` is its client order id, so a double click is one order."""

    side = forms.ChoiceField(label=_("Side"), choices=[("BUY", _("Buy")), ("SELL", _("Sell"))])
    type = forms.ChoiceField(
        label=_("Type"), choices=[("MARKET", _("Market")), ("LIMIT", _("Limit"))], initial="MARKET"
    )
    quantity = forms.DecimalField(
        label=_("Quantity, lots"), max_digits=14, decimal_places=4, min_value=0
    )
    limit_price = forms.DecimalField(
        label=_("Limit price"), max_digits=20, decimal_places=8, min_value=0, required=False
    )
    tif = forms.ChoiceField(
        label=_("Good"),
        choices=[
            ("GTC", _("Until cancelled")),
            ("DAY", _("Until the end of the day")),
            ("IOC", _("Now or never")),
        ],
        initial="GTC",
        required=False,
    )
    submission_key = forms.CharField(widget=forms.HiddenInput, min_length=8, max_length=64)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("type") == "LIMIT" and not cleaned.get("limit_price"):
            self.add_error("limit_price", _("A limit order needs a price."))
        if cleaned.get("type") == "MARKET":
            cleaned["limit_price"] = None
            cleaned["tif"] = "IOC"
        return cleaned


class CloseForm(forms.Form):
    quantity = forms.DecimalField(max_digits=14, decimal_places=4, required=False)
    submission_key = forms.CharField(min_length=8, max_length=64)
