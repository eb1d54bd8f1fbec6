"""Cards on the client's page, the home page, and the work that waits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import Lifecycle
from apps.clients.models import Client, ClientShare, OnboardingSession, Restriction
from apps.clients.permissions import (
    RESOLVE_DUPLICATE,
    SHARE_CLIENT,
    VIEW_AGREEMENTS,
    VIEW_CLIENTS,
    VIEW_ONBOARDING,
    VIEW_RESTRICTIONS,
    VIEW_SHARES,
)
from apps.clients.selectors import (
    agreements_of,
    may_lift,
    onboarding_progress,
    onboarding_stuck,
    open_duplicates,
)
from apps.clients.summary import answers_in_words
from apps.core import clock
from apps.core.actor import Actor
from apps.core.masks import FieldMask, mask_for
from apps.core.models import Mail
from apps.core.panels import (
    HomeCard,
    Panel,
    QueueRow,
    register_home_card,
    register_panel,
    register_queue,
)
from apps.core.timeline import (
    KINDS,
    TimelineEntry,
    Window,
    client_of,
    register_timeline,
    timeline_of,
    timeline_url,
)

DUPLICATE_SLA = timedelta(days=1)
STUCK_ATTEMPTS = 3
TIMELINE_LENGTH = 60
SHARES_SHOWN = 20


class IdentityPanel(Panel):
    """Who it is, each field as the viewer's role reads it."""

    title = _("Identity")
    template = "clients/panels/identity.html"
    permission = VIEW_CLIENTS
    narrow = True

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        return {"person": obj.person}


class RestrictionsPanel(Panel):
    """What the client may not do, why, until when, and who may end it."""

    title = _("Restrictions")
    template = "clients/panels/restrictions.html"
    permission = VIEW_RESTRICTIONS

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        at = clock.now()
        rows = list(Restriction.objects.filter(client=obj))
        in_force = [row for row in rows if row.binds(at)]
        for row in in_force:
            row.liftable = may_lift(row, actor)  # type: ignore[attr-defined]
        return {"in_force": in_force, "ended": [row for row in rows if not row.binds(at)][:10]}


class OnboardingPanel(Panel):
    """How far the application is, and where it stopped."""

    title = _("Application")
    template = "clients/panels/onboarding.html"
    permission = VIEW_ONBOARDING
    narrow = True

    def context(self, obj: Client, actor: Actor) -> dict[str, Any] | None:
        session = OnboardingSession.objects.filter(client=obj).select_related("client").first()
        if session is None:
            return None
        progress = onboarding_progress(session)
        for step in progress["steps"]:
            step["state"] = "done" if step["done"] else "current" if step["current"] else "next"
        return {"session": session, "progress": progress}


class AnswersPanel(Panel):
    """What was answered; for those who read answers in full, because any of them may be personal."""

    title = _("Answers")
    template = "clients/panels/answers.html"
    permission = VIEW_ONBOARDING

    def context(self, obj: OnboardingSession, actor: Actor) -> dict[str, Any] | None:
        if mask_for(actor, "clients.OnboardingSession.answers") is not FieldMask.FULL:
            return None
        return {"sections": answers_in_words(obj)}


class AgreementsPanel(Panel):
    """The documents in force and the proof of acceptance."""

    title = _("Agreements")
    template = "clients/panels/agreements.html"
    permission = VIEW_AGREEMENTS
    narrow = True

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        return {"agreements": agreements_of(obj)}


class SharesPanel(Panel):
    """Colleagues who see this client for a while, beside those whose scope it is."""

    title = _("Shared with")
    template = "clients/panels/shares.html"
    permission = VIEW_SHARES
    narrow = True

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        shares = ClientShare.objects.filter(content_object=obj).select_related("user", "granted_by")
        rows = list(shares[:SHARES_SHOWN])
        return {
            "in_force": [row for row in rows if row.in_force],
            "ended": [row for row in rows if not row.in_force],
            "may_end": actor.allows(SHARE_CLIENT),
        }


class TimelinePanel(Panel):
    """Everything that happened to the client, newest first."""

    title = _("Timeline")
    template = "clients/panels/timeline.html"
    permission = VIEW_CLIENTS

    def context(self, obj: Client, actor: Actor) -> dict[str, Any]:
        entries = timeline_of(obj, actor, window=Window(TIMELINE_LENGTH))
        known = {entry.kind for entry in entries}
        return {
            "entries": entries,
            "kinds": [(code, kind.label) for code, kind in KINDS.items() if code in known],
            "all_url": timeline_url(obj),
        }


def _messages(subject: Model, actor: Actor, window: Window) -> Iterable[TimelineEntry]:
    """What was sent to the client by e-mail, for those who may read the address it went to."""
    if client_of(subject) is None or mask_for(actor, "clients.Person.email") is not FieldMask.FULL:
        return []
    address = subject.person.email  # type: ignore[attr-defined]
    if not address:
        return []
    return [
        TimelineEntry(
            at=mail.sent_at, kind="messages", title=mail.subject, detail=str(_("e-mail, sent"))
        )
        for mail in window.of(Mail.objects.filter(to_index__blind=address), "sent_at")
    ]


def _duplicates(actor: Actor) -> Iterable[QueueRow]:
    for flag in open_duplicates(actor=actor):
        yield QueueRow(
            label=f"{flag.client.number} ~ {flag.other.number}: {flag.get_signal_display()}",
            url=reverse("admin:clients_duplicateflag_change", args=[flag.pk]),
            since=flag.created_at,
            sla_due=flag.created_at + DUPLICATE_SLA,
            next_action=str(_("One person or two?")),
        )


def _stuck(actor: Actor) -> Iterable[QueueRow]:
    for session in onboarding_stuck(actor=actor).filter(failed_attempts__gte=STUCK_ATTEMPTS):
        yield QueueRow(
            label=f"{session.client.number}: {session.last_problem}",
            url=reverse("admin:clients_onboardingsession_change", args=[session.pk]),
            since=session.step_entered_at,
            next_action=str(_("Give a hand")),
        )


def _funnel(actor: Actor) -> dict[str, Any]:
    """How far those got who registered within seven days."""
    since = clock.now() - timedelta(days=7)
    recent = Client.objects.visible_to(actor).filter(created_at__gte=since)
    sessions = OnboardingSession.objects.filter(client__in=recent)
    steps = [
        (_("Registered"), recent.count()),
        (_("Address confirmed"), recent.exclude(email_confirmed_at=None).count()),
        (_("Questions answered"), sessions.exclude(submitted_at=None).count()),
        (_("Active"), recent.filter(lifecycle=Lifecycle.ACTIVE).count()),
    ]
    most = max((count for _label, count in steps), default=0)
    return {
        "steps": [
            {"label": label, "count": count, "percent": 100 * count // most if most else 0}
            for label, count in steps
        ]
    }


register_panel("clients.Client", TimelinePanel, order=900)
register_timeline("messages", _("Messages"), _messages)
register_queue("clients.duplicates", _("Possible duplicates"), RESOLVE_DUPLICATE, _duplicates)
register_queue("clients.stuck", _("Applicants who are stuck"), VIEW_ONBOARDING, _stuck)
register_home_card(
    HomeCard(
        code="clients.funnel",
        title=_("Registrations of the last seven days"),
        template="clients/panels/funnel.html",
        context=_funnel,
        permission=VIEW_CLIENTS,
        order=20,
    )
)
