"""Cards about people and roles, and the work that access leaves waiting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission as PermissionRow
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.panels import Panel, QueueRow, register_queue
from apps.core.permissions import REGISTRY
from apps.users.duties import conflicts_of
from apps.users.leaving import leftovers_of
from apps.users.models import AccessReview, AccessReviewLine, Role, RoleGrant, User
from apps.users.permissions import REVIEW_ACCESS, VIEW_GRANTS
from apps.users.roles import declared_roles


class GrantsPanel(Panel):
    """What this person holds, held and will hold, and which duties do not go together."""

    title = _("Roles")
    template = "users/panels/grants.html"
    permission = VIEW_GRANTS

    def context(self, obj: User, actor: Actor) -> dict[str, Any]:
        grants = list(RoleGrant.objects.filter(user=obj).select_related("role"))
        held = [grant.role.name for grant in grants if grant.state == "ACTIVE"]
        direct = PermissionRow.objects.filter(user=obj).count()
        return {"grants": grants, "conflicts": conflicts_of(held), "direct": direct}


class LeftoversPanel(Panel):
    """What waits for this person: to be handed on when they leave."""

    title = _("Waits for this person")
    template = "users/panels/leftovers.html"

    def context(self, obj: User, actor: Actor) -> dict[str, Any] | None:
        if not obj.is_staff:
            return None
        found = leftovers_of(obj, actor)
        return {"leftovers": found, "left": obj.left_at} if found else None


class PermissionsPanel(Panel):
    """What the role may do, in words, by part of the house."""

    title = _("May do")
    template = "users/panels/permissions.html"

    def context(self, obj: Role, actor: Actor) -> dict[str, Any]:
        by_app: dict[str, list[str]] = {}
        rows = obj.permissions.values_list("content_type__app_label", "codename", "name")
        for app, name, label in rows:
            code = f"{app}.{name}"
            if code in REGISTRY:
                by_app.setdefault(app, []).append(str(REGISTRY[code].label))
            elif name.startswith("view_"):
                by_app.setdefault(app, []).append(str(label).replace("Can view", str(_("See"))))
        return {"apps": {app: sorted(words) for app, words in sorted(by_app.items())}}


class HoldersPanel(Panel):
    """Who holds the role now, and until when."""

    title = _("Held by")
    template = "users/panels/holders.html"
    permission = VIEW_GRANTS

    def context(self, obj: Role, actor: Actor) -> dict[str, Any]:
        grants = RoleGrant.objects.in_force().filter(role_id=obj.pk).visible_to(actor)
        return {"grants": list(grants.filter(user__is_staff=True).select_related("user")[:200])}


class DifferencePanel(Panel):
    """Where the database and the data file disagree about this role."""

    title = _("Compared with the data file")
    template = "users/panels/difference.html"

    def context(self, obj: Role, actor: Actor) -> dict[str, Any]:
        wanted, held = role_difference(obj)
        return {"missing": wanted, "extra": held}


def role_difference(role: Role) -> tuple[list[str], list[str]]:
    """What the file gives and the database does not, and the other way round; the administrator's is everything."""
    declared = declared_roles().get(role.name, [])
    rows = role.permissions.all()
    held = {f"{row.content_type.app_label}.{row.codename}" for row in rows}
    wanted = set(REGISTRY) if declared == ["*"] else set(declared)
    extra = set() if declared == ["*"] else held - wanted
    return sorted(wanted - held), sorted(extra)


class ReviewLines(Panel):
    """Every line, those to decide first."""

    title = _("Lines")
    template = "users/panels/review_lines.html"

    def context(self, obj: AccessReview, actor: Actor) -> dict[str, Any]:
        lines = AccessReviewLine.objects.visible_to(actor).filter(review=obj)
        rows = sorted(
            lines.select_related("user", "decided_by"),
            key=lambda line: (line.decision != "OPEN", str(line.user), line.role),
        )
        return {"lines": rows, "may": actor.allows(REVIEW_ACCESS), "me": actor.user_id}


def reviews_waiting(actor: Actor) -> Iterable[QueueRow]:
    """Open reviews with lines that this person may still decide; late ones press."""
    mine = Q(lines__decision="OPEN") & ~Q(lines__user_id=actor.user_id)
    open_ones = AccessReview.objects.filter(state=AccessReview.State.OPEN)
    for review in open_ones.annotate(waiting=Count("lines", filter=mine)):
        late = review.due_at <= clock.now()
        yield QueueRow(
            label=str(_("Access review {code}: {count} lines")).format(
                code=review.code, count=review.waiting
            ),
            url=reverse("admin:users_accessreview_change", args=[review.pk]),
            since=review.created_at,
            sla_due=review.due_at,
            severity="high" if late else "normal",
            next_action=str(_("Keep or revoke each line") if review.waiting else _("Sign")),
        )


register_queue("users.access_review", _("Access reviews"), REVIEW_ACCESS, reviews_waiting)
