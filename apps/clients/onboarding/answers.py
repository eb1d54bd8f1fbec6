"""Does an answer do? Plain values in, cleaned values or the reason why not out.

Reasons are codes; the words belong to the screens (`apps/clients/wording.py`).
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import phonenumbers
import pycountry

from apps.clients.onboarding.schema import Field, Step

REQUIRED = "required"
TOO_LONG = "too_long"
NOT_TEXT = "not_text"
NOT_A_DATE = "not_a_date"
IN_FUTURE = "in_future"
TOO_OLD = "too_old"
TOO_YOUNG = "too_young"
NOT_AN_OPTION = "not_an_option"
NOT_A_COUNTRY = "not_a_country"
NOT_A_PHONE = "not_a_phone"
NOT_A_TAX_ID = "not_a_tax_id"
NOT_YES_OR_NO = "not_yes_or_no"
MUST_ACCEPT = "must_accept"

OLDEST_AGE = 120
COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


class Refusal(Exception):
    """One answer will not do; `code` says why."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Verdict:
    """`cleaned` is complete only when `errors` is empty."""

    cleaned: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Refusal] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors


@dataclass(frozen=True)
class TestResult:
    score: int
    pass_score: int

    __test__ = False

    @property
    def passed(self) -> bool:
        return self.score >= self.pass_score


def check_step(
    step: Step,
    given: Mapping[str, Any],
    *,
    known: Mapping[str, Any],
    country: str,
    today: date,
) -> Verdict:
    """Judge the answers of one step. `known` are the answers of the steps before.

    An answer to a question that this client is not asked is dropped, never stored.
    """
    verdict = Verdict()
    seen = dict(known)
    for item in step.fields:
        seen.pop(item.name, None)
        if not item.asked(seen, country):
            continue
        try:
            value = clean(item, given.get(item.name), seen=seen, country=country, today=today)
        except Refusal as refusal:
            verdict.errors[item.name] = refusal
            continue
        verdict.cleaned[item.name] = value
        seen[item.name] = value
    return verdict


def score(step: Step, answers: Mapping[str, Any]) -> TestResult:
    """Sum the points of the chosen options of a test step; a multiple choice adds them all."""
    total = 0
    for item in step.fields:
        chosen = answers.get(item.name)
        values = chosen if isinstance(chosen, list) else [chosen]
        total += sum(option.score for option in item.options if option.value in values)
    return TestResult(score=total, pass_score=step.pass_score)


def clean(item: Field, raw: Any, *, seen: Mapping[str, Any], country: str, today: date) -> Any:
    """The value to store. Raises `Refusal`."""
    if raw is None or raw == "" or raw == []:
        if item.type == "accept":
            raise Refusal(MUST_ACCEPT)
        if item.required:
            raise Refusal(REQUIRED)
        return [] if item.type == "multichoice" else ""
    if item.type == "date":
        return _date(item, raw, today)
    if item.type == "tax_id":
        return _tax_id(item, raw, seen.get("tax_residence") or country)
    return _CLEANERS[item.type](item, raw, country)


def _text(item: Field, raw: Any, country: str) -> str:
    if not isinstance(raw, str):
        raise Refusal(NOT_TEXT)
    text = " ".join(unicodedata.normalize("NFC", raw).split())
    if not text:
        raise Refusal(REQUIRED)
    if any(unicodedata.category(sign).startswith("C") for sign in text):
        raise Refusal(NOT_TEXT)
    if len(text) > item.max_length:
        raise Refusal(TOO_LONG, limit=item.max_length)
    return text


def _choice(item: Field, raw: Any, country: str) -> str:
    if raw not in [option.value for option in item.options]:
        raise Refusal(NOT_AN_OPTION)
    return raw


def _multichoice(item: Field, raw: Any, country: str) -> list[str]:
    values = raw if isinstance(raw, list | tuple) else [raw]
    allowed = [option.value for option in item.options]
    if any(value not in allowed for value in values):
        raise Refusal(NOT_AN_OPTION)
    return [value for value in allowed if value in values]


def _country(item: Field, raw: Any, country: str) -> str:
    code = str(raw).upper()
    if code not in COUNTRIES:
        raise Refusal(NOT_A_COUNTRY)
    return code


def _phone(item: Field, raw: Any, country: str) -> str:
    normalised = e164(str(raw), country)
    if normalised is None:
        raise Refusal(NOT_A_PHONE)
    return normalised


def _yesno(item: Field, raw: Any, country: str) -> str:
    if raw not in ("yes", "no"):
        raise Refusal(NOT_YES_OR_NO)
    return raw


def _accept(item: Field, raw: Any, country: str) -> str:
    if raw not in ("on", "yes", "true", True):
        raise Refusal(MUST_ACCEPT)
    return "yes"


def _date(item: Field, raw: Any, today: date) -> str:
    try:
        given = raw if isinstance(raw, date) else date.fromisoformat(str(raw))
    except ValueError as error:
        raise Refusal(NOT_A_DATE) from error
    if given > today:
        raise Refusal(IN_FUTURE)
    years = age(given, today)
    if years > OLDEST_AGE:
        raise Refusal(TOO_OLD)
    if item.min_age and years < item.min_age:
        raise Refusal(TOO_YOUNG, age=item.min_age)
    return given.isoformat()


def _tax_id(item: Field, raw: Any, residence: str) -> str:
    """Where the country's check digits are known, they must fit; elsewhere only the alphabet."""
    text = str(raw).strip().upper()
    module_name = item.formats.get(residence)
    if module_name:
        module = importlib.import_module(f"stdnum.{module_name}")
        try:
            return module.validate(text)
        except module.ValidationError as error:
            raise Refusal(NOT_A_TAX_ID) from error
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z ./-]{2,38}", text):
        raise Refusal(NOT_A_TAX_ID)
    return text


_CLEANERS = {
    "text": _text,
    "choice": _choice,
    "multichoice": _multichoice,
    "country": _country,
    "phone": _phone,
    "yesno": _yesno,
    "accept": _accept,
}


def age(born: date, today: date) -> int:
    """Whole years. Somebody born on 29 February comes of age on 1 March in a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def e164(raw: str, country: str = "") -> str | None:
    """A phone number in E.164, or None when nobody could be reached under it."""
    try:
        number = phonenumbers.parse(raw, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
