"""Providers and the ways to pay at each, carried between installations by their codes; secrets are settings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.config_rows import Rows, register_rows
from apps.payments.models import PaymentMethod, PaymentProvider

register_rows(
    "payments.providers",
    _("Payment providers"),
    Rows(PaymentProvider, ("code",), ("name", "kind", "takes_deposits", "sends_payouts")),
    order=40,
)
register_rows(
    "payments.methods",
    _("Payment methods"),
    Rows(
        PaymentMethod,
        ("provider__code", "method", "currency"),
        (
            "entities",
            "deposits",
            "payouts",
            "deposit_min_minor",
            "deposit_max_minor",
            "payout_min_minor",
            "payout_max_minor",
            "deposit_fee_percent",
            "deposit_fee_fixed_minor",
            "payout_fee_percent",
            "payout_fee_fixed_minor",
            "deposit_time",
            "payout_time",
        ),
    ),
    order=41,
)
