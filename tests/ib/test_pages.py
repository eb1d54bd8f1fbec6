"""Partner pages and addresses as people meet them, and what they must not show."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.clients.models import ClientLogin
from apps.ib.models import Accrual, Click, ReferralLink
from apps.ib.services import partner_approve
from apps.users.models import Role
from apps.users.roles import load_roles

from .world import MANAGER, SYSTEM, client_of, day, deal_event, introduced_by, partner, tell

PAGES = ("dashboard", "tree", "clients", "accruals", "statement", "payouts", "links", "invite")


@pytest.fixture
def signed_in(client):
    def sign(person, *roles):
        user = get_user_model().objects.create_user(
            f"{person.number}@x.example", "a-long-password-1"
        )
        for role in roles:
            user.groups.add(Role.objects.get(name=role))
        ClientLogin(user=user, client=person).save_as(SYSTEM, "test")
        client.force_login(user)
        return client

    load_roles()
    return sign


def test_every_partner_page_opens_and_names_no_client(tree, signed_in, deliver_outbox):
    introduced = introduced_by(tree[2])
    tell(event=deal_event(introduced, "3", day(1)))
    deliver_outbox()
    browser = signed_in(tree[2].client, "client", "partner")
    for name in PAGES:
        page = browser.get(reverse(f"partner:{name}"))
        assert page.status_code == 200, name
        assert introduced.number not in page.content.decode()
        assert introduced.person.last_name not in page.content.decode()
    line = Accrual.objects.get(partner=tree[2])
    assert "12.00" in browser.get(reverse("partner:accrual", args=[line.id])).content.decode()
    november = browser.get(reverse("partner:statement"), {"month": "2026-11", "format": "csv"})
    rows = november.content.decode().splitlines()
    assert len(rows) == 2
    assert f",{line.money.amount},USD," in rows[1]


def test_another_partners_line_is_not_found(tree, signed_in, deliver_outbox):
    tell(event=deal_event(introduced_by(tree[2]), "3", day(1)))
    deliver_outbox()
    browser = signed_in(tree[2].client, "client", "partner")
    foreign = Accrual.objects.get(partner=tree[0])
    assert browser.get(reverse("partner:accrual", args=[foreign.id])).status_code == 404
    link = ReferralLink.objects.get(partner=tree[0])
    assert browser.get(reverse("partner:link-qr", args=[link.code])).status_code == 404


def test_somebody_who_is_no_partner_is_shown_the_application_and_may_apply(market, signed_in):
    person = client_of("BOS-INT")
    browser = signed_in(person, "client")
    assert browser.get(reverse("partner:tree")).headers["Location"] == reverse("partner:apply")
    form = {"name": "New Desk", "code": "new-desk", "currency": "USD"}
    assert browser.post(reverse("partner:apply"), form).status_code == 302
    assert person.partner.state == "APPLIED"


def test_a_visit_counts_and_leaves_the_code_for_the_registration(market, client):
    ivy = partner("ivy")
    from .world import plan

    partner_approve(partner_id=ivy.id, plan_code=plan("ten", "10"), actor=MANAGER, reason="x")
    visit = client.get(reverse("referral", args=["ivy"]))
    assert visit.status_code == 302
    assert visit.cookies["partner_code"].value == "ivy"
    assert Click.objects.filter(partner=ivy).count() == 1

    nobody = client.get(reverse("referral", args=["nobody"]))
    assert "partner_code" not in nobody.cookies
    assert Click.objects.count() == 1


def test_the_qr_code_is_an_svg_of_the_partners_own_link(tree, signed_in):
    browser = signed_in(tree[0].client, "client", "partner")
    picture = browser.get(reverse("partner:link-qr", args=["ivy"]))
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<svg ")


def test_over_rest_a_partner_reads_its_own_lines_with_clients_masked(
    tree, signed_in, deliver_outbox
):
    introduced = introduced_by(tree[2])
    tell(event=deal_event(introduced, "3", day(1)))
    deliver_outbox()
    browser = signed_in(tree[1].client, "client", "partner")
    body = browser.get("/api/v1/accruals/").json()
    assert [(row["partner"], row["amount"], row["depth"]) for row in body["results"]] == [
        ("sub", "9.00", 1)
    ]
    assert str(introduced.id) not in str(body)
    assert browser.get("/api/v1/partners/").json()["results"][0]["code"] == "sub"
    assert browser.get("/api/v1/payouts/").json()["results"] == []


def test_a_client_without_a_partner_reads_nothing_over_rest(tree, signed_in):
    browser = signed_in(client_of("BOS-INT"), "client")
    assert browser.get("/api/v1/accruals/").status_code == 403
