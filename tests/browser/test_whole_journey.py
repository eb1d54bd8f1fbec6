"""One client's whole life through the screens, each person in front of their own: issue by issue nothing is skipped.

Registration, confirmation by mail, application, documents, review by compliance, account, deposit through the
provider's page, transfer, market and limit orders on live quotes, exposure on the dealer's screen, the partner's
accrual, withdrawal with two approvals, payout.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

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
