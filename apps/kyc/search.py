"""Verification cases by their client."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from apps.clients.search import clients_named
from apps.core.actor import Actor
from apps.core.search import Hit, as_uuid, page_url, register_search
from apps.kyc.models import KycCase
from apps.kyc.permissions import VIEW_CASES


def find_cases(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    cases = KycCase.objects.visible_to(actor).select_related("client__person")
    known = as_uuid(text)
    named = {"pk": known} if known else {"client__in": clients_named(actor, text).order_by()}
    cases = cases.filter(**named)
    for row in cases.order_by("-submitted_at")[:limit]:
        exact = row.pk == known
        yield Hit(str(row.client), page_url(row), str(row.get_state_display()), exact)


register_search(
    "cases", VIEW_CASES, find_cases, label=_("Verification"), icon="verified_user", order=15
)
