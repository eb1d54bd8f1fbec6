"""The chain of people who must agree, as a pure calculation: plain values in, plain values out.

A chain is a row of stages that follow one another; a stage is complete when `need` different people have agreed who
hold one of its permissions. Bands say which chain an amount and a risk need. Nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Stage:
    """`need` people out of those who hold any of `permissions`; `sla_hours` later it goes to `escalates_to` too."""

    permissions: tuple[str, ...]
    need: int = 1
    other_desk: bool = False
    sla_hours: int = 24
    escalates_to: tuple[str, ...] = ()

    def escalated(self) -> Stage:
        """The next role may decide as well; without one the stage stays as it is."""
        following = [code for code in self.escalates_to if code not in self.permissions]
        return replace(self, permissions=(*self.permissions, *following[:1]))


Chain = tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """The chain for amounts up to and including `up_to` (None: any) and the named risks (empty: any)."""

    stages: Chain
    up_to: Decimal | None = None
    risks: frozenset[str] = frozenset()

    def covers(self, amount: Decimal | None, risk: str) -> bool:
        within = self.up_to is None or (amount is not None and abs(amount) <= self.up_to)
        return within and (not self.risks or risk in self.risks)


def chain_for(bands: Sequence[Band], amount: Decimal | None, risk: str = "") -> Chain:
    """The first band that covers both; an amount that nobody knows is covered by no limit.

    Raises `ValueError` when none does: a policy ends with a band for everything.
    """
    for band in bands:
        if band.covers(amount, risk):
            return band.stages
    raise ValueError("no band covers this; the last one covers everything")


def at_least(chain: Chain, people: int) -> Chain:
    """The same chain with as many people as somebody else asks for: what is missing is added to the last stage."""
    missing = people - people_needed(chain)
    if missing <= 0:
        return chain
    return (*chain[:-1], replace(chain[-1], need=chain[-1].need + missing))


def people_needed(chain: Chain) -> int:
    return sum(stage.need for stage in chain)


def problems(bands: Sequence[Band]) -> list[str]:
    """What is wrong with a policy's bands, in words; empty when they can be used."""
    if not bands:
        return ["there is no band"]
    found = [
        f"band {place}: {problem}"
        for place, band in enumerate(bands, start=1)
        for problem in _band_problems(band)
    ]
    if bands[-1].up_to is not None or bands[-1].risks:
        found.append("the last band covers every amount and every risk")
    if any(band.up_to is None and not band.risks for band in bands[:-1]):
        found.append("a band for everything stands before the last one")
    return found


def _band_problems(band: Band) -> list[str]:
    found = [] if band.stages else ["it has no stage"]
    if band.up_to is not None and band.up_to <= 0:
        found.append("its limit is not above zero")
    for stage in band.stages:
        if not stage.permissions:
            found.append("a stage names no permission")
        if stage.need < 1:
            found.append("a stage needs nobody")
        if stage.sla_hours < 1:
            found.append("a stage has no time")
    return found


@dataclass(frozen=True, slots=True)
class Cast:
    """A yes that counts: who gave it, with whose authority, at which stage."""

    stage: int
    voter: str
    authority: str


@dataclass(frozen=True, slots=True)
class Request:
    """Whom a change may never be agreed to by, whatever they hold."""

    maker: str
    maker_desk: int | None = None
    beneficiaries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checker:
    """Someone who wants to decide: with their own authority, or with that of the one they stand in for."""

    id: str
    permissions: Collection[str]
    desk: int | None = None
    authority: str = ""
    identities: frozenset[str] = frozenset()

    @property
    def acts_for(self) -> str:
        return self.authority or self.id


class Refusal(StrEnum):
    COMPLETE = "COMPLETE"
    PERMISSION = "PERMISSION"
    MAKER = "MAKER"
    BENEFICIARY = "BENEFICIARY"
    TWICE = "TWICE"
    SAME_DESK = "SAME_DESK"


def current_stage(chain: Chain, cast: Iterable[Cast]) -> int | None:
    """The first stage that still lacks people; None when everybody needed has agreed."""
    given = list(cast)
    for place, stage in enumerate(chain):
        if sum(vote.stage == place for vote in given) < stage.need:
            return place
    return None


def still_needed(chain: Chain, cast: Iterable[Cast]) -> int:
    """How many more people the current stage needs."""
    given = list(cast)
    place = current_stage(chain, given)
    if place is None:
        return 0
    return chain[place].need - sum(vote.stage == place for vote in given)


def refusal(
    chain: Chain, cast: Sequence[Cast], request: Request, checker: Checker
) -> Refusal | None:
    """Why this person may not decide now; None when they may.

    Standing in for someone never helps around separation: both the person and the authority are looked at.
    """
    place = current_stage(chain, cast)
    if place is None:
        return Refusal.COMPLETE
    stage = chain[place]
    if not set(stage.permissions) & set(checker.permissions):
        return Refusal.PERMISSION
    who = {checker.id, checker.acts_for}
    if request.maker in who:
        return Refusal.MAKER
    if (who | checker.identities) & request.beneficiaries:
        return Refusal.BENEFICIARY
    used = {name for vote in cast for name in (vote.voter, vote.authority)}
    if who & used:
        return Refusal.TWICE
    if stage.other_desk and checker.desk in (None, request.maker_desk):
        return Refusal.SAME_DESK
    return None
