"""How much leverage the rules leave a client: one cap for each margin class, the highest of them for the account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.accounts.models import AccountType
from apps.accounts.selectors import accounts_counted
from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core.actor import Actor
from apps.market.models import MarginClass
from apps.rules.points import ACCOUNT_LEVERAGE, ACCOUNT_OPEN
from apps.rules.services import Decision, DecisionBatch, decide


@dataclass(frozen=True, slots=True)
class LeverageCaps:
    """`by_class` is margin class → cap; `highest` is what an account may be set to at most."""

    highest: int
    by_class: dict[str, int]
    why: str
    decision_id: UUID | None


def leverage_caps(
    client: Client, account_type: AccountType, *, actor: Actor, keep_receipts: bool = True
) -> LeverageCaps:
    """Ask the rules for the account itself and for every margin class.

    A class that is denied has no entry and cannot be traded on margin. `keep_receipts=False` for a page that only
    shows what would be allowed.
    """
    batch = DecisionBatch()
    account = _decision(client, account_type, "", actor, batch)
    highest = int(account.obligations["max_leverage"]) if account.allowed else 1
    by_class: dict[str, int] = {}
    for code in MarginClass.objects.order_by("code").values_list("code", flat=True):
        decision = _decision(client, account_type, code, actor, batch)
        if decision.allowed:
            by_class[code] = min(highest, int(decision.obligations["max_leverage"]))
    if keep_receipts:
        batch.write()
    return LeverageCaps(
        highest=highest,
        by_class=by_class,
        why=" ".join(str(reason.text) for reason in account.reasons),
        decision_id=account.decision_id if keep_receipts else None,
    )


def _decision(
    client: Client, account_type: AccountType, margin_class: str, actor: Actor, batch: DecisionBatch
) -> Decision:
    return decide(
        ACCOUNT_LEVERAGE,
        {
            "category": client.category,
            "margin_class": margin_class,
            "country": client.country,
            "account_type": account_type.code,
            "risk_rating": client.risk_rating,
        },
        actor=actor,
        subject=client,
        entity=client.entity.code,
        batch=batch,
    )


def opening_decision(
    client: Client, account_type: AccountType, currency: str, leverage: int, *, actor: Actor
) -> Decision:
    """What the rules say to this client opening this account."""
    return decide(
        ACCOUNT_OPEN,
        {
            "kyc_level": client.kyc_level,
            "lifecycle": client.lifecycle,
            "restrictions": sorted(client_restrictions(client.id)),
            "country": client.country,
            "category": client.category,
            "account_type": account_type.code,
            "currency": currency,
            "accounts_open": accounts_counted(client.id),
            "leverage": leverage,
            "risk_rating": client.risk_rating,
            "appropriateness": client.appropriateness,
        },
        actor=actor,
        subject=client,
        entity=client.entity.code,
    )
