"""What a case does when its client moves, and the mail that its own events cause."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.clients.enums import Lifecycle
from apps.clients.events import ClientLifecycleChanged, OnboardingSubmitted
from apps.clients.messages import mail_client, notify_client, page
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to
from apps.kyc.enums import DocumentState
from apps.kyc.events import KycApproved, KycRejected, KycResubmissionRequested
from apps.kyc.messages import APPROVED, DECIDED, REJECTED, SOMETHING_TO_DO
from apps.kyc.models import KycCase
from apps.kyc.services import case_open, case_withdraw

SYSTEM = Actor.system("kyc")


@reacts_to(OnboardingSubmitted)
def open_case(event: OnboardingSubmitted) -> None:
    case_open(client_id=event.client_id, actor=Actor.system("kyc"))


@reacts_to(ClientLifecycleChanged)
def withdraw_case(event: ClientLifecycleChanged) -> None:
    if event.lifecycle == Lifecycle.REJECTED:
        case_withdraw(
            client_id=event.client_id, actor=Actor.system("kyc"), reason="application ended"
        )


@reacts_to(KycResubmissionRequested, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_something_to_do(event: KycResubmissionRequested) -> None:
    """With the reasons that are written for the client, and no others."""
    case = KycCase.objects.get(pk=event.case_id)
    client = Client.objects.only("language").get(pk=event.client_id)
    refused = case.documents.filter(state=DocumentState.REJECTED).order_by("created_at")
    with translation.override(client.language):
        reasons = [
            f"{row.get_kind_display()}: {row.get_reject_reason_display()}" for row in refused
        ]
    values = {
        "requested": "\n".join(reasons),
        "comment": case.client_comment,
        "link": page("portal:kyc-status"),
    }
    mail_client(SOMETHING_TO_DO, client_id=event.client_id, values=values)


@reacts_to(KycApproved, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_approved(event: KycApproved) -> None:
    mail_client(APPROVED, client_id=event.client_id, values={"link": page("portal:kyc-status")})


@reacts_to(KycRejected, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_rejected(event: KycRejected) -> None:
    mail_client(REJECTED, client_id=event.client_id, values={})


@reacts_to(KycResubmissionRequested)
def notify_something_to_do(event: KycResubmissionRequested) -> None:
    _notify(event.client_id, _("Something more is needed for your verification"))


@reacts_to(KycApproved)
def notify_approved(event: KycApproved) -> None:
    _notify(event.client_id, _("Your documents are approved"))


@reacts_to(KycRejected)
def notify_rejected(event: KycRejected) -> None:
    _notify(event.client_id, _("Your application was decided"))


def _notify(client_id: UUID, title: Any) -> None:
    notify_client(
        client_id, kind=DECIDED, title=title, url=reverse("portal:kyc-status"), actor=SYSTEM
    )
