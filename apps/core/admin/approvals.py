"""The pages of maker and checker: what waits, who may decide, policies, and who stands in for whom."""

from __future__ import annotations

import tomllib
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.actor import Actor
from apps.core.admin.base import BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.core.admin.pages import ReadOnlyAdmin, subject_url
from apps.core.approvals import (
    EFFECTS,
    approval_answer,
    approval_claim,
    approval_execute_emergency,
    approval_rebase,
    approval_release,
    approval_return,
    approval_take_over,
    approval_vote,
    approval_withdraw,
    base_changes,
    delegation_end,
    emergency_confirm,
    emergency_contest,
    policy_propose,
    seen_of,
)
from apps.core.approvals.chain import current_stage
from apps.core.approvals.emergency import refused_alone
from apps.core.approvals.policies import policy_data, policy_words, stage_words
from apps.core.approvals.queues import decidable
from apps.core.approvals.standing import (
    cast_of,
    chain_of,
    counted,
    eligible,
    is_void,
    standing_of,
    votes_of,
)
from apps.core.errors import DomainError
from apps.core.models import Approval, ApprovalPolicy, ApprovalVote, Delegation, EmergencyReview
from apps.core.panels import Panel
from apps.core.permissions import (
    CHANGE_POLICY,
    DELEGATE,
    EMERGENCY_EXECUTE,
    REVIEW_EMERGENCY,
    VIEW_APPROVAL,
)

PEOPLE_SHOWN = 12


class VoteForm(ReasonForm):
    """A decision names what was on the page when its dialog was opened."""

    needs_obj = True
    expected = forms.CharField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args: Any, obj: Approval, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expected"].initial = seen_of(obj)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not values.get("expected"):
            raise forms.ValidationError(_("Open this again: it does not say what you looked at."))
        return values


def approval_approve(
    *, approval_id: UUID, actor: Actor, reason: str, expected: str = ""
) -> Approval:
    return approval_vote(
        approval_id=approval_id,
        actor=actor,
        verdict=ApprovalVote.Verdict.APPROVE,
        reason=reason,
        expected=expected,
    )


def approval_reject(
    *, approval_id: UUID, actor: Actor, reason: str, expected: str = ""
) -> Approval:
    return approval_vote(
        approval_id=approval_id,
        actor=actor,
        verdict=ApprovalVote.Verdict.REJECT,
        reason=reason,
        expected=expected,
    )


def why_not(approval: Approval, actor: Actor, votes: list[ApprovalVote]) -> str:
    """The sentence that keeps this person from deciding now; empty when nothing does."""
    if approval.state != Approval.State.PENDING:
        return ""
    try:
        standing_of(approval, actor, votes)
    except DomainError as refused:
        return str(refused)
    return ""


def offered(approval: Approval, actor: Actor, votes: list[ApprovalVote]) -> set[str]:
    """The buttons that make sense for this person on this request; each service still decides."""
    codes: set[str] = set()
    if approval.maker_id == actor.id and approval.is_open:
        codes |= {"withdraw"}
        codes |= {"answer"} if approval.state == Approval.State.RETURNED else set()
        codes |= {"rebase"} if base_changes(approval) else set()
    alone = approval.is_open and approval.emergency_allowed and actor.allows(EMERGENCY_EXECUTE)
    if alone and refused_alone(approval, actor) is None:
        codes.add("emergency")
    review = EmergencyReview.objects.filter(approval=approval, state="DUE").first()
    if review is not None and actor.id not in (review.executed_by, review.maker_id):
        codes |= {"confirm", "contest"}
    if approval.state == Approval.State.PENDING and not why_not(approval, actor, votes):
        holder = approval.claimed_now_by
        if holder and holder != actor.id:
            return codes | {"take-over"}
        codes |= {"approve", "reject", "return", "release" if holder else "claim"}
    return codes


