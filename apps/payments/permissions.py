from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_PAYMENTS = Permission("payments.view_payments", _("See deposits, withdrawals and transfers"))
EXPORT_PAYMENTS = Permission(
    "payments.export_payments", _("Export deposits and withdrawals to a file"), step_up=True
)
DECIDE_DEPOSIT = Permission(
    "payments.decide_deposit", _("Credit or return deposits under review"), step_up=True
)
APPROVE_WITHDRAWAL = Permission(
    "payments.approve_withdrawal", _("Approve withdrawals"), step_up=True
)
REJECT_WITHDRAWAL = Permission("payments.reject_withdrawal", _("Reject withdrawals"), step_up=True)
RESOLVE_PAYOUT = Permission(
    "payments.resolve_payout", _("Resolve payouts that a provider lost"), step_up=True
)
RESOLVE_SUSPENSE = Permission(
    "payments.resolve_suspense", _("Allocate or return money in suspense"), step_up=True
)
RETRY_TRANSFER = Permission(
    "payments.retry_transfer", _("Retry or undo stuck transfers"), step_up=True
)
CONFIGURE_PROVIDER = Permission(
    "payments.configure_provider", _("Switch payment providers on and off"), step_up=True
)

# What a client may do with money of their own; the row scope says whose that is.
MAKE_DEPOSIT = Permission("payments.make_deposit", _("Deposit"))
REQUEST_WITHDRAWAL = Permission(
    "payments.request_withdrawal", _("Ask for a withdrawal"), step_up=True
)
REQUEST_TRANSFER = Permission(
    "payments.request_transfer", _("Move money between wallet and accounts")
)
