"""One client's whole life through the screens, each person in front of their own: issue by issue nothing is skipped.

Registration, confirmation by mail, application, documents, review by compliance, account, deposit through the
provider's page, transfer, market and limit orders on live quotes, exposure on the dealer's screen, the partner's
accrual, withdrawal with two approvals, payout.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from PIL import Image, ImageDraw

from tests.browser.people import Person

Arrive = Callable[..., Person]
PARTNER_CODE = "IVY"

ANSWERS: dict[str, dict[str, str]] = {
    "personal": {
        "date_of_birth": "1990-05-17",
        "citizenship": "DE",
        "phone": "+49 151 23456789",
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
        self.password = "a sentence that is easy to remember"  # noqa: S105


def test_one_client_s_whole_life(person: Arrive, tmp_path: Path) -> None:
    who = Newcomer()
    lena = person("lena")

    registers(lena, who)
    confirms_by_mail(lena, who)
    applies(lena)
    sends_documents(lena, tmp_path)


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


def applies(lena: Person) -> None:
    lena.clicks("Go on")
    for step in ("personal", "address", "tax", "finances", "appropriateness"):
        lena.page.wait_for_url(f"**/application/{step}/")
        for name, value in ANSWERS[step].items():
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
    today = datetime.now(UTC).date()
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
    card = lena.page.locator("section.bo-card", has=lena.page.locator(f"form[action$='/upload/{evidence}/']"))
    card.get_by_text("Received").first.wait_for()


def photograph(folder: Path, what: str) -> Path:
    picture = Image.new("RGB", (1400, 950), "lightsteelblue")
    draw = ImageDraw.Draw(picture)
    for line in range(12):
        draw.text((80, 80 + 60 * line), f"{what} line {line}", fill="black")
    path = folder / f"{what}.jpg"
    picture.save(path, "JPEG", quality=88)
    return path
