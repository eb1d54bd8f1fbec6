"""What core itself puts into the inbox: events that nobody carries, reactions that gave up or fell behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import clock
from apps.core.actor import Actor, ScopeLevel
from apps.core.dead_letters import dead_letters, oldest_pending
from apps.core.outbox import lag_seconds
from apps.core.panels import QueueRow, register_queue
from apps.core.permissions import RETRY_DELIVERY


def stuck(actor: Actor) -> Iterator[QueueRow]:
    """Whoever may retry sees dead letters by handler, slow reactions, and events that no relay takes."""
    if actor.scope.level is not ScopeLevel.ALL:
        return
    page = reverse("admin:core_delivery_dead")
    for line in dead_letters(actor):
        count = ngettext("%(n)d dead letter", "%(n)d dead letters", line.count) % {"n": line.count}
        yield QueueRow(
            label=f"{count}: {line.handler}",
            url=page,
            since=line.oldest,
            severity="high",
            next_action=_("retry or go on without"),
        )
    deliveries = reverse("admin:core_delivery_changelist")
    for handler, age in sorted(oldest_pending().items()):
        if age > settings.OUTBOX_LATE_S:
            yield QueueRow(
                label=_("Reaction falls behind: %(handler)s") % {"handler": handler},
                url=f"{deliveries}?state__exact=PENDING&handler__exact={handler}",
                since=clock.now() - timedelta(seconds=age),
                severity="high",
                next_action=_("see what it waits for"),
            )
    lag = lag_seconds()
    if lag > settings.OUTBOX_LAG_LIMIT_S:
        yield QueueRow(
            label=_("Events wait for the relay"),
            url=reverse("admin:core_outboxevent_changelist"),
            since=clock.now() - timedelta(seconds=lag),
            severity="high",
            next_action=_("look at the relay process"),
        )


register_queue("core.outbox", gettext_lazy("Messages between parts"), RETRY_DELIVERY, stuck)
