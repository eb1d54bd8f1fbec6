"""A stored request as the pure chain sees it, and where one person stands towards it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals.chain import (
    Cast,
    Chain,
    Checker,
    Refusal,
    Request,
    Stage,
    current_stage,
    refusal,
    still_needed,
)
from apps.core.approvals.errors import Beneficiary, SameDesk
from apps.core.approvals.people import directory, identities
from apps.core.approvals.policies import stage_words
from apps.core.errors import AlreadyVoted, DomainError, NotAllowed, SelfApproval, WrongState
from apps.core.models import Approval, ApprovalVote, Delegation
from apps.core.permissions import REGISTRY


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody may decide: at which stage, by which permission, and for whom if not for themselves."""

    stage: int
    permission: str
    acts_for: Actor | None = None


def stages_kept(chain: Chain) -> list[dict[str, Any]]:
    """The chain as a request keeps it."""
    return [asdict(stage) for stage in chain]


def chain_of(approval: Approval) -> Chain:
    """The chain that this request was asked with."""
    if not approval.stages:
        return (Stage((approval.permission,), approval.required),)
    return tuple(
        Stage(
            tuple(stage["permissions"]),
            stage["need"],
            stage["other_desk"],
            stage["sla_hours"],
            tuple(stage["escalates_to"]),
        )
        for stage in approval.stages
    )


def counted(votes: Iterable[ApprovalVote], round_number: int) -> list[ApprovalVote]:
    """The votes that count: of this round, and not void."""
    return [vote for vote in votes if vote.round == round_number and not is_void(vote)]


def is_void(vote: ApprovalVote) -> bool:
    return getattr(vote, "void", None) is not None


def votes_of(approval: Approval) -> list[ApprovalVote]:
    """Every vote ever given, the void ones too, oldest first."""
    return list(approval.votes.select_related("void").order_by("id"))


def spent_by(approval: Approval, votes: Iterable[ApprovalVote]) -> set[str]:
    """Who has used their vote in this round, as voter or authority. A void vote is used too: it never comes back,
    and whoever may decide again does so in the next round."""
    rows = [vote for vote in votes if vote.round == approval.round]
    return {name for vote in rows for name in (vote.voter_id, vote.authority)}


def cast_of(votes: Iterable[ApprovalVote]) -> list[Cast]:
    return [
        Cast(vote.stage, vote.voter_id, vote.authority)
        for vote in votes
        if vote.verdict == ApprovalVote.Verdict.APPROVE
    ]


def request_of(approval: Approval) -> Request:
    return Request(approval.maker_id, approval.maker_desk_id, frozenset(approval.beneficiary_ids))


def standing_of(
    approval: Approval, actor: Actor, votes: list[ApprovalVote] | None = None
) -> Standing:
    """Where this person stands now. Raises why they may not decide.

    Their own permission comes first; without it, that of a colleague who is away and named them. Whoever is named
    lends only what they hold themselves today, so nothing is passed on twice.
    """
    every = votes_of(approval) if votes is None else votes
    standing = _standing(approval, actor, counted(every, approval.round))
    who = {actor.id, standing.acts_for.id if standing.acts_for else actor.id}
    if who & spent_by(approval, every):
        raise AlreadyVoted
    return standing


def _standing(approval: Approval, actor: Actor, given: list[ApprovalVote]) -> Standing:
    chain, cast = chain_of(approval), cast_of(given)
    place = current_stage(chain, cast)
    if place is None:
        raise WrongState(state=approval.get_state_display(), command="a decision")
    asked = request_of(approval)
    held = [code for code in chain[place].permissions if actor.allows(code)]
    refused = refusal(chain, cast, asked, _checker(approval, actor, held))
    if refused is None:
        actor.require(held[0])
        return Standing(place, held[0])
    if refused is not Refusal.PERMISSION:
        raise _sentence(refused, chain[place])
    return _by_delegation(approval, actor, chain, cast)


def _by_delegation(approval: Approval, actor: Actor, chain: Chain, cast: list[Cast]) -> Standing:
    place = current_stage(chain, cast) or 0
    refused: Refusal = Refusal.PERMISSION
    for delegation, holder in lent_to(actor, chain[place].permissions):
        if not type(approval).objects.filter(pk=approval.pk).visible_to(holder).exists():
            continue
        held = [
            code
            for code in chain[place].permissions
            if holder.allows(code) and code in (delegation.permissions or [code])
        ]
        found = refusal(chain, cast, request_of(approval), _checker(approval, actor, held, holder))
        if found is None:
            if REGISTRY[held[0]].step_up:
                actor.require_fresh(REGISTRY[held[0]].label)
            return Standing(place, held[0], holder)
        refused = found
    raise _sentence(refused, chain[place])


