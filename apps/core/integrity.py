"""The state of the audit trail as people see it: when it was last sealed, signed and proven, and what was found."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from apps.core import clock, sealing
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.heads import Head, head_sign, heads_kept
from apps.core.models import AuditHead, AuditRecord, AuditSeal
from apps.core.signing import SigningKeyMissing
from apps.core.verification import Break, verify

log = logging.getLogger(__name__)

VERIFIED = "audit.verify"
SYSTEM = Actor.system("audit")
_KEPT = 50


@dataclass(frozen=True, slots=True)
class IntegrityStatus:
    sealed: int
    waiting: int
    last_seal: datetime | None
    last_head: AuditHead | None
    last_verified: datetime | None
    breaks: int
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def tone(self) -> str:
        if self.breaks:
            return "bad"
        return "good" if self.last_verified and self.last_head else "warn"


def integrity_verify(*, given: Iterable[Head] = (), actor: Actor = SYSTEM) -> list[Break]:
    """Seal what waits, prove the whole trail, and write down that it was proven and what was found.

    `given` are heads that someone kept elsewhere; those of the database and of `AUDIT_HEADS` always count.
    """
    sealing.seal_all(reach=None)
    breaks = list(verify(heads_kept(given)))
    sealed, _waiting = sealing.sealed_and_waiting()
    audit(
        actor=actor,
        action=VERIFIED,
        after={
            "sealed": sealed,
            "breaks": len(breaks),
            "findings": [
                {
                    "kind": str(found.kind),
                    "record_id": found.record_id,
                    "position": found.position,
                    "detail": found.detail,
                }
                for found in breaks[:_KEPT]
            ],
        },
        reason="the trail was proven" if not breaks else "the trail does not prove itself",
    )
    return breaks


def integrity_status() -> IntegrityStatus:
    """Four short queries, whatever the length of the trail."""
    sealed, waiting = sealing.sealed_and_waiting()
    last_seal = AuditSeal.objects.order_by("-position").values_list("sealed_at", flat=True).first()
    last = AuditRecord.objects.filter(action=VERIFIED).order_by("-id").first()
    told: dict[str, Any] = last.after if last else {}
    return IntegrityStatus(
        sealed=sealed,
        waiting=waiting,
        last_seal=last_seal,
        last_head=AuditHead.objects.first(),
        last_verified=last.at if last else None,
        breaks=int(told.get("breaks", 0)),
        findings=tuple(told.get("findings", ())),
    )


def integrity_nightly() -> list[Break]:
    """Prove the trail, then sign its head and send it to whoever keeps it. A broken trail is signed no more.

    Signing what does not prove itself would vouch for it.
    """
    breaks = integrity_verify()
    if breaks:
        log.error("the audit trail is broken", extra={"breaks": len(breaks)})
        return breaks
    sealing.seal_all()
    try:
        head = head_sign()
    except SigningKeyMissing:
        log.exception("the head of the audit trail could not be signed")
        return breaks
    if head is not None and settings.AUDIT_HEADS_MAIL:
        EmailMessage(
            subject=f"Audit head {head.position}, {clock.now():%Y-%m-%d}",
            body=head.line() + "\n",
            to=[settings.AUDIT_HEADS_MAIL],
        ).send()
    return breaks
