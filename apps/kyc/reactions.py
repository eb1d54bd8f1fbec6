"""What a case does when its client moves, and the mail that its own events cause."""

from __future__ import annotations

from uuid import UUID

from apps.clients.enums import Lifecycle
from apps.clients.events import ClientLifecycleChanged, OnboardingSubmitted
from apps.clients.models import Client
from apps.core.actor import Actor
from apps.core.events import reacts_to
from apps.core.mail import send_mail_later
from apps.kyc.events import KycRejected, KycResubmissionRequested
from apps.kyc.models import KycCase
from apps.kyc.services import case_open, case_withdraw


@reacts_to(OnboardingSubmitted)
def open_case(event: OnboardingSubmitted) -> None:
    case_open(client_id=event.client_id, actor=Actor.system("kyc"))


@reacts_to(ClientLifecycleChanged)
def withdraw_case(event: ClientLifecycleChanged) -> None:
    if event.lifecycle == Lifecycle.REJECTED:
        case_withdraw(
            client_id=event.client_id, actor=Actor.system("kyc"), reason="application ended"
        )


@reacts_to(KycResubmissionRequested, atomic=False)
def mail_something_to_do(event: KycResubmissionRequested) -> None:
    _mail(event.client_id, event.case_id, "kyc/mail/something_to_do")


@reacts_to(KycRejected, atomic=False)
def mail_rejected(event: KycRejected) -> None:
    _mail(event.client_id, event.case_id, "kyc/mail/rejected")


def _mail(client_id: UUID, case_id: UUID, template: str) -> None:
    client = Client.objects.select_related("person", "entity").get(pk=client_id)
    case = KycCase.objects.get(pk=case_id)
    send_mail_later(
        to=client.person.email,
        template=template,
        context={"client": client, "case": case, "entity": client.entity},
        language=client.language,
    )
