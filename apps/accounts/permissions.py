"""What a person needs to be allowed around trading accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_ACCOUNTS = Permission("accounts.view_tradingaccount", _("See trading accounts"))
VIEW_PLATFORMS = Permission("accounts.view_platform", _("See platforms, groups and account types"))
OPEN_ACCOUNT = Permission("accounts.open_account", _("Open a trading account"))
DECIDE_ACCOUNT = Permission("accounts.decide_account", _("Approve and reject requested accounts"))
CHANGE_LEVERAGE = Permission("accounts.change_leverage", _("Change an account's leverage"))
LIMIT_ACCOUNT = Permission(
    "accounts.limit_account", _("Make close-only, read-only, disable, reactivate")
)
RETRY_PLATFORM = Permission("accounts.retry_platform", _("Retry what a platform has not done"))
