"""Policies as data: who must agree to which action, by amount and risk; changed themselves by two people."""

from __future__ import annotations

import hashlib
import logging
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.core.approvals.chain import Band, Chain, Stage, chain_for, problems
from apps.core.approvals.errors import PolicyInvalid
from apps.core.commands import command
from apps.core.errors import DomainError
from apps.core.models import ApprovalPolicy
from apps.core.money import Money
from apps.core.permissions import REGISTRY

log = logging.getLogger(__name__)
POLICIES_FILE = Path(__file__).resolve().parent.parent / "data" / "approvals.toml"
Converter = Callable[[Money, str], Money | None]
_CONVERTERS: list[Converter] = []


def register_converter(convert: Converter) -> None:
    """Let the app that knows prices bring an amount into a policy's currency; None when it cannot."""
    _CONVERTERS[:] = [convert]


class StageData(msgspec.Struct, forbid_unknown_fields=True):
    permissions: list[str]
    need: int = 1
    other_desk: bool = False
    sla_hours: int = 24
    escalates_to: list[str] = []


class BandData(msgspec.Struct, forbid_unknown_fields=True):
    stages: list[StageData]
    up_to: Decimal | None = None
    risks: list[str] = []


class PolicyData(msgspec.Struct, forbid_unknown_fields=True):
    """One policy as its file has it; `emergency` opens the path of one person with a review afterwards.

    Limits are in `base_currency`, or, where it names none, in the base currency of the company concerned.
    """

    bands: list[BandData]
    label: str = ""
    base_currency: str = ""
    emergency: bool = False
    review_hours: int = 24
    expires_hours: int = 72


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy ready for use; `version` names it in every request that it governed."""

    version: str
    data: PolicyData

    def chain(self, amount: Decimal | None, risk: str) -> Chain:
        return chain_for(bands_of(self.data), amount, risk)


def bands_of(data: PolicyData) -> list[Band]:
    return [
        Band(
            tuple(
                Stage(
                    tuple(stage.permissions),
                    stage.need,
                    stage.other_desk,
                    stage.sla_hours,
                    tuple(stage.escalates_to),
                )
                for stage in band.stages
            ),
            band.up_to,
            frozenset(band.risks),
        )
        for band in data.bands
    ]


def policy_data(content: dict[str, Any]) -> PolicyData:
    """The content as a policy. Raises `PolicyInvalid` with everything that is wrong."""
    try:
        data = msgspec.convert(content, PolicyData, strict=False)
    except msgspec.ValidationError as error:
        raise PolicyInvalid(problems=str(error)) from error
    bands = bands_of(data)
    named = [
        code
        for band in bands
        for stage in band.stages
        for code in (*stage.permissions, *stage.escalates_to)
    ]
    found = problems(bands) + [
        f"nobody declares {code}" for code in dict.fromkeys(named) if code not in REGISTRY
    ]
    if data.review_hours < 1 or data.expires_hours < 1:
        found.append("hours are at least one")
    if found:
        raise PolicyInvalid(problems="; ".join(found))
    return data


def checksum(content: dict[str, Any]) -> str:
    plain = msgspec.to_builtins(content)
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


@cache
def filed() -> dict[str, dict[str, Any]]:
    """Action → content of the reviewed file."""
    with POLICIES_FILE.open("rb") as file:
        return dict(tomllib.load(file))


def policy_for(action: str) -> Policy | None:
    """The version in force; where none was loaded, what the file says. None: the caller's own chain of one stage."""
    row = ApprovalPolicy.objects.filter(action=action, state=ApprovalPolicy.State.ACTIVE).first()
    if row is not None:
        return Policy(str(row), msgspec.convert(row.content, PolicyData, strict=False))
    content = filed().get(action)
    return None if content is None else Policy(f"{action} file", policy_data(content))


def in_base(
    amount: Money | None, base_amount: Money | None, currency: str
) -> tuple[Decimal | None, str]:
    """The amount in the policy's currency, or none when nobody can say: then only a band without limit covers it."""
    if base_amount is not None and currency in ("", base_amount.currency):
        return base_amount.amount, base_amount.currency
    if amount is not None and amount.currency == currency:
        return amount.amount, currency
    if amount is None or not currency or not _CONVERTERS:
        return None, currency
    try:
        converted = _CONVERTERS[0](amount, currency)
    except DomainError as refused:
        log.warning("an amount cannot be compared with its policy", extra={"why": str(refused)})
        return None, currency
    return (converted.amount, currency) if converted is not None else (None, currency)


@command
def policies_load(*, actor: Actor) -> int:
    """Bring what the reviewed file says into force; returns how many versions are new.

    A version that staff put in force stays until the file itself changes after it.
    """
    made = 0
    for action, content in filed().items():
        policy_data(content)
        made += _load(action, msgspec.to_builtins(content), actor)
    return made


def _load(action: str, content: dict[str, Any], actor: Actor) -> int:
    digest = checksum(content)
    rows = ApprovalPolicy.objects.filter(action=action)
    last = rows.filter(source=ApprovalPolicy.Source.FILE).order_by("-version").first()
    if last is not None and last.checksum == digest:
        return 0
    policy = new_version(action, content, ApprovalPolicy.Source.FILE)
    policy.save_as(actor, "the reviewed file", action="policy.load")
    put_in_force(policy, actor, "the reviewed file")
    return 1


def new_version(action: str, content: dict[str, Any], source: str) -> ApprovalPolicy:
    newest = ApprovalPolicy.objects.filter(action=action).aggregate(n=Max("version"))["n"] or 0
    return ApprovalPolicy(
        action=action,
        version=newest + 1,
        content=content,
        checksum=checksum(content),
        source=source,
    )


def put_in_force(policy: ApprovalPolicy, actor: Actor, reason: str) -> None:
    """Part of a command: the version before gives way."""
    before = (
        ApprovalPolicy.objects.select_for_update()
        .filter(action=policy.action, state=ApprovalPolicy.State.ACTIVE)
        .first()
    )
    if before is not None:
        before.supersede(by=actor, reason=reason)
        before.save_as(actor, reason, action="policy.supersede")
    policy.activate(by=actor, reason=reason)
    policy.save_as(actor, reason, action="policy.activate")


def policy_words(data: PolicyData) -> list[str]:
    """A policy in sentences, one for each band."""
    lines = []
    for band in data.bands:
        reach = (
            _("up to {amount} {currency}").format(
                amount=f"{band.up_to:,}",
                currency=data.base_currency or _("in the company's currency"),
            )
            if band.up_to is not None
            else _("any amount")
        )
        if band.risks:
            reach += _(" at risk {risks}").format(risks=", ".join(band.risks))
        steps = [
            _("{need} × {who}").format(need=stage.need, who=stage_words(stage.permissions))
            + (_(" of another desk") if stage.other_desk else "")
            for stage in band.stages
        ]
        lines.append(f"{reach}: {_(', then ').join(steps)}")
    return lines


def stage_words(permissions: list[str] | tuple[str, ...]) -> str:
    """Who may decide, by what they may do."""
    return _(" or ").join(
        str(REGISTRY[code].label) if code in REGISTRY else code for code in permissions
    )
