"""The right to be forgotten, as far as the law allows: asked, assessed, agreed to by a second person, proven."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.clients.assessment import Verdict, assess, on_hold, subject_of
from apps.clients.enums import PrivacyRequestKind, PrivacyRequestState
from apps.clients.errors import NothingMayGo, PrivacyRequestOpen
from apps.clients.events import ClientErased, PrivacyRequested
from apps.clients.locks import client_locked
from apps.clients.models import Client, Erasure, PrivacyRequest
from apps.clients.permissions import APPROVE_ERASURE, MANAGE_PRIVACY, PRIVACY_OWN
from apps.clients.services.lifecycle import application_reject
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.approvals import approval_request, approves
from apps.core.commands import command
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval
from apps.core.privacy.destruction import destroy_keys
from apps.core.privacy.keys import Keep
from apps.core.privacy.registry import SEALED_BY, Subject, erase_class

ANSWER_WITHIN = timedelta(days=30)


@command
def erasure_request(*, client_id: UUID, actor: Actor, reason: str) -> PrivacyRequest:
    """Ask that everything which may go does. What must stay is said with its reason and day.

    Raises `NotVisible`, `NotAllowed`, `PrivacyRequestOpen` while an earlier request is open, and `NothingMayGo` when
    the law or the running contract keeps all of it.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(PRIVACY_OWN if actor.kind is ActorKind.CLIENT else MANAGE_PRIVACY, client)
    require_none_open(client, PrivacyRequestKind.ERASURE)
    verdicts = assess(client)
    if not any(verdict.may_go for verdict in verdicts):
        raise NothingMayGo
    request = PrivacyRequest(
        client=client,
        kind=PrivacyRequestKind.ERASURE,
        asked_by=actor.id,
        due_at=clock.now() + ANSWER_WITHIN,
        assessment=[verdict.plain() for verdict in verdicts],
    )
    request.save_as(actor, reason, action="privacy.erasure_request")
    approval = approval_request(
        action="clients.erase",
        title=f"Erase client {client.number}",
        payload={"request_id": request.pk, "client_id": client.pk},
        permission=APPROVE_ERASURE,
        actor=actor,
        reason=reason,
        subject=request,
        entity=client.entity.code,
        desk_id=client.desk_id,
        client_id=client.pk,
        expires_in=ANSWER_WITHIN,
    )
    request.propose(approval.pk, by=actor, reason=reason)
    request.save_as(actor, reason, action="privacy.propose")
    emit(PrivacyRequested(request_id=request.pk, client_id=client.pk, kind=request.kind))
    return request


def require_none_open(client: Client, kind: str) -> None:
    rows = PrivacyRequest.objects.filter(client=client, kind=kind)
    states = [PrivacyRequestState.REQUESTED, PrivacyRequestState.PENDING_APPROVAL]
    if rows.filter(state__in=states).exists():
        raise PrivacyRequestOpen


def _declined(approval: Approval, *, actor: Actor) -> None:
    request = lock_row(PrivacyRequest.objects.all(), UUID(approval.payload["request_id"]))
    request.refuse(by=actor, reason="not agreed to")
    request.save_as(actor, "not agreed to", action="privacy.refuse")


@approves("clients.erase", on_reject=_declined)
def _erase(approval: Approval, *, actor: Actor) -> None:
    """Runs with the last vote. The law is asked again, because months may have passed."""
    client = client_locked(UUID(approval.payload["client_id"]), visible_to=actor)
    request = lock_row(PrivacyRequest.objects.all(), UUID(approval.payload["request_id"]))
    if on_hold(client.pk):
        raise NothingMayGo
    application_reject(client, actor=actor, reason="asked to be forgotten")
    verdicts = assess(client)
    proof = erase(client, verdicts, actor=actor, basis="request of the person")
    request.assessment = [verdict.plain() for verdict in verdicts]
    request.certificate = certificate(request, client, proof, verdicts, approval, actor)
    request.erase(by=actor, reason=approval.reason)
    request.save_as(actor, approval.reason, action="privacy.erase")


def erase(
    client: Client, verdicts: list[Verdict], *, actor: Actor, basis: str
) -> list[dict[str, Any]]:
    """Erase every class that may go, on a locked client; then destroy the keys that nothing needs.

    What went before goes again, because a message may have come since; it enters the proof only when something
    had. Answers the proof, without a name in it. Raises `NothingMayGo` under a legal hold.
    """
    if on_hold(client.pk):
        raise NothingMayGo
    due = [verdict.data_class for verdict in verdicts if verdict.may_go]
    if not due:
        return []
    subject = subject_of(client)
    touched = {data_class: erase_class(data_class, subject) for data_class in due}
    before = {verdict.data_class for verdict in verdicts if verdict.erased}
    keys = _destroy_unneeded(subject, before | set(due))
    proved = [name for name in due if name not in before or any(touched[name].values())]
    if not proved:
        return []
    proof = []
    for data_class in proved:
        row = Erasure.objects.create(
            client=client,
            data_class=data_class,
            by=actor.id,
            basis=basis,
            rows=touched[data_class],
            keys=keys.get(SEALED_BY.get(data_class, Keep.ERASABLE), []),
        )
        proof.append({"class": data_class, "rows": row.rows, "keys": row.keys})
    emit(ClientErased(client_id=client.pk, classes=proved))
    return proof


def _destroy_unneeded(subject: Subject, gone: set[str]) -> dict[Keep, list[str]]:
    """A key goes when the last class that it seals has gone."""
    destroyed: dict[Keep, list[str]] = {}
    for keep in (Keep.ERASABLE, Keep.STATUTORY):
        if any(
            sealed == keep and data_class not in gone for data_class, sealed in SEALED_BY.items()
        ):
            continue
        owners = [subject.client_id] + ([subject.person_id] if subject.whole_person else [])
        destroyed[keep] = [str(key) for owner in owners for key in destroy_keys(owner, keep)]
    return destroyed


def certificate(
    request: PrivacyRequest,
    client: Client,
    proof: list[dict[str, Any]],
    verdicts: list[Verdict],
    approval: Approval,
    actor: Actor,
) -> dict[str, Any]:
    """What was done, for whoever asks later: numbers and ids, no name."""
    voters = approval.votes.order_by("pk").values_list("voter_id", flat=True)
    return {
        "request": str(request.pk),
        "client": client.number,
        "entity": client.entity.code,
        "asked_at": request.created_at.isoformat(),
        "asked_by": request.asked_by,
        "agreed_by": sorted({actor.id, *voters}),
        "erased_at": clock.now().isoformat(),
        "erased": proof,
        "kept": [
            {
                "class": v.data_class,
                "until": v.plain()["until"],
                "basis": v.basis,
                "source": v.source,
            }
            for v in verdicts
            if not v.may_go
        ],
    }
