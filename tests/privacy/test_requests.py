"""What people may ask about their data, who answers, and every way in which it is refused."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from apps.clients.assessment import assess, subject_of, years_after
from apps.clients.errors import ExportGone, HoldEnded, NothingMayGo, PrivacyRequestOpen
from apps.clients.models import (
    Client,
    Erasure,
    LegalHold,
    Person,
    PrivacyRequest,
    RetentionRule,
    RetentionRun,
)
from apps.clients.queues import open_requests
from apps.clients.services import (
    erasure_request,
    export_fetch,
    export_request,
    exports_expire,
    legal_hold_lift,
    legal_hold_set,
    retention_preview,
    retention_purge,
)
from apps.clients.services.data_export import path_of
from apps.clients.services.erasure import erase
from apps.core import clock
from apps.core.approvals import approval_vote
from apps.core.errors import NotAllowed, NotVisible, SelfApproval, WrongState
from apps.core.models import Approval, AuditRecord, DataKey, Mail
from apps.core.outbox import deliver_all
from apps.core.privacy import keys
from apps.ib.models import Partner
from apps.kyc.models import Document
from apps.kyc.vault import store
from apps.users.models import KnownDevice
from tests.clients import world
from tests.kyc import story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


def agree(role: str = "mlro", verdict: str = "APPROVE") -> None:
    approval = Approval.objects.get(state=Approval.State.PENDING)
    approval_vote(
        approval_id=approval.pk, actor=world.staff(role), verdict=verdict, reason="looked at it"
    )


def asked(client: Client) -> PrivacyRequest:
    return erasure_request(client_id=client.pk, actor=world.acting(client), reason="forget me")


def closed(client: Client) -> Client:
    """A relationship that began and has ended."""
    Client.objects.filter(pk=client.pk).update(
        lifecycle="CLOSED", kyc_status="APPROVED", activated_at=clock.now(), closed_at=clock.now()
    )
    return world.again(client)


def rows() -> dict[str, int]:
    return {
        kind.__name__: kind.objects.count()
        for kind in (PrivacyRequest, Approval, Erasure, LegalHold, RetentionRun, AuditRecord)
    }


class TestErasure:
    def test_an_applicant_who_never_became_a_client_is_forgotten_whole(self):
        client = world.answered()
        document = story.send(client, number="C01X00T47")
        Mail.objects.create(to="Lena@client.example", subject="Welcome", body="Dear Lena Vogel")
        Mail.objects.create(to="omar@client.example", subject="Welcome", body="Dear Omar")
        asked(client)
        agree()
        keys.forget()

        person = Person.objects.get(pk=client.person_id)
        assert (person.full_name, person.email, person.date_of_birth) == ("", "", None)
        assert not Person.objects.filter(email_index="lena@client.example").exists()
        assert not Person.objects.filter(names__blind="vogel").exists()
        assert world.again(client).lifecycle == "REJECTED"
        assert [mail.to for mail in Mail.objects.all()] == ["omar@client.example"]
        user = world.user_of(client)
        assert (user.email, user.name, user.is_active) == (
            f"erased-{user.pk}@erased.invalid",
            "",
            False,
        )
        assert Document.objects.get(pk=document.pk).number == ""
        with pytest.raises(NotVisible):
            store.fetch(document.pk, sha256="")
        subjects = [client.pk, client.person_id]
        assert not DataKey.objects.filter(subject__in=subjects, destroyed_at=None).exists()

    def test_the_certificate_names_nobody_and_says_who_agreed(self):
        client = world.answered()
        request = asked(client)
        agree()

        said = world.again(request).certificate
        assert said["client"] == client.number
        assert "Lena" not in str(said)
        assert said["asked_by"] == request.asked_by
        assert said["agreed_by"] == [world.staff("mlro").id]
        assert [part["class"] for part in said["kept"]] == ["RECORDS"]
        destroyed = {key for part in said["erased"] for key in part["keys"]}
        assert len(destroyed) == 3

    def test_twice_is_once(self):
        client = world.answered()
        asked(client)
        agree()
        before = rows()

        assert (
            erase(
                world.again(client), assess(world.again(client)), actor=world.SYSTEM, basis="again"
            )
            == []
        )
        assert rows() == before

    def test_history_and_trail_say_nothing_that_the_row_no_longer_says(self):
        client = world.answered()
        document = story.send(client, number="C01X00T47", country="FR")
        partner = Partner(code="vogel", name="Vogel Partners", client=client, currency="EUR")
        partner.save_as(world.SYSTEM, "applied")
        user = world.user_of(client)
        KnownDevice.objects.create(user=user, key="k", description="Firefox of Lena")
        asked(client)
        agree()

        assert {row.name for row in partner.history.all()} == {""}
        assert {
            row.citizenship for row in Person.objects.get(pk=client.person_id).history.all()
        } == {""}
        assert {row.country for row in Document.objects.get(pk=document.pk).history.all()} == {""}
        assert not KnownDevice.objects.filter(user=user).exists()
        trail = [
            record.after[name]
            for record in AuditRecord.objects.all()
            for name in ("name", "citizenship", "tax_residence")
            if name in record.after and record.subject_type in ("ib.Partner", "clients.Person")
        ]
        assert trail
        assert [said for said in trail if said and not said.startswith("sealed:")] == []

    def test_a_message_that_came_after_the_erasure_goes_with_the_next_one(self):
        client = closed(world.applicant())
        user_id = world.user_of(client).pk
        asked(client)
        agree()
        late = {"to": "lena@client.example", "subject": "Late", "body": "Dear Lena"}
        Mail.objects.create(**late, user_id=user_id)
        Mail.objects.create(**late, client_id=client.pk)
        Mail.objects.create(to="omar@client.example", subject="Late", body="Dear Omar")

        second = erasure_request(
            client_id=client.pk, actor=world.staff("compliance"), reason="by letter"
        )
        agree()

        assert [mail.to for mail in Mail.objects.all()] == ["omar@client.example"]
        again = world.again(second).certificate["erased"]
        assert [(part["class"], part["rows"]["core.Mail"]) for part in again] == [("MESSAGES", 2)]

    def test_a_client_of_ours_keeps_what_the_contract_and_the_law_need(self):
        client = closed(world.applicant())
        verdicts = {verdict.data_class: verdict for verdict in assess(client)}

        assert {name for name, verdict in verdicts.items() if verdict.may_go} == {
            "CONTACT",
            "LOGIN",
            "MESSAGES",
        }
        assert verdicts["IDENTITY"].until == years_after(clock.now().date(), 5)
        assert "2015/849" in verdicts["IDENTITY"].source
        asked(client)
        agree()
        keys.forget()
        person = Person.objects.get(pk=client.person_id)
        assert (person.first_name, person.email) == ("Lena", "")
        left = DataKey.objects.filter(subject=client.person_id, destroyed_at=None)
        assert [key.keep for key in left] == ["STATUTORY"]

    def test_the_same_person_elsewhere_keeps_the_person(self):
        client = world.answered()
        other = Client.objects.get(pk=world.answered(email="second@client.example", phone="").pk)
        Client.objects.filter(pk=other.pk).update(
            person_id=client.person_id, entity_id=_another_entity(client)
        )
        assert not subject_of(world.again(client)).whole_person
        asked(client)
        agree()
        keys.forget()

        assert Person.objects.get(pk=client.person_id).first_name == "Lena"
        assert DataKey.objects.filter(subject=client.person_id, destroyed_at=None).count() == 2
        assert not DataKey.objects.filter(subject=client.pk, destroyed_at=None).exists()

    def test_asking_twice_is_refused_and_changes_nothing(self):
        client = world.answered()
        asked(client)
        before = rows()
        with pytest.raises(PrivacyRequestOpen):
            asked(client)
        assert rows() == before

    def test_nothing_that_may_go_is_said_so(self):
        client = world.answered()
        RetentionRule.objects.all().delete()
        before = rows()
        with pytest.raises(NothingMayGo):
            asked(client)
        assert rows() == before

    def test_nobody_asks_for_another_and_staff_need_the_permission(self):
        lena, omar = world.answered(), world.answered(email="omar@client.example", phone="")
        before = rows()
        with pytest.raises(NotVisible):
            erasure_request(client_id=lena.pk, actor=world.acting(omar), reason="not mine")
        for service in (erasure_request, export_request):
            with pytest.raises(NotAllowed):
                service(client_id=lena.pk, actor=world.staff("finance"), reason="curious")
        assert rows() == before

    def test_whoever_asked_does_not_agree(self):
        client = world.answered()
        compliance = world.staff("compliance")
        erasure_request(client_id=client.pk, actor=compliance, reason="by letter")
        approval = Approval.objects.get()
        with pytest.raises(SelfApproval):
            approval_vote(approval_id=approval.pk, actor=compliance, verdict="APPROVE", reason="me")
        assert Person.objects.get(pk=client.person_id).first_name == "Lena"

    def test_a_request_that_is_not_agreed_to_ends_and_erases_nothing(self):
        client = world.answered()
        request = asked(client)
        agree(verdict="REJECT")

        assert world.again(request).state == "REFUSED"
        assert Erasure.objects.count() == 0
        assert Person.objects.get(pk=client.person_id).first_name == "Lena"


class TestHold:
    def test_while_it_stands_nothing_is_erased_and_the_client_learns_nothing_of_it(self):
        client = world.answered()
        asked(client)
        legal_hold_set(client_id=client.pk, actor=world.staff("mlro"), reason="a court asks")
        before = rows()
        with pytest.raises(NothingMayGo) as refused:
            agree()
        assert "hold" not in str(refused.value)
        assert rows() == before
        assert Person.objects.get(pk=client.person_id).first_name == "Lena"

    def test_lifting_takes_two_people(self):
        client = world.answered()
        hold = legal_hold_set(client_id=client.pk, actor=world.staff("mlro"), reason="a court asks")
        legal_hold_lift(legalhold_id=hold.pk, actor=world.staff("mlro"), reason="case closed")
        with pytest.raises(SelfApproval):
            agree("mlro")
        assert world.again(hold).lifted_at is None
        agree("compliance")

        assert world.again(hold).lifted_by == world.staff("compliance").id
        with pytest.raises(HoldEnded):
            legal_hold_lift(legalhold_id=hold.pk, actor=world.staff("mlro"), reason="again")
        with pytest.raises(NotAllowed):
            legal_hold_set(client_id=client.pk, actor=world.staff("finance"), reason="curious")


class TestRetention:
    def test_a_hold_set_after_the_preview_keeps_the_data(self):
        first, second = (
            closed(world.applicant()),
            closed(world.applicant(email="b@x.example", phone="")),
        )
        with clock.frozen(clock.now() + timedelta(days=366 * 6)):
            retention_preview(actor=world.SYSTEM)
            run = RetentionRun.objects.get()
            assert {line["number"] for line in run.due} == {first.number, second.number}
            assert retention_preview(actor=world.SYSTEM) is None
            legal_hold_set(client_id=first.pk, actor=world.staff("mlro"), reason="a court asks")
            retention_purge(retentionrun_id=run.pk, actor=world.staff("compliance"), reason="due")
            with pytest.raises(WrongState):
                retention_purge(
                    retentionrun_id=run.pk, actor=world.staff("compliance"), reason="due"
                )
            agree("mlro")
        keys.forget()

        assert {line["number"] for line in world.again(run).purged} == {second.number}
        assert Person.objects.get(pk=first.person_id).first_name == "Lena"
        assert Person.objects.get(pk=second.person_id).first_name == ""
        assert Erasure.objects.filter(client=second, data_class="RECORDS").count() == 0

    def test_messages_go_with_the_contact_though_nobody_asked(self):
        client = closed(world.applicant())
        Mail.objects.create(
            to="lena@client.example", subject="Farewell", body="Dear Lena", client_id=client.pk
        )
        run = retention_preview(actor=world.SYSTEM)
        retention_purge(retentionrun_id=run.pk, actor=world.staff("compliance"), reason="due")
        agree("mlro")

        assert not Mail.objects.filter(to_index="lena@client.example").exists()
        assert {part["class"] for part in world.again(run).purged} == {
            "CONTACT", "LOGIN", "MESSAGES",
        }  # fmt: skip

    def test_nothing_is_due_before_its_day_and_looking_changes_nothing(self):
        closed(world.applicant())
        with clock.frozen(clock.now() + timedelta(days=364 * 5)):
            due = retention_preview(actor=world.SYSTEM)
        assert {line["class"] for line in due.due} == {"CONTACT", "LOGIN"}
        with pytest.raises(NotAllowed):
            retention_preview(actor=world.staff("finance"))

    def test_29_february_ends_on_the_28th(self):
        from datetime import date

        assert years_after(date(2028, 2, 29), 5) == date(2033, 2, 28)
        assert years_after(date(2028, 2, 29), 4) == date(2032, 2, 29)


class TestExport:
    def test_a_copy_lies_sealed_and_is_fetched_once_by_its_person_alone(self):
        lena, omar = world.answered(), world.answered(email="omar@client.example", phone="")
        request = export_request(client_id=lena.pk, actor=world.acting(lena), reason="my right")
        deliver_all()
        assert b"Lena" not in path_of(request.pk).read_bytes()
        for stranger in (world.acting(omar), world.staff("admin"), world.SYSTEM):
            with pytest.raises(NotVisible):
                export_fetch(request_id=request.pk, actor=stranger)

        content = export_fetch(request_id=request.pk, actor=world.acting(lena))

        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert {
            "index.txt",
            "data/clients.person.json",
            "data/clients.onboardingsession.json",
        } <= set(names)
        assert "data/clients.legalhold.json" not in names
        assert AuditRecord.objects.filter(action="privacy.export_fetch").count() == 1
        with pytest.raises(ExportGone):
            export_fetch(request_id=request.pk, actor=world.acting(lena))

    def test_what_nobody_fetched_in_a_week_is_gone(self):
        lena = world.answered()
        request = export_request(client_id=lena.pk, actor=world.acting(lena), reason="my right")
        deliver_all()
        with clock.frozen(clock.now() + timedelta(days=8)):
            with pytest.raises(ExportGone):
                export_fetch(request_id=request.pk, actor=world.acting(lena))
            assert exports_expire(actor=world.SYSTEM) == 1
            assert exports_expire(actor=world.SYSTEM) == 0
        assert world.again(request).state == "EXPIRED"

    def test_staff_may_ask_for_it_with_a_fresh_proof_and_it_waits_with_its_day(self):
        lena = world.answered()
        compliance = world.staff("compliance")
        request = export_request(client_id=lena.pk, actor=compliance, reason="by letter")
        waiting = list(open_requests(compliance))
        assert [(row.label, row.sla_due - row.since) for row in waiting] == [
            (f"{lena.number}: A copy of the data", timedelta(days=30))
        ]
        deliver_all()
        assert list(open_requests(compliance)) == []
        assert world.again(request).state == "READY"


class TestPages:
    def test_the_portal_says_what_is_held_takes_requests_and_hands_the_copy_over(self, client):
        lena = world.answered()
        client.force_login(world.user_of(lena))
        page = reverse("portal:clients-privacy")
        assert "Who you are" in client.get(page).content.decode()

        assert client.post(page, {"act": "export"}, follow=True).status_code == 200
        deliver_all()
        request = PrivacyRequest.objects.get()
        assert (
            reverse("portal:clients-privacy-fetch", args=[request.pk])
            in client.get(page).content.decode()
        )
        archive = client.post(reverse("portal:clients-privacy-fetch", args=[request.pk]))
        assert archive["Content-Type"] == "application/zip"
        again = client.post(reverse("portal:clients-privacy-fetch", args=[request.pk]), follow=True)
        assert "was fetched or has expired" in again.content.decode()

        client.post(page, {"act": "erase"})
        assert "You have asked for erasure" in client.get(page).content.decode()
        refused = client.post(page, {"act": "erase"}, follow=True)
        assert "You have asked for this already" in refused.content.decode()

    def test_compliance_reads_the_verdicts_and_takes_the_certificate(self, client):
        lena = world.answered()
        request = asked(lena)
        client.force_login(world.staff_user("compliance"))
        page = reverse("admin:clients_privacyrequest_change", args=[request.pk])
        certificate = reverse("admin:clients_privacyrequest_certificate", args=[request.pk])
        assert "May go" in client.get(page).content.decode()
        assert client.get(certificate).status_code == 302
        agree()

        paper = client.get(certificate)
        assert paper["Content-Type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF")
        client.force_login(world.staff_user("sales"))
        assert client.get(certificate).status_code == 403

    def test_every_page_opens_for_compliance_and_not_for_sales(self, client):
        lena = world.answered()
        hold = legal_hold_set(client_id=lena.pk, actor=world.staff("mlro"), reason="a court asks")
        pages = [
            reverse(f"admin:clients_{name}_changelist")
            for name in ("privacyrequest", "legalhold", "retentionrule", "retentionrun", "erasure")
        ]
        pages += [
            reverse("admin:core_datakey_changelist"),
            reverse("admin:core_datakey_change", args=[DataKey.objects.first().pk]),
            reverse("admin:clients_legalhold_change", args=[hold.pk]),
            reverse("admin:clients_retentionrule_change", args=[RetentionRule.objects.first().pk]),
        ]
        client.force_login(world.staff_user("compliance"))
        assert {client.get(page).status_code for page in pages} == {200}
        client.force_login(world.staff_user("sales"))
        assert {client.get(page).status_code for page in pages} == {403}


def _another_entity(client: Client):
    from apps.clients.models import LegalEntity

    return LegalEntity.objects.exclude(pk=client.entity_id).first().pk
