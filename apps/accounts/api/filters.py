from __future__ import annotations

import django_filters

from apps.accounts.enums import AccountMode, AccountState
from apps.accounts.models import TradingAccount


class AccountFilter(django_filters.FilterSet):
    client_id = django_filters.UUIDFilter()
    state = django_filters.ChoiceFilter(choices=AccountState.choices)
    mode = django_filters.ChoiceFilter(choices=AccountMode.choices)
    account_type = django_filters.CharFilter(field_name="account_type__code")

    class Meta:
        model = TradingAccount
        fields = ("client_id", "state", "mode", "account_type", "currency", "login")
