"""Publishing documents and keeping the proof that somebody accepted them."""

from __future__ import annotations

import hashlib
from uuid import UUID

from apps.clients.errors import AgreementSuperseded
from apps.clients.locks import client_locked
from apps.clients.models import Agreement, AgreementAcceptance, Client, LegalEntity
from apps.clients.permissions import ONBOARD_OWN
from apps.clients.selectors import agreements_of
from apps.core import clock
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.context import current_request
from apps.core.errors import Conflict, NotVisible


def digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def agreement_publish(
    *,
    entity: LegalEntity,
    code: str,
    version: int,
    title: str,
    body: str,
    required: bool,
    actor: Actor,
    language: str = "en",
) -> Agreement:
    """Put a version in force. The same text again changes nothing; another text under a published
    version raises `Conflict`, because people have accepted that one. Runs inside a transaction."""
    key = {"entity": entity, "code": code, "version": version, "language": language}
    held = Agreement.objects.filter(**key).first()
    if held is not None:
        if held.body_sha256 != digest(body):
            raise Conflict
        return held
    agreement = Agreement(
        **key,
        title=title,
        body=body,
        body_sha256=digest(body),
        required=required,
        in_force_from=clock.now(),
    )
    agreement.save_as(actor, "published", action="agreement.publish")
    return agreement


def record_acceptance(client: Client, agreement: Agreement, *, actor: Actor) -> None:
    """The proof: which text, when, from where. A second acceptance of one text changes nothing."""
    request = current_request()
    _row, created = AgreementAcceptance.objects.get_or_create(
        client=client,
        agreement=agreement,
        defaults={
            "body_sha256": agreement.body_sha256,
            "accepted_at": clock.now(),
            "accepted_by": actor.id,
            "ip": actor.ip or request.ip,
            "user_agent": request.user_agent[:300],
        },
    )
    if created:
        audit(
            actor=actor,
            action="agreement.accept",
            subject=agreement,
            client_id=client.id,
            after={"version": agreement.version, "sha256": agreement.body_sha256},
        )


@command
def agreement_accept(*, client_id: UUID, agreement_id: UUID, actor: Actor) -> None:
    """A client accepts the version in force, for instance after a new one was published.

    Raises `NotVisible`, `NotAllowed`, `AgreementSuperseded`.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(ONBOARD_OWN, client)
    agreement = Agreement.objects.filter(pk=agreement_id, entity=client.entity_id).first()
    if agreement is None:
        raise NotVisible
    if agreement.id not in {item.id for item in agreements_of(client)}:
        raise AgreementSuperseded(agreement=agreement.title)
    record_acceptance(client, agreement, actor=actor)
