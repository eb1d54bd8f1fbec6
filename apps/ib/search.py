"""Partners by code or name."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.masks import may_look_up
from apps.core.search import Hit, page_url, register_search
from apps.ib.models import Partner
from apps.ib.permissions import VIEW_PARTNERS


def find_partners(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    wanted = Q(code__istartswith=text)
    if may_look_up(actor, Partner, "name"):
        wanted |= Q(name__icontains=text)
    for row in Partner.objects.visible_to(actor).filter(wanted).order_by("code")[:limit]:
        yield Hit(str(row), page_url(row), "", row.code.lower() == text.lower())


register_search(
    "partners", VIEW_PARTNERS, find_partners, label=_("Partners"), icon="handshake", order=50
)
