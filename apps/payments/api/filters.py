"""One filter set for each list; the API and the portal's history use the same."""

from __future__ import annotations

import django_filters

from apps.payments.models import Deposit, Transfer, Withdrawal


class _MoneyFilter(django_filters.FilterSet):
    created_from = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_to = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


class DepositFilter(_MoneyFilter):
    class Meta:
        model = Deposit
        fields = ("client", "currency", "method", "payment", "credit")


class WithdrawalFilter(_MoneyFilter):
    class Meta:
        model = Withdrawal
        fields = ("client", "currency", "method", "state")


class TransferFilter(_MoneyFilter):
    class Meta:
        model = Transfer
        fields = ("client", "currency", "account", "direction", "state")
