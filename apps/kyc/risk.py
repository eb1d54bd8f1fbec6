"""Risk rating by plain addition: every point has a name, and the sum can be checked by hand.

Pure. Groups follow the FATF guidance for a risk-based approach in the securities sector (2018):
country, customer, product, channel. Floors: a politically exposed person is never below HIGH, a
country on FATF's grey list never below MEDIUM, on the black list always PROHIBITED.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

LOW, MEDIUM, HIGH, PROHIBITED = "LOW", "MEDIUM", "HIGH", "PROHIBITED"
_ORDER = (LOW, MEDIUM, HIGH, PROHIBITED)
_INCOME_TOP = {"0-25K": 25, "25-50K": 50, "50-100K": 100, "100-250K": 250, "250K+": 10_000}
_PLAN_FROM = {"0-10K": 0, "10-50K": 10, "50-250K": 50, "250K+": 250}
MAX_SCORE = 100


@dataclass(frozen=True)
class Factor:
    group: str
    code: str
    value: str
    points: int


@dataclass(frozen=True)
class Floor:
    code: str
    rating: str


@dataclass(frozen=True)
class Assessment:
    """`score` is the sum of the points, at most 100; `rating` is its tier or the highest floor."""

    version: int
    score: int
    rating: str
    factors: tuple[Factor, ...]
    floors: tuple[Floor, ...]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Profile:
    """What is known of a client when the rating is made."""

    countries: tuple[str, ...]
    pep: bool = False
    us_person: bool = False
    has_tax_id: bool = True
    age_years: int = -1
    employment: str = ""
    annual_income: str = ""
    planned_deposits: str = ""
    source_of_funds: tuple[str, ...] = ()
    by_partner: bool = False


def assess(profile: Profile, model: Mapping[str, Any]) -> Assessment:
    """Add up the factors of `model` (the content of risk.toml) and lift to the highest floor."""
    factors = tuple(factor for factor in _factors(profile, model) if factor.points)
    score = min(MAX_SCORE, sum(factor.points for factor in factors))
    floors = tuple(_floors(profile, model))
    rating = max([_tier(score, model), *(floor.rating for floor in floors)], key=_ORDER.index)
    return Assessment(
        version=model["version"], score=score, rating=rating, factors=factors, floors=floors
    )


def _factors(profile: Profile, model: Mapping[str, Any]) -> Iterable[Factor]:
    yield _country(profile, model["country"])
    customer = model["customer"]
    yield Factor("customer", "pep", "yes", customer["pep"] if profile.pep else 0)
    yield Factor("customer", "us_person", "yes", customer["us_person"] if profile.us_person else 0)
    yield Factor("customer", "no_tax_id", "", 0 if profile.has_tax_id else customer["no_tax_id"])
    young = 0 <= profile.age_years < 25
    yield Factor(
        "customer", "under_25", str(profile.age_years), customer["under_25"] if young else 0
    )
    yield Factor(
        "customer",
        "employment",
        profile.employment,
        model["employment"].get(profile.employment, 0),
    )
    yield _source(profile, model["source_of_funds"])
    yield Factor(
        "product",
        "planned_deposits",
        profile.planned_deposits,
        model["planned_deposits"].get(profile.planned_deposits, 0),
    )
    yield _mismatch(profile, model["mismatch"])
    channel = "partner" if profile.by_partner else "remote"
    yield Factor("channel", "channel", channel, model["channel"][channel])


def _country(profile: Profile, model: Mapping[str, Any]) -> Factor:
    """The riskiest of residence, citizenship and tax residence."""
    ranked = [(_country_points(code, model), code) for code in profile.countries if code]
    points, code = max(ranked, default=(0, ""))
    return Factor("country", "country", code, points)


def _country_points(code: str, model: Mapping[str, Any]) -> int:
    for tier in ("black", "grey", "equivalent"):
        if code in model[tier]:
            return model[f"{tier}_points"]
    return model["other_points"]


def _source(profile: Profile, model: Mapping[str, int]) -> Factor:
    ranked = [(model.get(source, 0), source) for source in profile.source_of_funds]
    points, source = max(ranked, default=(0, ""))
    return Factor("customer", "source_of_funds", source, points)


def _mismatch(profile: Profile, model: Mapping[str, int]) -> Factor:
    income = _INCOME_TOP.get(profile.annual_income)
    plan = _PLAN_FROM.get(profile.planned_deposits)
    beyond = income is not None and plan is not None and plan >= income
    value = f"{profile.annual_income} < {profile.planned_deposits}"
    return Factor(
        "product", "income_below_plan", value, model["income_below_plan"] if beyond else 0
    )


def _floors(profile: Profile, model: Mapping[str, Any]) -> Iterable[Floor]:
    country = model["country"]
    if profile.pep:
        yield Floor("pep", HIGH)
    if any(code in country["grey"] for code in profile.countries):
        yield Floor("grey_list", MEDIUM)
    if any(code in country["black"] for code in profile.countries):
        yield Floor("black_list", PROHIBITED)


def _tier(score: int, model: Mapping[str, Any]) -> str:
    reached = [name for name, least in model["tiers"].items() if score >= least]
    return max(reached, key=_ORDER.index, default=LOW)
