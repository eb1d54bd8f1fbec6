"""What risk shows on the home page and in the one inbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.errors import NotAllowed
from apps.core.panels import HomeCard, QueueRow, register_home_card, register_queue
from apps.orders.permissions import SET_KILL_SWITCH
from apps.risk.models import KillSwitch
from apps.risk.permissions import VIEW_EXPOSURE
from apps.risk.selectors import exposure_now


def exposure_card(actor: Actor) -> dict[str, Any]:
    try:
        now = exposure_now(actor)
    except NotAllowed:
        now = None
    if now is None:
        return {"known": False}
    symbols = sorted(now["views"]["symbols"].items(), key=lambda row: -abs(row[1]["net"]))
    return {
        "known": True,
        "total": now["views"]["total"]["all"],
        "state": now["state"],
        "top": symbols[:4],
        "switches": KillSwitch.objects.in_force().count(),
    }


def switches_in_force(actor: Actor) -> Iterable[QueueRow]:
    for switch in KillSwitch.objects.visible_to(actor).in_force():
        yield QueueRow(
            label=str(_("Trading is stopped: {scope}")).format(scope=switch.scope),
            url=reverse("admin:risk_killswitch_change", args=[switch.pk]),
            since=switch.tripped_at,
            severity="high",
            owner=switch.tripped_by,
            next_action=str(_("Decide whether it may go on")),
        )


register_home_card(
    HomeCard(
        "risk.exposure", _("Exposure"), "risk/home_card.html", exposure_card, VIEW_EXPOSURE, 20
    )
)
register_queue("risk.kill_switches", _("Kill switches"), SET_KILL_SWITCH, switches_in_force)
