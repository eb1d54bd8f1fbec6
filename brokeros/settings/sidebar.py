"""What stands in the back office's sidebar: each line for those who may open its page."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def item(title: Any, icon: str, url_name: str, permission: str = "") -> dict[str, Any]:
    """One line of the sidebar, shown only to those who hold the permission."""
    line: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url_name)}
    if permission:
        line["permission"] = lambda request: request.user.has_perm(permission)
    return line


SIDEBAR: dict[str, Any] = {
    "show_search": True,
    "show_all_applications": False,
    "navigation": [
        {
            "title": _("Work"),
            "items": [
                item(_("Home"), "home", "admin:index"),
                item(_("My exports and runs"), "task", "admin-runs"),
                item(_("Inbox"), "inbox", "admin-inbox", "core.view_workitem"),
                item(
                    _("Approvals"),
                    "how_to_reg",
                    "admin:core_approval_changelist",
                    "core.view_approval",
                ),
                item(
                    _("Who must approve what"),
                    "rule",
                    "admin:core_approvalpolicy_changelist",
                    "core.view_approvalpolicy",
                ),
                item(
                    _("Standing in"),
                    "swap_horiz",
                    "admin:core_delegation_changelist",
                    "core.view_delegation",
                ),
            ],
        },
        {
            "title": _("Staff"),
            "items": [
                item(_("People"), "badge", "admin:users_user_changelist", "users.view_user"),
                item(_("Roles"), "key", "admin:users_role_changelist", "users.view_role"),
                item(
                    _("Role grants"),
                    "vpn_key",
                    "admin:users_rolegrant_changelist",
                    "users.view_rolegrant",
                ),
                item(
                    _("Access reviews"),
                    "fact_check",
                    "admin:users_accessreview_changelist",
                    "users.view_accessreview",
                ),
                item(
                    _("Networks"),
                    "lan",
                    "admin:users_networkrule_changelist",
                    "users.view_networkrule",
                ),
                item(
                    _("Looks as a client"),
                    "visibility",
                    "admin:users_impersonation_changelist",
                    "users.view_impersonation",
                ),
            ],
        },
        {
            "title": _("Clients"),
            "items": [
                item(
                    _("Clients"),
                    "group",
                    "admin:clients_client_changelist",
                    "clients.view_client",
                ),
                item(
                    _("KYC reviews"),
                    "verified_user",
                    "admin:kyc_kyccase_changelist",
                    "kyc.view_kyccase",
                ),
                item(
                    _("Applications"),
                    "assignment",
                    "admin:clients_onboardingsession_changelist",
                    "clients.view_onboardingsession",
                ),
                item(
                    _("Restrictions"),
                    "block",
                    "admin:clients_restriction_changelist",
                    "clients.view_restriction",
                ),
                item(
                    _("Documents"),
                    "badge",
                    "admin:kyc_document_changelist",
                    "kyc.view_document",
                ),
                item(
                    _("Possible duplicates"),
                    "difference",
                    "admin:clients_duplicateflag_changelist",
                    "clients.view_duplicateflag",
                ),
                item(
                    _("Shared clients"),
                    "person_add",
                    "admin:clients_clientshare_changelist",
                    "clients.view_clientshare",
                ),
                item(
                    _("Legal entities"),
                    "domain",
                    "admin:clients_legalentity_changelist",
                    "clients.view_legalentity",
                ),
                item(
                    _("Agreements"),
                    "gavel",
                    "admin:clients_agreement_changelist",
                    "clients.view_agreement",
                ),
                item(
                    _("Privacy requests"),
                    "shield_person",
                    "admin:clients_privacyrequest_changelist",
                    "clients.view_privacyrequest",
                ),
                item(
                    _("Legal holds"),
                    "gavel",
                    "admin:clients_legalhold_changelist",
                    "clients.view_legalhold",
                ),
                item(
                    _("Retention rules"),
                    "auto_delete",
                    "admin:clients_retentionrule_changelist",
                    "clients.view_retentionrule",
                ),
                item(
                    _("Retention runs"),
                    "delete_history",
                    "admin:clients_retentionrun_changelist",
                    "clients.view_retentionrun",
                ),
                item(
                    _("Proofs of erasure"),
                    "verified",
                    "admin:clients_erasure_changelist",
                    "clients.view_erasure",
                ),
                item(
                    _("Data keys"),
                    "key",
                    "admin:core_datakey_changelist",
                    "core.view_datakey",
                ),
            ],
        },
        {
            "title": _("Accounts"),
            "items": [
                item(
                    _("Trading accounts"),
                    "account_balance",
                    "admin:accounts_tradingaccount_changelist",
                    "accounts.view_tradingaccount",
                ),
                item(
                    _("Asked of platforms"),
                    "dns",
                    "admin:accounts_platformoperation_changelist",
                    "accounts.view_platformoperation",
                ),
                item(
                    _("Account types"),
                    "category",
                    "admin:accounts_accounttype_changelist",
                    "accounts.view_accounttype",
                ),
                item(
                    _("Groups"),
                    "workspaces",
                    "admin:accounts_accountgroup_changelist",
                    "accounts.view_accountgroup",
                ),
                item(
                    _("Platforms"),
                    "lan",
                    "admin:accounts_platform_changelist",
                    "accounts.view_platform",
                ),
            ],
        },
        {
            "title": _("Money"),
            "items": [
                item(
                    _("Deposits"),
                    "south_west",
                    "admin:payments_deposit_changelist",
                    "payments.view_deposit",
                ),
                item(
                    _("Withdrawals"),
                    "north_east",
                    "admin:payments_withdrawal_changelist",
                    "payments.view_withdrawal",
                ),
                item(
                    _("Transfers"),
                    "swap_horiz",
                    "admin:payments_transfer_changelist",
                    "payments.view_transfer",
                ),
                item(
                    _("Suspense"),
                    "help_center",
                    "admin:payments_suspenseitem_changelist",
                    "payments.view_suspenseitem",
                ),
                item(
                    _("Providers"),
                    "credit_card",
                    "admin:payments_paymentprovider_changelist",
                    "payments.view_paymentprovider",
                ),
                item(
                    _("Provider messages"),
                    "webhook",
                    "admin:payments_webhookreceipt_changelist",
                    "payments.view_webhookreceipt",
                ),
            ],
        },
        {
            "title": _("Ledger"),
            "items": [
                item(
                    _("Trial balance"),
                    "balance",
                    "admin:ledger_trial_balance",
                    "ledger.view_ledger",
                ),
                item(
                    _("Ledger accounts"),
                    "account_tree",
                    "admin:ledger_account_changelist",
                    "ledger.view_account",
                ),
                item(
                    _("Entries"),
                    "menu_book",
                    "admin:ledger_entry_changelist",
                    "ledger.view_entry",
                ),
            ],
        },
        {
            "title": _("Dealing"),
            "items": [
                item(
                    _("Orders"),
                    "list_alt",
                    "admin:orders_order_changelist",
                    "orders.view_order",
                ),
                item(
                    _("Executions"),
                    "done_all",
                    "admin:orders_execution_changelist",
                    "orders.view_execution",
                ),
                item(
                    _("Positions"),
                    "show_chart",
                    "admin:orders_position_changelist",
                    "orders.view_position",
                ),
                item(
                    _("At venues"),
                    "outbound",
                    "admin:orders_childorder_changelist",
                    "orders.view_childorder",
                ),
                item(
                    _("Engines"),
                    "memory",
                    "admin:orders_engineoffset_changelist",
                    "orders.view_engineoffset",
                ),
            ],
        },
        {
            "title": _("Partners"),
            "items": [
                item(_("Partners"), "handshake", "admin:ib_partner_changelist", "ib.view_partner"),
                item(
                    _("Partner tree"),
                    "account_tree",
                    "admin:ib_partner_tree",
                    "ib.view_partner",
                ),
                item(
                    _("Attributions"),
                    "person_pin",
                    "admin:ib_attribution_changelist",
                    "ib.view_attribution",
                ),
                item(_("Plans"), "price_change", "admin:ib_plan_changelist", "ib.view_plan"),
                item(
                    _("Commission lines"),
                    "receipt_long",
                    "admin:ib_accrual_changelist",
                    "ib.view_accrual",
                ),
                item(_("Payouts"), "payments", "admin:ib_payout_changelist", "ib.view_payout"),
            ],
        },
        {
            "title": _("Rules"),
            "items": [
                item(
                    _("Rule sets"),
                    "rule",
                    "admin:rules_ruleset_changelist",
                    "rules.view_ruleset",
                ),
                item(
                    _("Decision receipts"),
                    "receipt_long",
                    "admin:rules_decisionlog_changelist",
                    "rules.view_decisionlog",
                ),
            ],
        },
        {
            "title": _("Audit"),
            "items": [
                item(
                    _("Audit trail"),
                    "history",
                    "admin:core_auditrecord_changelist",
                    "core.view_auditrecord",
                ),
                item(
                    _("Signed heads"),
                    "verified",
                    "admin:core_audithead_changelist",
                    "core.view_audithead",
                ),
            ],
        },
        {
            "title": _("Risk"),
            "items": [
                item(
                    _("Live exposure"),
                    "monitoring",
                    "admin-risk-exposure",
                    "risk.view_exposure",
                ),
                item(
                    _("Kill switches"),
                    "block",
                    "admin:risk_killswitch_changelist",
                    "risk.view_killswitch",
                ),
            ],
        },
        {
            "title": _("Market"),
            "items": [
                item(
                    _("Instruments"),
                    "candlestick_chart",
                    "admin:market_instrument_changelist",
                    "market.view_instrument",
                ),
                item(
                    _("Trading hours"),
                    "schedule",
                    "admin:market_tradingcalendar_changelist",
                    "market.view_tradingcalendar",
                ),
                item(
                    _("Venues"),
                    "hub",
                    "admin:market_venue_changelist",
                    "market.view_venue",
                ),
            ],
        },
        {
            "title": _("System"),
            "items": [
                item(_("Configuration"), "settings", "admin-config", "core.export_config"),
                item(
                    _("Message texts"),
                    "mail",
                    "admin:core_messagetemplate_changelist",
                    "core.view_messagetemplate",
                ),
                item(
                    _("Sent messages"),
                    "outgoing_mail",
                    "admin:core_sentmail_changelist",
                    "core.view_sentmail",
                ),
                item(
                    _("Dead letters"),
                    "sync_problem",
                    "admin:core_delivery_dead",
                    "core.retry_delivery",
                ),
                item(
                    _("Events"),
                    "bolt",
                    "admin:core_outboxevent_changelist",
                    "core.view_outboxevent",
                ),
                item(
                    _("Deliveries"),
                    "local_shipping",
                    "admin:core_delivery_changelist",
                    "core.view_delivery",
                ),
            ],
        },
    ],
}
