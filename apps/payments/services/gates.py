"""What the rules are told about money, and what they answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apps.accounts.models import TradingAccount
from apps.clients.models import Client
from apps.clients.selectors import client_restrictions
from apps.core import clock
from apps.core.actor import Actor
from apps.core.money import Money
from apps.orders.models import Position
from apps.payments.enums import WithdrawalState
from apps.payments.models import Deposit, Transfer, Withdrawal
from apps.payments.selectors import (
    base_minor,
    base_total,
    deposits_arrived,
    instrument_net,
    summed,
    withdrawals_alive,
)
from apps.rules.points import DEPOSIT_ACCEPT, DEPOSIT_ROUTE, TRANSFER_GATE, WITHDRAWAL_GATE
from apps.rules.services import Decision, decide

DAY = timedelta(hours=24)


def _of_client(client: Client) -> dict[str, Any]:
    return {
        "kyc_level": client.kyc_level,
        "restrictions": sorted(client_restrictions(client.pk)),
        "country": client.country,
        "risk_rating": client.risk_rating,
        "lifecycle": client.lifecycle,
    }


def accept_decision(
    client: Client,
    *,
    method: str,
    amount: Money,
    payer_matches: bool,
    subject: Deposit | None,
    actor: Actor,
) -> Decision:
    """Whether this money may come in, and whether it reaches the wallet without a person."""
    before = deposits_arrived(client.pk)
    context = {
        **_of_client(client),
        "method": method,
        "amount_base_minor": base_minor(amount, client),
        "currency": amount.currency,
        "category": client.category,
        "payer_matches": payer_matches,
        "first_deposit": not before.exists(),
        "deposits_total_base_minor": base_total(summed(before), client),
    }
    return decide(
        DEPOSIT_ACCEPT, context, actor=actor, subject=subject or client, entity=client.entity.code
    )


def route_decision(client: Client, *, method: str, amount: Money, actor: Actor) -> Decision:
    """Which providers may take the payment, in order."""
    context = {
        "method": method,
        "currency": amount.currency,
        "amount_base_minor": base_minor(amount, client),
        "country": client.country,
        "risk_rating": client.risk_rating,
        "first_deposit": not deposits_arrived(client.pk).exists(),
    }
    return decide(DEPOSIT_ROUTE, context, actor=actor, subject=client, entity=client.entity.code)


def withdrawal_decision(withdrawal: Withdrawal, *, actor: Actor) -> Decision:
    """Whether the money may leave, and how many people have to agree."""
    client = withdrawal.client
    others = withdrawals_alive(client.pk).exclude(pk=withdrawal.pk)
    recent = others.filter(created_at__gt=clock.now() - DAY)
    net = instrument_net(withdrawal.destination, without=withdrawal.pk)
    came_from_it = net.get(withdrawal.currency, Money.zero(withdrawal.currency))
    positions = Position.objects.filter(
        account_id__in=TradingAccount.objects.filter(client=client).values("pk")
    )
    context = {
        **_of_client(client),
        "amount_base_minor": base_minor(withdrawal.amount, client),
        "method": withdrawal.method,
        "currency": withdrawal.currency,
        "category": client.category,
        "first_withdrawal": not Withdrawal.objects.filter(
            client=client, outcome=WithdrawalState.SETTLED
        ).exists(),
        "new_destination": not destination_used(withdrawal),
        "closed_loop": came_from_it >= withdrawal.amount,
        "client_age_days": (clock.now() - client.created_at).days,
        "traded": positions.exists(),
        "open_positions": positions.open().count(),
        "deposits_total_base_minor": base_total(summed(deposits_arrived(client.pk)), client),
        "withdrawals_24h_base_minor": base_total(summed(recent), client),
    }
    return decide(
        WITHDRAWAL_GATE, context, actor=actor, subject=withdrawal, entity=client.entity.code
    )


def destination_used(withdrawal: Withdrawal) -> bool:
    """Whether money ever came from, or arrived at, where it shall go."""
    destination = withdrawal.destination
    if destination.first_paid_at is not None:
        return True
    return destination.withdrawals.filter(outcome=WithdrawalState.SETTLED).exists()


def transfer_decision(transfer: Transfer, *, actor: Actor) -> Decision:
    client = transfer.client
    context = {
        **_of_client(client),
        "amount_base_minor": base_minor(transfer.amount, client),
        "same_client": transfer.account.client_id == client.pk,
        "kind": transfer.direction,
        "currency": transfer.currency,
        "account_state": transfer.account.state,
    }
    return decide(TRANSFER_GATE, context, actor=actor, subject=transfer, entity=client.entity.code)