def lent_to(actor: Actor, permissions: Iterable[str]) -> list[tuple[Delegation, Actor]]:
    """Delegations in force to this person, with the one who is away, when that one holds any of `permissions`."""
    at, wanted = clock.now(), set(permissions)
    rows = Delegation.objects.filter(
        delegate_id=actor.id, valid_from__lte=at, valid_until__gt=at, ended_at=None
    ).order_by("created_at")
    found = []
    for row in rows:
        if row.permissions and not wanted & set(row.permissions):
            continue
        holder = person(row.holder_id)
        if holder is not None and any(holder.allows(code) for code in wanted):
            found.append((row, holder))
    return found


def person(actor_id: str) -> Actor | None:
    """An active member of staff by id; None for anybody else."""
    try:
        return directory().find(actor_id)
    except KeyError:
        return None


def _checker(
    approval: Approval, actor: Actor, held: list[str], holder: Actor | None = None
) -> Checker:
    gain = approval.beneficiary_ids
    named = identities(actor, gain) | (identities(holder, gain) if holder else frozenset())
    return Checker(
        id=actor.id,
        permissions=frozenset(held),
        desk=actor.scope.desk_id,
        authority=holder.id if holder else "",
        identities=named,
    )


def _sentence(refused: Refusal, stage: Stage) -> DomainError:
    match refused:
        case Refusal.MAKER:
            return SelfApproval()
        case Refusal.TWICE:
            return AlreadyVoted()
        case Refusal.BENEFICIARY:
            return Beneficiary()
        case Refusal.SAME_DESK:
            return SameDesk()
        case _:
            return NotAllowed(permission=stage_words(stage.permissions))


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who could decide at the current stage, and how many more that stage needs."""

    people: list[Actor]
    needed: int

    @property
    def short(self) -> bool:
        return len(self.people) < self.needed


def eligible(approval: Approval, votes: list[ApprovalVote] | None = None) -> Eligible:
    """Everybody on duty who may decide now: holders who are not away, and those who stand in for one who is."""
    every = votes_of(approval) if votes is None else votes
    given, spent = counted(every, approval.round), spent_by(approval, every)
    chain, cast = chain_of(approval), cast_of(given)
    place = current_stage(chain, cast)
    if place is None:
        return Eligible([], 0)
    stage = chain[place]
    at = clock.now()
    away = {
        row.holder_id: row
        for row in Delegation.objects.filter(valid_from__lte=at, valid_until__gt=at, ended_at=None)
    }
    found: dict[str, Actor] = {}
    for holder in directory().holders(stage.permissions):
        candidate = _present(holder, away)
        if candidate is None or candidate.id in found or {candidate.id, holder.id} & spent:
            continue
        held = [code for code in stage.permissions if holder.allows(code)]
        stands_in = holder if candidate.id != holder.id else None
        checker = _checker(approval, candidate, held, stands_in)
        if refusal(chain, cast, request_of(approval), checker) is None and _sees(
            candidate, approval
        ):
            found[candidate.id] = candidate
    return Eligible(list(found.values()), still_needed(chain, cast))


def _present(holder: Actor, away: dict[str, Delegation]) -> Actor | None:
    if holder.id not in away:
        return holder
    return person(away[holder.id].delegate_id)


def _sees(actor: Actor, approval: Approval) -> bool:
    return type(approval).objects.filter(pk=approval.pk).visible_to(actor).exists()


def demoted(approval: Approval, votes: list[ApprovalVote]) -> list[ApprovalVote]:
    """Votes of people who left, hold the permission no more, or stand in no more for whom they voted, since they did.
    What is no login is not judged."""
    chain, lost = chain_of(approval), []
    for vote in counted(votes, approval.round):
        try:
            holder = directory().find(vote.authority)
        except KeyError:
            continue
        allowed = chain[vote.stage].permissions
        if (
            holder is None
            or not any(holder.allows(code) for code in allowed)
            or (vote.on_behalf_of and not _stands_in_still(vote))
        ):
            lost.append(vote)
    return lost


def _stands_in_still(vote: ApprovalVote) -> bool:
    """Whether the one who voted works here and is still named by the one they voted for."""
    try:
        voter = directory().find(vote.voter_id)
    except KeyError:
        return False
    return voter is not None and any(
        holder.id == vote.authority for _row, holder in lent_to(voter, [vote.permission])
    )
