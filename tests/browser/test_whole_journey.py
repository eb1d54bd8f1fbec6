"""One client's whole life through the screens, each person in front of their own.

Registration, confirmation by mail, application, documents, review by compliance, account, deposit through the
provider's page, transfer, market and limit orders on live quotes, exposure on the dealer's screen, the partner's
accrual, withdrawal with two approvals, payout.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from PIL import Image, ImageDraw
from playwright.sync_api import expect

from apps.core import clock
from tests.browser.people import Person

Arrive = Callable[..., Person]
PARTNER_CODE = "IVY"

ANSWERS: dict[str, dict[str, str]] = {
    "personal": {
        "date_of_birth": "1990-05-17",
        "citizenship": "DE",
    },
    "address": {
        "address_line1": "Lindenweg 4",
        "city": "Bremen",
        "postal_code": "28195",
    },
    "tax": {
        "tax_residence": "DE",
        "has_tax_id": "yes",
        "tax_id": "36574261809",
        "us_person": "no",
    },
    "finances": {
        "employment": "EMPLOYED",
        "occupation": "Engineer",
        "annual_income": "50-100K",
        "net_worth": "25-100K",
        "source_of_funds": "SALARY",
        "planned_deposits": "0-10K",
        "pep": "no",
    },
    "appropriateness": {
        "cfd_experience": "FEW",
        "profession": "STUDIED",
        "q_leverage": "1000",
        "q_closeout": "CLOSED",
        "q_gap": "NEXT",
    },
    "warning": {"warning_accepted": "yes"},
}


class Newcomer:
    """Lena, who registers in this test and nobody has heard of before."""

    def __init__(self) -> None:
        self.email = f"lena-{uuid4().hex[:8]}@client.example"
        self.number = ""
        self.phone = f"+49 151 {uuid4().int % 90_000_000 + 10_000_000}"
        self.password = "a sentence that is easy to remember"


def test_one_client_s_whole_life(person: Arrive, tmp_path: Path) -> None:
    who = Newcomer()
    lena, ivy, dealer = person("lena"), person("ivy"), person("dealer")

    registers(lena, who)
    confirms_by_mail(lena, who)
    applies(lena, who)
    sends_documents(lena, tmp_path)
    who.number = client_number(lena)
    compliance_approves(person("compliance"), who)
    opens_an_account(lena)
    deposits(lena, "5000")
    transfers(lena, "2000")

    dealer.signs_in_to_the_back_office("dealer@demo.brokeros.example")
    positions_before = exposure_positions(dealer)
    ivy.signs_in("ivy@partner.example")
    lines_before = commission_lines(ivy)
    buys_at_market(lena)
    leaves_a_limit_order(lena)
    exposure_moves(dealer, positions_before)
    partner_earns(ivy, lines_before)

    withdraws(lena, "1500")
    finance_approves(person("finance"), who, "finance@demo.brokeros.example")
    is_told_the_truth(lena, "Waiting for approval")
    finance_approves(person("finance2"), who, "finance2@demo.brokeros.example")
    is_paid_out(lena)
    everybody_s_pages_ran_clean(lena, ivy, dealer)


def registers(lena: Person, who: Newcomer) -> None:
    lena.visit(f"/portal/register/?ref={PARTNER_CODE}")
    for name, value in {
        "first_name": "Lena",
        "last_name": "Vogel",
        "country": "DE",
        "email": who.email,
        "password": who.password,
        "read": "on",
    }.items():
        lena.fills(name, value)
    lena.clicks("Open an account")
    lena.sees(who.email)


def confirms_by_mail(lena: Person, who: Newcomer) -> None:
    lena.reads_mail(who.email, "Confirm")
    lena.page.locator("[data-mail-body] a").first.click()
    lena.clicks("Confirm my address")
    lena.sees("Your address is confirmed")
    lena.signs_in(who.email, who.password)
    lena.sees("Complete your application")


def applies(lena: Person, who: Newcomer) -> None:
    lena.clicks("Go on")
    for step in ("personal", "address", "tax", "finances", "appropriateness"):
        lena.page.wait_for_url(f"**/application/{step}/")
        for name, value in (
            ANSWERS[step] | {"phone": who.phone} if step == "personal" else ANSWERS[step]
        ).items():
            lena.fills(name, value)
        lena.clicks("Save and go on")
    lena.page.wait_for_url("**/application/agreements/")
    for box in lena.page.locator("main input[type=checkbox]").all():
        box.check()
    lena.clicks("Accept and go on")
    lena.sees("Check your answers")
    lena.clicks("Everything is right: submit")


def sends_documents(lena: Person, folder: Path) -> None:
    """Photographs as a phone takes them; the page says of each that it was received."""
    lena.page.wait_for_url("**/portal/verification/")
    today = clock.now().date()
    passport, bill = photograph(folder, "passport"), photograph(folder, "bill")
    lena.fills("POI-kind", "PASSPORT")
    lena.fills("POI-country", "DE")
    lena.fills("POI-number", "C01X00T47")
    lena.fills("POI-expires_on", (today + timedelta(days=2000)).isoformat())
    lena.fills("POI-front", str(passport))
    send(lena, "POI")
    lena.fills("POA-kind", "UTILITY_BILL")
    lena.fills("POA-issued_on", (today - timedelta(days=20)).isoformat())
    lena.fills("POA-front", str(bill))
    send(lena, "POA")
    lena.clicks("Hand in for review")
    lena.sees("We will look at your documents")


def send(lena: Person, evidence: str) -> None:
    form = lena.page.locator(f"form[action$='/upload/{evidence}/']")
    form.get_by_role("button", name="Send").click()
    card = lena.page.locator(
        "section.bo-card", has=lena.page.locator(f"form[action$='/upload/{evidence}/']")
    )
    card.get_by_text("Received").first.wait_for()


def photograph(folder: Path, what: str) -> Path:
    picture = Image.new("RGB", (1400, 950), "lightsteelblue")
    draw = ImageDraw.Draw(picture)
    for line in range(12):
        draw.text((80, 80 + 60 * line), f"{what} line {line}", fill="black")
    path = folder / f"{what}.jpg"
    picture.save(path, "JPEG", quality=88)
    return path


def client_number(lena: Person) -> str:
    lena.visit("/portal/")
    found = re.search(r"Client number\s+(\S+)", lena.said())
    assert found
    return found[1]


def compliance_approves(compliance: Person, who: Newcomer) -> None:
    """Documents are looked at one by one, then the case is decided; the reviewer's image really loads."""
    compliance.signs_in_to_the_back_office("compliance@demo.brokeros.example")
    compliance.finds("/admin/kyc/kyccase/", who.number)
    compliance.sees("Lena Vogel")
    compliance.does("Take this case")
    image = compliance.page.locator("#main img[src*='/file/']").first
    assert image.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 100
    while compliance.page.locator("#main a[data-dialog]", has_text="Accept").count():
        compliance.page.locator("#main a[data-dialog]", has_text="Accept").first.click()
        with compliance.page.expect_navigation():
            compliance.page.locator("#bo-transition button[type=submit]").click()
    compliance.does("Approve", "Documents are genuine and match the application")
    compliance.sees("Approved")


