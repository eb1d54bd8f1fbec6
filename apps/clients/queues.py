"""What waits for people who look after data protection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clients.enums import PrivacyRequestState, RetentionRunState
from apps.clients.models import PrivacyRequest, RetentionRun
from apps.clients.permissions import VIEW_PRIVACY, VIEW_RUNS
from apps.core import clock
from apps.core.actor import Actor
from apps.core.panels import QueueRow, register_queue

SOON = timedelta(days=7)


def open_requests(actor: Actor) -> Iterator[QueueRow]:
    """Every request that has no answer yet, with the day by which the law wants one."""
    rows = (
        PrivacyRequest.objects.visible_to(actor)
        .filter(state__in=[PrivacyRequestState.REQUESTED, PrivacyRequestState.PENDING_APPROVAL])
        .select_related("client")
    )
    for row in rows:
        yield QueueRow(
            label=f"{row.client.number}: {row.get_kind_display()}",
            url=reverse("admin:clients_privacyrequest_change", args=[row.pk]),
            since=row.created_at,
            sla_due=row.due_at,
            severity="high" if row.due_at - clock.now() < SOON else "normal",
            next_action=_("decide") if row.approval_id else _("see why it is not ready"),
        )


def previews(actor: Actor) -> Iterator[QueueRow]:
    for run in RetentionRun.objects.visible_to(actor).filter(state=RetentionRunState.PREVIEW):
        yield QueueRow(
            label=_("%(count)d classes of data are past their term") % {"count": len(run.due)},
            url=reverse("admin:clients_retentionrun_change", args=[run.pk]),
            since=run.created_at,
            next_action=_("look and propose the purge"),
        )


register_queue("clients.privacy", gettext_lazy("Privacy requests"), VIEW_PRIVACY, open_requests)
register_queue("clients.retention", gettext_lazy("Past their term"), VIEW_RUNS, previews)
