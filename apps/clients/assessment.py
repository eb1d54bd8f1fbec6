"""What of a client's data may go and what must stay, class by class, with the reason and the day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F

from apps.clients.enums import KycStatus, Lifecycle, RetentionStart
from apps.clients.models import Client, ClientLogin, Erasure, LegalHold, RetentionRule
from apps.core import clock
from apps.core.privacy.registry import DataClass, Subject

OPEN = frozenset({Lifecycle.ACTIVE, Lifecycle.DORMANT, Lifecycle.OFFBOARDING})
NO_DUTY = "No business relationship began, so no law asks us to keep it."
UNPROVEN = frozenset({KycStatus.NOT_STARTED, KycStatus.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One class of data: whether it may go now, and if not, why and until when (None: while the relationship lasts)."""

    data_class: str
    may_go: bool
    until: date | None
    basis: str
    source: str
    erased: bool = False

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "until": self.until.isoformat() if self.until else None}


def subject_of(client: Client) -> Subject:
    """The client as the walkers know them; the person goes whole when no other relationship is left."""
    logins = ClientLogin.objects.filter(client=client).select_related("user")
    shared = ClientLogin.objects.filter(user__in=[login.user_id for login in logins])
    theirs = set(shared.exclude(client=client).values_list("user_id", flat=True))
    users = [login.user for login in logins if not login.user.is_staff]
    others = Client.objects.filter(person_id=client.person_id).exclude(pk=client.pk)
    erased = Erasure.objects.filter(data_class=DataClass.IDENTITY, client__in=others)
    emails = {client.person.email, *(user.email for user in users)} - {""}
    return Subject(
        client_id=client.pk,
        person_id=client.person_id,
        user_ids=tuple(sorted(user.pk for user in users if user.pk not in theirs)),
        emails=tuple(sorted(emails)),
        number=client.number,
        whole_person=others.count() == erased.values("client").distinct().count(),
    )


def on_hold(client_id: UUID) -> bool:
    return LegalHold.objects.filter(client_id=client_id, lifted_at=None).exists()


def retention_rules(client: Client) -> dict[str, RetentionRule]:
    """The rule of each class: the company's own one before the common one."""
    rows = RetentionRule.objects.filter(entity=None) | RetentionRule.objects.filter(
        entity_id=client.entity_id
    )
    ordered = rows.order_by(F("entity").asc(nulls_first=True))
    return {rule.data_class: rule for rule in ordered}


def assess(client: Client, *, on: date | None = None) -> list[Verdict]:
    """Every class in the order of `DataClass`. A class without a rule stays: nobody has decided that it may go."""
    today = on or clock.now().date()
    rules = retention_rules(client)
    gone = set(Erasure.objects.filter(client=client).values_list("data_class", flat=True))
    return [
        _verdict(client, data_class, rules.get(data_class), today, erased=data_class in gone)
        for data_class in DataClass.values
    ]


def _verdict(
    client: Client, data_class: str, rule: RetentionRule | None, today: date, *, erased: bool
) -> Verdict:
    if rule is None:
        return Verdict(data_class, False, None, "No rule allows it yet.", "", erased)
    if rule.starts == RetentionStart.NOW:
        return Verdict(data_class, True, None, rule.basis, rule.source, erased)
    if client.lifecycle in OPEN:
        return Verdict(data_class, False, None, rule.basis, rule.source, erased)
    if data_class != DataClass.RECORDS and not under_duty(client):
        return Verdict(data_class, True, None, NO_DUTY, "GDPR Art. 17(1)(a)", erased)
    until = years_after(client.closed_at.date() if client.closed_at else today, rule.years)
    return Verdict(data_class, until <= today, until, rule.basis, rule.source, erased)


def under_duty(client: Client) -> bool:
    """Whether a business relationship ever began, or identity was examined: then the statutory terms run."""
    return client.activated_at is not None or client.kyc_status not in UNPROVEN


def years_after(day: date, years: int) -> date:
    """The same day that many years later; 29 February counts as 28."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
