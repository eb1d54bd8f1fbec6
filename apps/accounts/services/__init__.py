"""The commands of this app."""

from apps.accounts.services.balance import balance_operation, balance_operation_request
from apps.accounts.services.caps import leverage_caps
from apps.accounts.services.catalogue import catalogue_load
from apps.accounts.services.delivery import operation_deliver
from apps.accounts.services.limits import (
    account_change_leverage,
    account_disable,
    account_make_close_only,
    account_make_read_only,
    account_reactivate,
    client_rights_sync,
)
from apps.accounts.services.opening import (
    account_approve,
    account_open,
    account_reject,
    account_retry_provisioning,
    operation_retry,
)

__all__ = [
    "account_approve",
    "account_change_leverage",
    "account_disable",
    "account_make_close_only",
    "account_make_read_only",
    "account_open",
    "account_reactivate",
    "account_reject",
    "account_retry_provisioning",
    "balance_operation",
    "balance_operation_request",
    "catalogue_load",
    "client_rights_sync",
    "leverage_caps",
    "operation_deliver",
    "operation_retry",
]
