"""Looking at the whole of a masked field: with a purpose, written down, and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.core.masks import personal_fields
from apps.core.models import AuditRecord
from apps.core.panels import HomeCard, register_home_card
from apps.core.permissions import REVEAL_PERSONAL, VIEW_AUDIT

ACTION = "personal.reveal"
SHORTEST_PURPOSE = 5
DAY = timedelta(days=1)
SHOWN = 5


def personal_subject(label: str, pk: Any, field: str, *, actor: Actor) -> models.Model:
    """The row whose personal field is asked for, within the actor's scope.

    Raises `NotVisible` for a row that is absent or out of scope and for a field that is not personal,
    `NotAllowed` for somebody whose role does not open the page where the field stands.
    """
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise NotVisible from error
    if f"{model._meta.label}.{field}" not in personal_fields():
        raise NotVisible
    actor.require(permission_to_see(model))
    rows: Any = model._default_manager.all()
    if not hasattr(rows, "visible_to"):
        raise NotVisible
    try:
        found = rows.visible_to(actor).filter(pk=pk).first()
    except (ValidationError, ValueError) as error:
        raise NotVisible from error
    if found is None:
        raise NotVisible
    return found  # type: ignore[no-any-return]


def permission_to_see(model: type[models.Model]) -> str:
    """What opens the page on which this model's fields stand."""
    meta = model._meta
    default = f"{meta.app_label}.view_{meta.model_name}"
    return str(getattr(model, "personal_permission", default))


@command
def personal_reveal(*, subject: models.Model, field: str, purpose: str, actor: Actor) -> Any:
    """The whole value of one personal field. Raises `NotAllowed`, `NotVisible`, `InvalidInput` without a purpose.

    The trail keeps who looked at which field of whom and what for, never the value.
    """
    actor.require(REVEAL_PERSONAL)
    row = personal_subject(subject._meta.label, subject.pk, field, actor=actor)
    if len(purpose.strip()) < SHORTEST_PURPOSE:
        raise InvalidInput(field="purpose", problem=_("say what for"))
    audit(
        actor=actor,
        action=ACTION,
        subject=row,
        client_id=getattr(row, "audit_client_id", None),
        after={"field": field},
        reason=purpose.strip(),
    )
    value = getattr(row, field)
    return (
        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else value
    )


def reveals_by(actor: Actor, within: timedelta = DAY) -> int:
    """How many fields this person has looked at lately."""
    rows = AuditRecord.objects.filter(action=ACTION, actor_id=actor.id)
    return rows.filter(at__gt=clock.now() - within).count()


def reveal_rates(actor: Actor, within: timedelta = 7 * DAY) -> list[dict[str, Any]]:
    """Who looked at how many fields lately, the most first, among the clients in the actor's scope."""
    rows = AuditRecord.objects.visible_to(actor).filter(action=ACTION, at__gt=clock.now() - within)
    day = models.Q(at__gt=clock.now() - DAY)
    counted = rows.values("actor_id", "actor_label").annotate(
        week=Count("pk"), today=Count("pk", filter=day), last=Max("at"),
        clients=Count("client_id", distinct=True),
    )  # fmt: skip
    return list(counted.order_by("-week", "actor_id"))


def _card(actor: Actor) -> dict[str, Any]:
    return {"rates": reveal_rates(actor)[:SHOWN]}


register_home_card(
    HomeCard(
        code="core.reveals",
        title=gettext_lazy("Personal data looked at"),
        template="admin/panels/reveals.html",
        context=_card,
        permission=VIEW_AUDIT,
        order=80,
    )
)
