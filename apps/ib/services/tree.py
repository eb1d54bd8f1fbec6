"""Who stands under whom and whose client is whose, always from a date on, never rewriting what was earned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from apps.clients.models import Client
from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotVisible
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval
from apps.ib.calculations import Edge, closes_a_cycle
from apps.ib.enums import AttributionSource
from apps.ib.errors import AttributionLocked, SelfReferral, TreeCycle, TreeOverlap
from apps.ib.events import ClientAttributed
from apps.ib.locks import partner_locked, tree_locked
from apps.ib.models import Attribution, Click, Partner, ReferralLink, TreeEdge
from apps.ib.permissions import MANAGE_TREE
from apps.ib.selectors import attribution_at, tree_edges

MOVE_CLIENT = "ib.client_move"


@command
def partner_move(
    *,
    partner_id: UUID,
    actor: Actor,
    reason: str,
    parent_id: UUID | None = None,
    valid_from: datetime | None = None,
) -> TreeEdge | None:
    """Put a partner with everybody below it under another one from a moment on, or at the top.

    Deals before that moment keep their beneficiaries. Raises `TreeCycle`, `TreeOverlap`.
    """
    actor.require(MANAGE_TREE)
    tree_locked()
    partner = partner_locked(partner_id, visible_to=actor)
    parent = partner_locked(parent_id, visible_to=actor) if parent_id else None
    start = valid_from or clock.now()
    if parent is not None:
        _require_tree(partner, parent, start)
    current = TreeEdge.objects.at(start).filter(child=partner).first()
    if TreeEdge.objects.filter(child=partner, valid_from__gt=start).exists() or (
        current is not None and current.valid_from == start
    ):
        raise TreeOverlap(child=partner.code)
    if current is not None:
        current.valid_to = start
        current.save_as(actor, reason, action="partner.leave")
    if parent is None:
        return None
    edge = TreeEdge(parent=parent, child=partner, valid_from=start)
    edge.save_as(actor, reason, action="partner.place")
    return edge


def _require_tree(child: Partner, parent: Partner, start: datetime) -> None:
    new = Edge(parent=str(parent.id), child=str(child.id), valid_from=start)
    if closes_a_cycle(new=new, edges=tree_edges()):
        raise TreeCycle(child=child.code, parent=parent.code)


@command
def client_attribute(
    *, client_id: UUID, partner_code: str, actor: Actor, reason: str = "registered with a code"
) -> Attribution | None:
    """Note at registration who introduced the client. A code that nobody has, or a client who is somebody's
    already, changes nothing: the first one keeps the client."""
    client = lock_row(Client.objects.all(), client_id)
    partner = partner_by_code(partner_code)
    at = clock.now()
    if partner is None or partner.client_id == client.id or attribution_at(client.id, at):
        return None
    return _attribute(client.id, partner, AttributionSource.LINK, at, actor, reason)


def partner_by_code(code: str) -> Partner | None:
    """The partner behind its own code or that of one of its links."""
    code = code.strip().lower()
    if not code:
        return None
    link = ReferralLink.objects.filter(code=code, active=True).select_related("partner").first()
    return link.partner if link else Partner.objects.filter(code=code).first()


@command
def client_move(
    *,
    client_id: UUID,
    partner_id: UUID,
    actor: Actor,
    reason: str,
    valid_from: datetime | None = None,
) -> Attribution:
    """Give a client to another partner from a moment on. Raises `AttributionLocked` after the first deposit:
    then somebody else must agree, see `client_move_request`."""
    actor.require(MANAGE_TREE)
    client = lock_row(Client.objects.all(), client_id, visible_to=actor)
    partner = partner_locked(partner_id, visible_to=actor)
    held = attribution_at(client.id, clock.now())
    if held is not None and held.locked:
        raise AttributionLocked
    return _move(client, partner, valid_from or clock.now(), actor, reason)


@command
def client_move_request(
    *,
    client_id: UUID,
    partner_id: UUID,
    actor: Actor,
    reason: str,
    valid_from: datetime | None = None,
) -> Approval:
    """Ask another person to give a client, who has deposited, to another partner."""
    actor.require(MANAGE_TREE)
    client = lock_row(Client.objects.select_related("entity"), client_id, visible_to=actor)
    partner = partner_locked(partner_id, visible_to=actor)
    return approval_request(
        action=MOVE_CLIENT,
        title=_("Move client %(client)s to partner %(partner)s")
        % {"client": client.number, "partner": partner.code},
        payload={
            "client_id": str(client.id),
            "partner_id": str(partner.id),
            "valid_from": (valid_from or clock.now()).isoformat(),
        },
        permission=MANAGE_TREE,
        actor=actor,
        reason=reason,
        subject=partner,
        entity=client.entity.code,
        desk_id=client.desk_id,
        client_id=client.id,
        beneficiary_ids=[client.id, partner.id, partner.client_id],
    )


def attribution_move(
    *,
    attribution_id: UUID,
    partner_id: UUID,
    actor: Actor,
    reason: str,
    valid_from: datetime | None = None,
) -> Attribution | Approval:
    """Give the client of an attribution to another partner: at once, or after a second person agreed when the client
    has deposited."""
    held = Attribution.objects.visible_to(actor).filter(pk=attribution_id).first()
    if held is None:
        raise NotVisible
    hand_over = client_move_request if held.locked else client_move
    return hand_over(
        client_id=held.client_id,
        partner_id=partner_id,
        actor=actor,
        reason=reason,
        valid_from=valid_from,
    )


@approves(MOVE_CLIENT)
def _client_moved(approval: Approval, *, actor: Actor) -> None:
    client = lock_row(Client.objects.all(), UUID(approval.payload["client_id"]))
    partner = Partner.objects.get(pk=approval.payload["partner_id"])
    start = datetime.fromisoformat(approval.payload["valid_from"])
    _move(client, partner, start, actor, approval.reason)


def _move(
    client: Client, partner: Partner, start: datetime, actor: Actor, reason: str
) -> Attribution:
    if partner.client_id == client.id:
        raise SelfReferral
    held = attribution_at(client.id, start)
    if held is not None and held.valid_from >= start:
        raise InvalidInput(field="valid_from", problem=_("the present partner starts then"))
    first_deposit = None
    if held is not None:
        held.valid_to = start
        held.save_as(actor, reason, action="client.leave_partner")
        first_deposit = held.first_deposit_at
    return _attribute(
        client.id,
        partner,
        AttributionSource.MOVE,
        start,
        actor,
        reason,
        first_deposit=first_deposit,
    )


def _attribute(
    client_id: UUID,
    partner: Partner,
    source: AttributionSource,
    start: datetime,
    actor: Actor,
    reason: str,
    *,
    first_deposit: datetime | None = None,
) -> Attribution:
    attribution = Attribution(
        client_id=client_id,
        partner=partner,
        source=source,
        valid_from=start,
        registered_at=start if source == AttributionSource.LINK else None,
        first_deposit_at=first_deposit,
    )
    attribution.save_as(actor, reason, action="client.attribute")
    emit(
        ClientAttributed(client_id=client_id, partner_id=partner.id, attribution_id=attribution.id)
    )
    return attribution


@command
def attribution_lock(*, client_id: UUID, at: datetime, actor: Actor) -> Attribution | None:
    """The client's first deposit binds the attribution; a later one changes nothing."""
    lock_row(Client.objects.all(), client_id)
    held = attribution_at(client_id, at)
    if held is None or held.locked:
        return None
    held = lock_row(Attribution.objects.all(), held.pk)
    held.first_deposit_at = at
    held.save_as(actor, "first deposit", action="client.attribution_lock")
    return held


@command
def click_record(*, code: str, visitor: str, actor: Actor) -> ReferralLink | None:
    """Count a visit through a link; None when there is no such link."""
    link = (
        ReferralLink.objects.filter(code=code.lower(), active=True)
        .select_related("partner")
        .first()
    )
    if link is None:
        return None
    Click.objects.create(link=link, partner=link.partner, visitor=visitor, at=clock.now())
    return link
