"""Orders by their number or by the id that the client gave them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.search import Hit, as_number, page_url, register_search
from apps.orders.models import Order, Position
from apps.orders.permissions import VIEW_ORDER, VIEW_POSITION


def find_orders(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    number = as_number(text)
    wanted = Q(client_order_id=text)
    if number is not None:
        wanted |= Q(pk=number)
    rows = Order.objects.visible_to(actor).filter(wanted).select_related("account")
    for row in rows[:limit]:
        title = f"{row.pk} {row.get_side_display()} {row.symbol}"
        yield Hit(title, page_url(row), str(row.get_status_display()), True)


def find_positions(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    number = as_number(text)
    if number is None:
        return
    for row in Position.objects.visible_to(actor).filter(pk=number)[:limit]:
        yield Hit(f"{row.pk} {row.symbol}", page_url(row), "", True)


register_search("orders", VIEW_ORDER, find_orders, label=_("Orders"), icon="list_alt", order=30)
register_search(
    "positions", VIEW_POSITION, find_positions, label=_("Positions"), icon="show_chart", order=32
)
