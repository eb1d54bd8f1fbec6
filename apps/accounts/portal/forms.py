"""What a client chooses when opening an account or changing its leverage."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AccountType


def leverage_choices(leverages: list[int], cap: int) -> list[tuple[int, str]]:
    """Only what the rules leave, the highest first."""
    return [(value, f"1:{value}") for value in sorted(leverages, reverse=True) if value <= cap]


class OpenAccountForm(forms.Form):
    currency = forms.ChoiceField(label=_("Currency of the account"))
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int)

    def __init__(self, *args: Any, account_type: AccountType, cap: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in account_type.currencies]  # type: ignore[attr-defined]
        self.fields["leverage"].choices = leverage_choices(account_type.leverages, cap)  # type: ignore[attr-defined]
        self.fields["leverage"].help_text = _(
            "Losses grow with leverage as fast as gains. The highest for you is 1:%(cap)s."
        ) % {"cap": cap}


class LeverageForm(forms.Form):
    leverage = forms.TypedChoiceField(label=_("New leverage"), coerce=int)

    def __init__(self, *args: Any, leverages: list[int], cap: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leverage"].choices = leverage_choices(leverages, cap)  # type: ignore[attr-defined]
