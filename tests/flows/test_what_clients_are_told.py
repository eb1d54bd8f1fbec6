"""What a client is told along the way: each thing once, in their language, from their company."""

from __future__ import annotations

from collections import Counter

from apps.clients.models import Client
from apps.core.models import Delivery, Notification, SentMail
from apps.payments.services.destinations import bank_account_add
from apps.payments.services.withdrawals import withdrawal_reject


def test_each_thing_is_told_once_in_the_clients_language(brokerage, mailoutbox):
    story = brokerage.applicant(country="DE")
    story.registers()
    Client.objects.filter(pk=story.client_id).update(language="de")
    story.confirms()
    story.answers()
    story.sends_documents()
    story.is_approved()
    story.opens_account()
    brokerage.deliver()
    story.deposits("900")
    paid = story.asks_to_withdraw("200")
    brokerage.deliver()
    story.withdrawal_is_approved(
        paid, *["finance", "compliance"][: max(paid.approvals_required, 1)]
    )
    brokerage.deliver()
    bank_account_add(
        client_id=story.client_id, iban="DE89370400440532013000",
        holder_name=story.row.person.full_name, actor=story.actor,
    )  # fmt: skip
    brokerage.deliver()

    told = Counter(
        SentMail.objects.filter(client_id=story.client_id, state="SENT").values_list(
            "code", flat=True
        )
    )
    assert told == {
        "clients.confirm": 1,
        "clients.application_received": 1,
        "kyc.approved": 1,
        "clients.welcome": 1,
        "accounts.opened": 1,
        "payments.deposit_credited": 1,
        "payments.withdrawal_requested": 1,
        "payments.withdrawal_approved": 1,
        "payments.withdrawal_paid": 1,
        "payments.destination_added": 1,
    }
    assert {row.entity for row in SentMail.objects.filter(client_id=story.client_id)} == {"BOS-EU"}
    mine = {mail.subject: mail for mail in mailoutbox if mail.to == [story.email]}
    paid_mail = mine["Ihre Auszahlung über 200.00 EUR ist ausgeführt"]
    assert story.row.entity.name in paid_mail.body
    assert "Fragen:" in paid_mail.body
    assert "DE89370400440532013000" not in "".join(mail.body for mail in mailoutbox)
    titles = list(
        Notification.objects.filter(user=story.user).order_by("seq").values_list("title", flat=True)
    )
    assert titles[-1] == "A bank account was added for your payouts"
    assert len(titles) == len(set(titles))

    before = len(mailoutbox)
    Delivery.objects.filter(handler__contains=".mail_").update(state="PENDING")
    brokerage.deliver()
    assert len(mailoutbox) == before


def test_a_refused_withdrawal_is_told_in_words_for_clients_alone(brokerage, mailoutbox):
    story = brokerage.trader(country="DE")
    story.deposits("900")
    asked = story.asks_to_withdraw("800")
    brokerage.deliver()
    withdrawal_reject(
        withdrawal_id=asked.pk, actor=brokerage.staff["finance"], reason="smells of laundering"
    )
    brokerage.deliver()
    mail = next(m for m in mailoutbox if m.subject == "Your withdrawal was not paid")
    assert "refused" in mail.body
    assert "laundering" not in "".join(m.body for m in mailoutbox)


def test_a_partner_is_told_of_the_payout(brokerage, mailoutbox):
    partner = brokerage.partner("north", "standard", country="DE")
    brokerage.deliver()
    codes = list(
        SentMail.objects.filter(client_id=partner.client_id).values_list("code", flat=True)
    )
    assert "ib.partner_activated" in codes