class DecisionPanel(Panel):
    """What is asked, what it stands on, the chain with who decided and who may, and the votes of every round."""

    title = _("Decision")
    template = "admin/panels/approval.html"

    def context(self, obj: Approval, actor: Actor) -> dict[str, Any]:
        votes = votes_of(obj)
        able = eligible(obj, votes) if obj.state == Approval.State.PENDING else None
        known = obj.action in EFFECTS
        return {
            "approval": obj,
            "subject_url": subject_url(obj.subject_type, obj.subject_id),
            "is_maker": obj.maker_id == actor.id,
            "why_not": why_not(obj, actor, votes),
            "stale": base_changes(obj) if known and obj.is_open else [],
            "stages": _stages(obj, votes),
            "able": [person.label for person in able.people[:PEOPLE_SHOWN]] if able else [],
            "needed": able.needed if able else 0,
            "short": able.short if able else False,
            "void": [vote for vote in votes if is_void(vote)],
            "rounds": list(obj.rounds.all()) if obj.round > 1 else [],
            "review": EmergencyReview.objects.filter(approval=obj).first(),
        }


def _stages(approval: Approval, votes: list[ApprovalVote]) -> list[dict[str, Any]]:
    given, chain = counted(votes, approval.round), chain_of(approval)
    place = current_stage(chain, cast_of(given)) if approval.is_open else None
    return [
        {
            "number": number + 1,
            "who": stage_words(stage.permissions),
            "need": stage.need,
            "other_desk": stage.other_desk,
            "votes": [vote for vote in given if vote.stage == number],
            "current": number == place,
        }
        for number, stage in enumerate(chain)
    ]


