"""What happens to accounts when something happens elsewhere, and how requests reach the platforms."""

from __future__ import annotations

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.events import AccountActivated, PlatformOperationRequested
from apps.accounts.messages import ACCOUNT_OPENED, OPENED
from apps.accounts.models import TradingAccount
from apps.accounts.rights import PASSED_ON
from apps.accounts.services import client_rights_sync, operation_deliver
from apps.clients.events import RestrictionAdded, RestrictionLifted
from apps.clients.messages import mail_client, notify_client, page
from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to

SYSTEM = Actor.system("restrictions")


@reacts_to(PlatformOperationRequested, atomic=False)
def deliver_to_platform(event: PlatformOperationRequested) -> None:
    """Raises while the platform has not answered, so that it is repeated with a longer and longer wait."""
    operation_deliver(operation_id=event.operation_id)


@reacts_to(RestrictionAdded)
def pass_restriction_on(event: RestrictionAdded) -> None:
    _sync(event, "a restriction binds the client")


@reacts_to(RestrictionLifted)
def take_restriction_back(event: RestrictionLifted) -> None:
    _sync(event, "a restriction of the client ended")


def _sync(event: RestrictionAdded | RestrictionLifted, reason: str) -> None:
    if event.kind in PASSED_ON:
        client_rights_sync(client_id=event.client_id, actor=SYSTEM, reason=reason)


@reacts_to(AccountActivated, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_account_opened(event: AccountActivated) -> None:
    account = TradingAccount.objects.select_related("account_type").get(pk=event.account_id)
    values = {
        "login": account.login or "",
        "type": account.account_type.name,
        "currency": account.currency,
        "leverage": account.leverage,
        "link": page("portal:accounts-account", account.pk),
    }
    mail_client(OPENED, client_id=event.client_id, values=values)


@reacts_to(AccountActivated)
def notify_account_opened(event: AccountActivated) -> None:
    account = TradingAccount.objects.get(pk=event.account_id)
    notify_client(
        event.client_id,
        kind=ACCOUNT_OPENED,
        title=format_lazy(_("Trading account {login} is open"), login=account.login or ""),
        url=reverse("portal:accounts-account", args=[account.pk]),
        actor=Actor.system("accounts"),
        key=str(account.pk),
    )
