"""Reads: what the order engine, payments and the screens may ask about trading accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.adapters import capabilities_of
from apps.accounts.adapters.protocol import Capability
from apps.accounts.enums import AccountMode, AccountState, OperationState
from apps.accounts.models import AccountType, PlatformOperation, PlatformServer, TradingAccount
from apps.accounts.rights import rights_due
from apps.clients.models import Client
from apps.clients.selectors import client_restrictions, restrictions_by_client
from apps.core.actor import Actor
from apps.core.errors import NotVisible

_GONE = (AccountState.REJECTED, AccountState.CLOSED, AccountState.ARCHIVED)


@dataclass(frozen=True, slots=True)
class AccountEngineView:
    """All that trading on an account depends on, as of one read."""

    account_id: UUID
    client_id: UUID
    login: str
    entity: str
    currency: str
    leverage: int
    leverage_caps: dict[str, int]
    mode: str
    state: str
    rights: str
    group: str
    margin_call_percent: int
    stop_out_percent: int
    account_type: str
    category: str
    restrictions: frozenset[str]


def account_engine_view(account_id: UUID) -> AccountEngineView:
    """What the engine must know now. Raises `NotVisible` when there is no such account."""
    account = _for_engine().filter(pk=account_id).first()
    if account is None:
        raise NotVisible
    return _engine_view(account, client_restrictions(account.client_id))


def account_engine_views() -> list[AccountEngineView]:
    """Every live account, for an engine that starts."""
    accounts = list(_for_engine().live())
    restrictions = restrictions_by_client({account.client_id for account in accounts})
    return [_engine_view(account, restrictions[account.client_id]) for account in accounts]


def _for_engine() -> Any:
    return TradingAccount.objects.select_related("client__entity", "group", "account_type")


def _engine_view(account: TradingAccount, restrictions: set[str]) -> AccountEngineView:
    return AccountEngineView(
        account_id=account.id,
        client_id=account.client_id,
        login=account.login or "",
        entity=account.client.entity.code,
        currency=account.currency,
        leverage=account.leverage,
        leverage_caps={code: int(cap) for code, cap in account.leverage_caps.items()},
        mode=account.mode,
        state=account.state,
        rights=rights_due(account.state, restrictions).value,
        group=account.group.code,
        margin_call_percent=int(account.group.margin_call_percent),
        stop_out_percent=int(account.group.stop_out_percent),
        account_type=account.account_type.code,
        category=account.client.category,
        restrictions=frozenset(restrictions),
    )


def account_list(*, actor: Actor) -> QuerySet[TradingAccount]:
    """Accounts within the actor's scope, ready to be listed in a fixed number of queries."""
    return TradingAccount.objects.visible_to(actor).select_related(
        "client__person", "client__entity", "account_type", "server__platform", "group"
    )


def account_get(account_id: UUID, *, actor: Actor) -> TradingAccount:
    """Raises `NotVisible` when there is none or it is out of scope."""
    account = account_list(actor=actor).filter(pk=account_id).first()
    if account is None:
        raise NotVisible
    return account


def accounts_counted(client_id: UUID, *, account_type_id: UUID | None = None) -> int:
    """How many accounts count towards a client's limit: all that are not over."""
    rows = TradingAccount.objects.filter(client_id=client_id).exclude(state__in=_GONE)
    if account_type_id is not None:
        rows = rows.filter(account_type_id=account_type_id)
    return rows.count()


def why_not_offered(account_type: AccountType, client: Client) -> str:
    """The sentence that explains why this client cannot choose this type; empty when it is offered."""
    if not account_type.offered or not account_type.server.active:
        return _("it is not open for new accounts")
    if client.entity.code not in account_type.entities:
        return _("it belongs to another company of the group")
    if client.category not in account_type.categories:
        return _("it is for %(categories)s clients") % {
            "categories": ", ".join(name.lower() for name in account_type.categories)
        }
    if client.kyc_level < account_type.min_kyc_level:
        return _("it needs verification level %(level)d") % {"level": account_type.min_kyc_level}
    needed = Capability(AccountMode(account_type.mode).value)
    if needed not in capabilities_of(account_type.server):
        return _("the platform cannot do it")
    return ""


def account_types_for(client: Client) -> list[AccountType]:
    """The types that this client may choose, in the catalogue's order."""
    types = AccountType.objects.select_related("server__platform").prefetch_related("type_groups")
    return [row for row in types if not why_not_offered(row, client)]


def operations_open(*, actor: Actor) -> QuerySet[PlatformOperation]:
    """What the platforms still owe an answer for, the oldest first."""
    return (
        PlatformOperation.objects.visible_to(actor)
        .exclude(state__in=[OperationState.DONE, OperationState.FAILED])
        .select_related("account__client__person", "account__server")
        .order_by("created_at")
    )


def provisioning_failed(*, actor: Actor) -> QuerySet[TradingAccount]:
    """Accounts that a platform refused to open and that wait for a person."""
    return account_list(actor=actor).filter(state=AccountState.PROVISION_FAILED)


def accounts_to_decide(*, actor: Actor) -> QuerySet[TradingAccount]:
    return account_list(actor=actor).filter(state=AccountState.PENDING_APPROVAL)


def server_list() -> QuerySet[PlatformServer]:
    return PlatformServer.objects.select_related("platform")