def opens_an_account(lena: Person) -> None:
    lena.visit("/portal/")
    lena.sees_after_reloading("You are verified")
    lena.clicks("Open an account")
    lena.page.locator("main a[href$='/standard/'], main a[href*='standard']").first.click()
    lena.fills("currency", "EUR")
    lena.sees("The highest for you is 1:30")
    lena.clicks("Open the account")
    lena.visit("/portal/accounts/")
    lena.sees_after_reloading("Active")


def deposits(lena: Person, amount: str) -> None:
    lena.visit("/portal/deposit/")
    lena.fills("way", "CARD:EUR")
    lena.fills("amount", amount)
    lena.clicks("Continue to payment")
    lena.page.locator("button[value=pay]").click()
    lena.page.wait_for_url("**/portal/deposit/**")
    lena.sees_after_reloading("Credited")


def transfers(lena: Person, amount: str) -> None:
    lena.visit("/portal/transfer/")
    lena.fills("amount", amount)
    lena.clicks("Transfer", exact=True)
    lena.page.wait_for_url(re.compile(r"/portal/transfer/[0-9a-f-]{36}/"))
    lena.sees_after_reloading("Done")


def exposure_positions(dealer: Person) -> int:
    """How many EURUSD positions the live page counts at the moment."""
    dealer.visit("/admin/risk/exposure/")
    dealer.page.locator("#exposure-live[data-live=on]").wait_for()
    return eurusd_positions(dealer)


