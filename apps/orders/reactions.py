"""What the engine is told when something happens below. Each waits for its answer, so what gets lost is sent again."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from apps.accounts.events import AccountActivated, AccountChanged
from apps.accounts.models import TradingAccount
from apps.clients.events import RestrictionAdded, RestrictionLifted
from apps.core.events import reacts_to
from apps.orders.engine.commands import FundsApplied, KillSwitch
from apps.orders.errors import AccountNotInEngine, EngineSilent
from apps.orders.events import FundsApplyRequested, KillSwitchSet
from apps.orders.host import shards
from apps.orders.host.gate import ask
from apps.orders.host.units import to_us
from apps.orders.models import EngineAccount
from apps.orders.services import account_register


@reacts_to(AccountActivated, atomic=False)
def register_account(event: AccountActivated) -> None:
    """A new account can be funded and traded from here on."""
    account_register(account_id=event.account_id)


@reacts_to(AccountChanged, atomic=False)
def refresh_account(event: AccountChanged) -> None:
    """Rights, leverage or restrictions changed; what is true now counts, not what was true then."""
    if EngineAccount.objects.filter(pk=event.account_id).exists():
        account_register(account_id=event.account_id)


@reacts_to(RestrictionAdded, atomic=False)
def restrict_accounts(event: RestrictionAdded) -> None:
    _refresh_client(event.client_id)


@reacts_to(RestrictionLifted, atomic=False)
def release_accounts(event: RestrictionLifted) -> None:
    _refresh_client(event.client_id)


def _refresh_client(client_id: UUID) -> None:
    accounts = TradingAccount.objects.filter(client_id=client_id, engine__isnull=False)
    for account_id in accounts.values_list("pk", flat=True):
        account_register(account_id=account_id)


@reacts_to(FundsApplyRequested, atomic=False)
def apply_funds(event: FundsApplyRequested) -> None:
    """Book money in the engine, once per reference."""
    reply = ask(
        shards.shard_of(event.account_id),
        FundsApplied(
            at=to_us(event.requested_at),
            key=f"funds:{event.reference}:{event.direction}"[:120],
            account=str(event.account_id),
            amount=event.amount_minor if event.direction == "IN" else -event.amount_minor,
            reference=event.reference,
            kind=event.kind,
        ),
    )
    if not reply.ok:
        raise AccountNotInEngine if reply.code == "ACCOUNT_UNKNOWN" else EngineSilent


@reacts_to(KillSwitchSet, atomic=False)
def set_kill_switch(event: KillSwitchSet) -> None:
    """Every engine obeys a switch, whatever it holds."""
    for shard in settings.ENGINE_SHARDS:
        reply = ask(
            shard,
            KillSwitch(
                at=to_us(event.set_at),
                key=f"kill:{event.scope}:{event.mode}:{to_us(event.set_at)}"[:120],
                scope=event.scope,
                mode=event.mode,
            ),
        )
        if not reply.ok:
            raise EngineSilent
