"""What a client fills in around money. The services decide; forms only read what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.money import InexactAmount, Money


def _amount_field() -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Amount"),
        max_digits=38,
        min_value=Decimal("0.000000000000000001"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class _AmountForm(forms.Form):
    """A choice of ways, an amount, and its currency that follows from the way."""

    amount = _amount_field()

    def currency_of(self, values: dict[str, Any]) -> str:
        raise NotImplementedError("abstract: each form names what it offers")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        currency = self.currency_of(values)
        if currency and values.get("amount") is not None:
            try:
                values["money"] = Money.of(values["amount"], currency)
            except InexactAmount as error:
                self.add_error("amount", str(error))
        return values


class DepositForm(_AmountForm):
    way = forms.ChoiceField(label=_("How you pay"))

    def __init__(self, *args: Any, ways: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["way"].choices = [(way, way) for way in ways]  # type: ignore[attr-defined]

    def currency_of(self, values: dict[str, Any]) -> str:
        return str(values.get("way", "")).partition(":")[2]


class WithdrawForm(_AmountForm):
    destination = forms.UUIDField(label=_("Where it goes"))
    currency = forms.ChoiceField(label=_("From your wallet in"))

    def __init__(self, *args: Any, currencies: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = list(currencies)  # type: ignore[attr-defined]

    def currency_of(self, values: dict[str, Any]) -> str:
        return str(values.get("currency", ""))


class TransferForm(_AmountForm):
    direction = forms.ChoiceField(
        choices=[("TO_ACCOUNT", _("Into the account")), ("FROM_ACCOUNT", _("Back to the wallet"))],
        initial="TO_ACCOUNT",
    )
    account = forms.ChoiceField(label=_("Trading account"))

    def __init__(self, *args: Any, accounts: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._accounts = accounts
        self.fields["account"].choices = [(key, key) for key in accounts]  # type: ignore[attr-defined]

    def currency_of(self, values: dict[str, Any]) -> str:
        return self._accounts.get(str(values.get("account", "")), "")


class BankAccountForm(forms.Form):
    holder_name = forms.CharField(label=_("Account holder"), max_length=160)
    iban = forms.CharField(
        label=_("IBAN"),
        max_length=42,
        help_text=_("Only an account in your own name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Why?"), max_length=300, required=False)