def eurusd_positions(dealer: Person) -> int:
    row = dealer.page.locator("[data-rows=symbols] tr", has_text="EURUSD").first
    if not row.count():
        return 0
    return int(row.locator(".bo-num-cell").first.inner_text().replace(",", ""))


def exposure_moves(dealer: Person, before: int) -> None:
    """Without a reload: the page hears of the deal over its socket."""
    deadline = time.monotonic() + 60
    while eurusd_positions(dealer) != before + 1:
        assert time.monotonic() < deadline, f"exposure stayed at {eurusd_positions(dealer)}"
        time.sleep(0.25)


def commission_lines(ivy: Person) -> set[str]:
    ivy.visit("/partner/lines/")
    links = ivy.page.locator("main table a[href*='/partner/lines/']")
    return set(links.evaluate_all("links => links.map(a => a.getAttribute('href'))"))


def partner_earns(ivy: Person, before: set[str]) -> None:
    """One new line for the deal, which explains its own arithmetic."""
    deadline = time.monotonic() + 40
    while not (new := commission_lines(ivy) - before):
        assert time.monotonic() < deadline, "the partner never saw the commission"
        time.sleep(0.5)
    ivy.visit(new.pop())
    ivy.sees("EURUSD")


def buys_at_market(lena: Person) -> None:
    lena.visit("/portal/trade/?symbol=EURUSD")
    price = lena.page.locator("[data-quote-symbol=EURUSD][data-quote-field=ask]").first
    expect(price).to_have_text(re.compile(r"\d\.\d+"))
    lena.fills("type", "MARKET")
    lena.fills("quantity", "0.10")
    lena.page.locator("button[name=side][value=BUY]").dblclick()
    lena.sees(re.compile("filled|bought", re.IGNORECASE))
    lena.visit("/portal/positions/")
    assert lena.page.locator("[data-position]").count() == 1


def leaves_a_limit_order(lena: Person) -> None:
    lena.visit("/portal/trade/?symbol=EURUSD")
    lena.fills("type", "LIMIT")
    lena.fills("quantity", "0.10")
    lena.fills("limit_price", "0.90000")
    lena.page.locator("button[name=side][value=BUY]").click()
    lena.page.locator("[data-order]").first.wait_for()
    assert lena.page.locator("[data-order]").count() == 1


def withdraws(lena: Person, amount: str) -> None:
    """Pressed twice by a nervous finger: one withdrawal."""
    lena.visit("/portal/withdraw/")
    lena.fills("amount", amount)
    lena.control("Ask for the withdrawal").dblclick()
    lena.page.wait_for_url(re.compile(r"/portal/withdraw/[0-9a-f-]{36}/"))
    lena.sees("Waiting for approval")
    lena.visit("/portal/history/")
    asked = lena.page.locator("main a[href*='/portal/withdraw/']").evaluate_all(
        "links => links.map(a => a.getAttribute('href')).filter(h => /[0-9a-f-]{36}/.test(h))"
    )
    assert len(set(asked)) == 1


def finance_approves(finance: Person, who: Newcomer, email: str) -> None:
    finance.signs_in_to_the_back_office(email)
    finance.finds("/admin/core/approval/", who.number)
    finance.does("Approve", "Check list is clean, closed loop holds")


def is_told_the_truth(lena: Person, words: str) -> None:
    lena.visit("/portal/")
    lena.sees(words)


def is_paid_out(lena: Person) -> None:
    lena.visit("/portal/")
    lena.sees_after_reloading("Paid out")


def everybody_s_pages_ran_clean(*people: Person) -> None:
    assert {someone.name: someone.complaints for someone in people if someone.complaints} == {}
