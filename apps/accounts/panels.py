"""What this app adds to the pages of clients, and the work that waits for operations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.permissions import DECIDE_ACCOUNT, RETRY_PLATFORM, VIEW_ACCOUNTS
from apps.accounts.selectors import (
    account_list,
    accounts_to_decide,
    operations_open,
    provisioning_failed,
)
from apps.core import clock
from apps.core.actor import Actor
from apps.core.panels import Panel, QueueRow, register_panel, register_queue

PROVISION_SLA = timedelta(minutes=30)
DECISION_SLA = timedelta(hours=4)
SILENCE = timedelta(minutes=2)


class AccountsPanel(Panel):
    """The client's trading accounts, with what the platform has confirmed."""

    title = _("Trading accounts")
    template = "accounts/panels/accounts.html"
    permission = VIEW_ACCOUNTS

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        return {"accounts": list(account_list(actor=actor).filter(client_id=obj.pk))}


class OperationsPanel(Panel):
    """Everything that the platform was asked for this account."""

    title = _("Asked of the platform")
    template = "accounts/panels/operations.html"
    permission = VIEW_ACCOUNTS

    def context(self, obj: Any, actor: Actor) -> dict[str, Any]:
        return {"operations": list(obj.operations.all()[:30]), "account": obj}


def _failed(actor: Actor) -> Iterable[QueueRow]:
    for account in provisioning_failed(actor=actor):
        yield QueueRow(
            label=f"{account.client.number}: {account.account_type} {account.currency}",
            url=reverse("admin:accounts_tradingaccount_change", args=[account.pk]),
            since=account.updated_at,
            sla_due=account.updated_at + PROVISION_SLA,
            severity="high",
            next_action=str(_("Look why the platform refused, then retry")),
        )


def _to_decide(actor: Actor) -> Iterable[QueueRow]:
    for account in accounts_to_decide(actor=actor):
        yield QueueRow(
            label=f"{account.client.number}: {account.account_type} {account.currency}",
            url=reverse("admin:accounts_tradingaccount_change", args=[account.pk]),
            since=account.created_at,
            sla_due=account.created_at + DECISION_SLA,
            next_action=str(_("Approve or reject")),
        )


def _silent(actor: Actor) -> Iterable[QueueRow]:
    for operation in operations_open(actor=actor).filter(created_at__lt=clock.now() - SILENCE):
        yield QueueRow(
            label=f"{operation.get_kind_display()} {operation.reference}",
            url=reverse("admin:accounts_platformoperation_change", args=[operation.pk]),
            since=operation.created_at,
            severity="high",
            next_action=operation.error or str(_("Waiting for the platform")),
        )


register_panel("clients.Client", AccountsPanel, order=20)
register_queue(
    "accounts.provision_failed", _("Accounts that could not be opened"), RETRY_PLATFORM, _failed
)
register_queue("accounts.to_decide", _("Accounts to approve"), DECIDE_ACCOUNT, _to_decide)
register_queue("accounts.silent", _("Platform has not answered"), RETRY_PLATFORM, _silent)