class MineFilter(admin.SimpleListFilter):
    """Whose turn it is."""

    title = _("for me")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("decide", _("waits for me")),
            ("asked", _("asked by me")),
            ("returned", _("question to me")),
            ("taken", _("taken by me")),
            ("decided", _("decided by me")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        actor = actor_of(request)
        match self.value():
            case "decide":
                return queryset.filter(pk__in=[row.pk for row in decidable(actor)])
            case "asked":
                return queryset.filter(maker_id=actor.id)
            case "returned":
                return queryset.filter(maker_id=actor.id, state=Approval.State.RETURNED)
            case "taken":
                return queryset.filter(claimed_by=actor.id, claimed_until__gt=clock.now())
            case "decided":
                return queryset.filter(votes__voter_id=actor.id).distinct()
        return queryset


@admin.register(Approval)
class ApprovalAdmin(BrokerModelAdmin):
    """The approval queue: everything that waits for a second or third person."""

    list_display = (
        "title",
        "action",
        "state",
        "severity",
        "maker_label",
        "votes_so_far",
        "taken_by",
        "created_at",
        "stage_due_at",
    )
    list_filter = (MineFilter, "state", "severity", "action")
    search_fields = ("title", "maker_label", "subject_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("action", "state"),
                    ("maker_label", "reason"),
                    ("amount", "risk_band"),
                    ("severity", "policy_version"),
                    ("created_at", "stage_due_at", "expires_at"),
                )
            },
        ),
    )
    panels = (DecisionPanel,)
    transitions = (
        Transition(
            "approve", _("Approve"), approval_approve, VIEW_APPROVAL, form=VoteForm, tone="primary",
            step_up=True,
        ),
        Transition(
            "reject", _("Reject"), approval_reject, VIEW_APPROVAL, form=VoteForm, tone="danger",
            step_up=True,
        ),
        Transition(
            "return", _("Ask the maker"), approval_return, VIEW_APPROVAL,
            explanation=_("Your question goes to whoever asked for this; the answer comes back to you."),
        ),
        Transition("claim", _("Take it"), approval_claim, VIEW_APPROVAL),
        Transition("release", _("Give it back"), approval_release, VIEW_APPROVAL),
        Transition("take-over", _("Take it over"), approval_take_over, VIEW_APPROVAL, tone="primary"),
        Transition("answer", _("Answer"), approval_answer, VIEW_APPROVAL, tone="primary"),
        Transition(
            "rebase", _("Set it on what is there now"), approval_rebase, VIEW_APPROVAL, tone="primary",
            explanation=_("Everybody looks again: the votes so far are void."),
        ),
        Transition("withdraw", _("Take back"), approval_withdraw, VIEW_APPROVAL),
        Transition(
            "emergency", _("Emergency: do it alone"), approval_execute_emergency, EMERGENCY_EXECUTE,
            tone="danger", step_up=True,
            explanation=_("It runs at once. Another person reviews it afterwards; your reason is what they read."),
        ),
        Transition("confirm", _("It was right"), emergency_confirm, REVIEW_EMERGENCY, tone="primary"),
        Transition("contest", _("It was not right"), emergency_contest, REVIEW_EMERGENCY, tone="danger"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("votes__void")

    def transition_buttons(self, request: HttpRequest, obj: Approval) -> list[dict[str, Any]]:
        codes = offered(obj, actor_of(request), votes_of(obj))
        buttons = super().transition_buttons(request, obj)
        return [b for b in buttons if b["url"].rstrip("/").rpartition("/")[2] in codes]

    @admin.display(description=_("approvals"))
    def votes_so_far(self, obj: Approval) -> str:
        return f"{len(cast_of(counted(obj.votes.all(), obj.round)))} / {obj.required}"

    @admin.display(description=_("taken by"))
    def taken_by(self, obj: Approval) -> str:
        return obj.claimed_label if obj.claimed_now_by else ""


class PolicyForm(ReasonForm):
    """The whole policy as its reviewed file would have it."""

    needs_obj = True
    content = forms.CharField(
        label=_("Policy"), widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"})
    )

    def __init__(self, *args: Any, obj: ApprovalPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["content"].initial = toml_of(obj.content)
        self.order_fields(["content", "reason"])

    def clean_content(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.cleaned_data["content"])
        except tomllib.TOMLDecodeError as error:
            raise forms.ValidationError(str(error)) from error


def toml_of(content: dict[str, Any]) -> str:
    """A policy's content as TOML, bands last."""
    lines = [f"{name} = {_toml(value)}" for name, value in content.items() if name != "bands"]
    for band in content["bands"]:
        lines += ["", "[[bands]]", *(f"{name} = {_toml(value)}" for name, value in band.items())]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(v)}" for name, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def policy_change(
    *, policy_id: UUID, actor: Actor, content: dict[str, Any], reason: str
) -> Approval:
    """Propose another version of the policy that this row is a version of."""
    policy = ApprovalPolicy.objects.get(pk=policy_id)
    return policy_propose(action=policy.action, content=content, actor=actor, reason=reason)


class WordsPanel(Panel):
    """The policy in sentences, and its text."""

    title = _("Who must agree")
    template = "admin/panels/policy.html"

    def context(self, obj: ApprovalPolicy, actor: Actor) -> dict[str, Any]:
        return {"words": policy_words(policy_data(obj.content)), "text": toml_of(obj.content)}


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(ReadOnlyAdmin):
    """Who must agree to what, by amount and risk; a change of it is approved itself."""

    list_display = ("action", "version", "state", "source", "in_force_at")
    list_filter = ("state", "source")
    search_fields = ("action",)
    fieldsets = ((None, {"fields": (("action", "version"), ("state", "source"), "in_force_at")}),)
    panels = (WordsPanel,)
    show_timeline = True
    transitions = (
        Transition(
            "propose", _("Propose a change"), policy_change, CHANGE_POLICY, form=PolicyForm,
            target="policy_id", tone="primary",
            visible=lambda obj: obj.state == ApprovalPolicy.State.ACTIVE,
            explanation=_("Somebody else puts it in force from the approval queue."),
        ),
    )  # fmt: skip


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    """Who decides with whose authority, and until when."""

    list_display = (
        "holder_label",
        "delegate_label",
        "valid_from",
        "valid_until",
        "ended_at",
        "reason",
    )
    search_fields = ("holder_label", "delegate_label")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("holder_label", "delegate_label"),
                    ("valid_from", "valid_until", "ended_at"),
                    "permissions",
                    "reason",
                )
            },
        ),
    )
    show_timeline = True
    transitions = (
        Transition(
            "end", _("End it now"), delegation_end, DELEGATE, tone="danger",
            visible=lambda obj: obj.ended_at is None and obj.valid_until > clock.now(),
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        actor = actor_of(request)
        rows = super().get_queryset(request)
        if actor.allows("core.manage_delegations"):
            return rows
        return rows.filter(Q(holder_id=actor.id) | Q(delegate_id=actor.id))
