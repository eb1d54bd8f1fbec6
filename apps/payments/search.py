"""Deposits, withdrawals and transfers by reference: ours, or the provider's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.search import Hit, Lookup, as_uuid, page_url, register_search
from apps.payments.models import Deposit, Transfer, Withdrawal

SHORTEST_REFERENCE = 6


def by_reference(model: Any, *provider_fields: str) -> Lookup:
    """A lookup by our id, or by what the provider calls it."""

    def find(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
        known = as_uuid(text)
        wanted = Q(pk=known) if known else Q(pk=None)
        if len(text) >= SHORTEST_REFERENCE:
            for name in provider_fields:
                wanted |= Q(**{name: text})
        rows = model.objects.visible_to(actor).filter(wanted).select_related("client__person")
        for row in rows.distinct()[:limit]:
            yield Hit(f"{row.amount} {row.client}", page_url(row), row.short_id, True)

    return find


register_search(
    "deposits", "payments.view_deposit", by_reference(Deposit),
    label=_("Deposits"), icon="south_west", order=40,
)  # fmt: skip
register_search(
    "withdrawals", "payments.view_withdrawal", by_reference(Withdrawal, "provider_payout_id"),
    label=_("Withdrawals"), icon="north_east", order=41,
)  # fmt: skip
register_search(
    "transfers", "payments.view_transfer", by_reference(Transfer),
    label=_("Transfers"), icon="swap_horiz", order=42,
)  # fmt: skip
