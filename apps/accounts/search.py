"""Trading accounts by their login."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import TradingAccount
from apps.accounts.permissions import VIEW_ACCOUNTS
from apps.core.actor import Actor
from apps.core.search import Hit, as_uuid, page_url, register_search


def find_accounts(actor: Actor, text: str, limit: int) -> Iterable[Hit]:
    known = as_uuid(text)
    wanted = {"pk": known} if known else {"login": text}
    rows = TradingAccount.objects.visible_to(actor).filter(**wanted)
    for row in rows.select_related("client__person", "account_type")[:limit]:
        yield Hit(f"{row.login} {row.account_type}", page_url(row), str(row.client), True)


register_search(
    "accounts", VIEW_ACCOUNTS, find_accounts,
    label=_("Trading accounts"), icon="account_balance", order=20,
)  # fmt: skip
