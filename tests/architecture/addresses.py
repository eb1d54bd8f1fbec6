"""Every address of the URL conf, and what is known of each: who may open it and whose objects it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.house import House

GROUP = re.compile(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)|\(([^()?][^()]*)\)")
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """`route` is the pattern as it stands in the URL conf, `name` its name with namespaces."""

    name: str
    route: str

    def path(self, **values: Any) -> str:
        """The address with its places filled."""
        text = GROUP.sub(lambda m: f"<{m.group(1) or 'unnamed'}>", self.route)
        text = re.sub(r"[\^$]", "", text)
        fill = iter(values.values())
        return "/" + CONVERTER.sub(lambda m: str(values.get(m.group(1)) or next(fill)), text)


def addresses() -> list[Address]:
    return [
        Address(name, route)
        for name, route in _walk(get_resolver().url_patterns)
        if not _catch_all(route)
    ]


def _walk(patterns: list[Any], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry.url_patterns, route, inner)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name or '-'}", route


def _catch_all(route: str) -> bool:
    return route == "admin/(?P<url>.*)$"


def model_admins() -> dict[str, Any]:
    """`payments_deposit` → its admin."""
    return {f"{m._meta.app_label}_{m._meta.model_name}": a for m, a in admin.site._registry.items()}


Objects = Callable[[House, str], dict[str, Any]]
"""The values for an address that names something of `ana` (a funded client) or of `omar`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`door` says who may come in: `public`, `client`, `partner`, `api`, `staff`, `hook`.

    `objects` fills the places; an address whose objects belong to a client is tried with another one's too.
    `posts` marks an address that answers POST only. `records` are tables that a look may write to.
    """

    door: str
    permission: str = ""
    objects: Objects | None = None
    owned: bool = False
    posts: bool = False
    records: frozenset[str] = frozenset()


def public(*, objects: Objects | None = None, posts: bool = False, records: str = "") -> Rule:
    return Rule("public", objects=objects, posts=posts, records=frozenset(records.split()))


def client(model: str = "", place: str = "", *, posts: bool = False, records: str = "") -> Rule:
    owned = _owned(model, place) if model else None
    return Rule("client", "", owned, bool(model), posts, frozenset(records.split()))


def partner(model: str = "", place: str = "", *, objects: Objects | None = None) -> Rule:
    return Rule(
        "partner", "", objects or (_owned(model, place) if model else None), bool(model or objects)
    )


def api(permission: str = "", model: str = "", *, posts: bool = False, records: str = "") -> Rule:
    owned = _owned(model, "pk") if model else None
    return Rule("api", permission, owned, bool(model), posts, frozenset(records.split()))


def shared(door: str, permission: str = "", *, posts: bool = False, **values: str) -> Rule:
    """The place names something that belongs to nobody."""
    return Rule(door, permission, (lambda _house, _who: values) if values else None, False, posts)


def _owned(model: str, place: str) -> Objects:
    return lambda house, who: {place: house.thing(model, who).pk}


def _no_run(_house: House, _who: str) -> dict[str, Any]:
    """A run is its maker's alone; nobody in the house has started one."""
    return {"run_id": UUID(int=0)}


PLATFORM = "accounts.PlatformServer"
FILE = "core_auditrecord"

RULES: dict[str, Rule] = {
    # the front door
    "landing": public(),
    "home": Rule("login"),
    "notifications": Rule("login"),
    "notifications-feed": Rule("login"),
    "notifications-read": Rule("login", posts=True),
    "notifications-choices": Rule("login"),
    "notifications-open": Rule("login", objects=lambda _h, _w: {"notification_id": 1}, posts=True),
    "unsubscribe": public(objects=lambda _house, _who: {"token": "guessed"}),
    "api-docs": Rule("login"),
    "mailbox-list": public(),
    "mailbox-message": public(objects=lambda _house, _who: {"mail_id": 1}),
    "referral": public(objects=lambda _house, _who: {"code": "north"}, records="ib_click"),
    "schema": Rule("api"),
    "payment-webhook": public(objects=lambda _house, _who: {"provider": "psp-sim"}, posts=True),
    # registering and signing in
    "portal:login": public(),
    "account_login": public(),
    "mfa_login_webauthn": public(),
    "mfa_authenticate": public(),
    "portal:logout": public(posts=True),
    "portal:clients-register": public(),
    "portal:clients-check-mail": public(),
    "portal:clients-resend": public(posts=True),
    "portal:clients-notices": public(),
    "portal:clients-confirm": public(objects=lambda _house, _who: {"token": "guessed"}),
    "portal:clients-password-reset": public(),
    "portal:clients-password-set": public(objects=lambda _h, _w: {"uid": "MQ", "token": "guessed"}),
    # proving who one is, and what belongs to it
    "account_reauthenticate": Rule("login"),
    "mfa_index": Rule("login"),
    "account_change_password": Rule("login"),
    "account-end-sessions": Rule("login", posts=True),
    "mfa_activate_totp": Rule("login"),
    "mfa_deactivate_totp": Rule("login"),
    "mfa_view_recovery_codes": Rule("login"),
    "mfa_generate_recovery_codes": Rule("login"),
    "mfa_download_recovery_codes": Rule("login"),
    "mfa_add_webauthn": Rule("login"),
    "mfa_edit_webauthn": Rule("login", objects=lambda _h, _w: {"pk": 1}),
    "mfa_remove_webauthn": Rule("login", objects=lambda _h, _w: {"pk": 1}),
    # a client's own pages
    "portal:dashboard": Rule("login"),
    "portal:clients-onboarding": client(),
    "portal:clients-onboarding-review": client(),
    "portal:clients-onboarding-step": shared("client", step="personal"),
    "portal:clients-onboarding-fields": shared("client", step="personal", posts=True),
    "portal:clients-profile": client(),
    "portal:clients-agreements": client(),
    "portal:clients-privacy": client(),
    "portal:clients-privacy-fetch": client("clients.PrivacyRequest", "request_id", posts=True),
    "portal:clients-agreement": client("clients.Agreement", "agreement_id"),
    "portal:kyc-status": client(),
    "portal:kyc-submit": client(posts=True),
    "portal:kyc-upload": shared("client", evidence="POI", posts=True),
    "portal:kyc-document": client("kyc.Document", "document_id", records=FILE),
    "portal:accounts-list": client(),
    "portal:accounts-open": client(),
    "portal:accounts-open-type": shared("client", code="eu-standard"),
    "portal:accounts-account": client("accounts.TradingAccount", "account_id"),
    "portal:accounts-leverage": client("accounts.TradingAccount", "account_id"),
    "portal:orders-ticket": client(),
    "portal:orders-live": client(),
    "portal:orders-bars": shared("client", symbol="EURUSD"),
    "portal:orders-positions": client(),
    "portal:orders-close": client("orders.Position", "position_id", posts=True),
    "portal:orders-history": client(),
    "portal:orders-order": client("orders.Order", "order_id"),
    "portal:orders-cancel": client("orders.Order", "order_id", posts=True),
    "portal:payments-wallets": client(),
    "portal:payments-deposit": client(),
    "portal:payments-deposit-detail": client("payments.Deposit", "deposit_id"),
    "portal:payments-deposit-cancel": client("payments.Deposit", "deposit_id", posts=True),
    "portal:payments-withdraw": client(),
    "portal:payments-bank-account": client(),
    "portal:payments-withdrawal-detail": client("payments.Withdrawal", "withdrawal_id"),
    "portal:payments-withdrawal-cancel": client("payments.Withdrawal", "withdrawal_id", posts=True),
    "portal:payments-transfer": client(),
    "portal:payments-transfer-detail": client("payments.Transfer", "transfer_id"),
    "portal:payments-history": client(),
    # a partner's own pages
    "partner:dashboard": partner(),
    "partner:apply": Rule("login"),
    "partner:tree": partner(),
    "partner:clients": partner(),
    "partner:accruals": partner(),
    "partner:accrual": partner("ib.Accrual", "accrual_id"),
    "partner:statement": partner(),
    "partner:payouts": partner(),
    "partner:links": partner(),
    "partner:link-qr": partner(objects=lambda house, who: {"code": house.thing("ib.ReferralLink", who).code}),
    "partner:invite": partner(),
    # the interface
    "rule-decision-list": api("rules.view_decisionlog"),
    "rule-decision-detail": api("rules.view_decisionlog", "rules.DecisionLog"),
    "client-list": api("clients.view_client"),
    "client-detail": api("clients.view_client", "clients.Client"),
    "agreement-list": api("clients.view_agreement"),
    "agreement-detail": api("clients.view_agreement", "clients.Agreement"),
    "agreement-accept": api("clients.view_agreement", "clients.Agreement", posts=True),
    "restriction-list": api("clients.view_restriction"),
    "restriction-detail": api("clients.view_restriction", "clients.Restriction"),
    "restriction-lift": api("clients.view_restriction", "clients.Restriction", posts=True),
    "kyc-case-list": api("kyc.view_kyccase"),
    "kyc-case-submit": api("kyc.view_kyccase", posts=True),
    "kyc-case-detail": api("kyc.view_kyccase", "kyc.KycCase"),
    "kyc-document-list": api("kyc.view_document"),
    "kyc-document-detail": api("kyc.view_document", "kyc.Document"),
    "kyc-document-file": api("kyc.view_document", "kyc.Document", records=FILE),
    "account-list": api("accounts.view_tradingaccount"),
    "account-detail": api("accounts.view_tradingaccount", "accounts.TradingAccount"),
    "account-leverage": api("accounts.view_tradingaccount", "accounts.TradingAccount", posts=True),
    "platform-list": api("accounts.view_platformserver"),
    "platform-detail": Rule("api", "accounts.view_platformserver", lambda h, _: {"pk": h.any(PLATFORM)}),
    "partner-list": api("ib.view_partner"),
    "partner-detail": api("ib.view_partner", "ib.Partner"),
    "plan-list": api("ib.view_partner"),
    "plan-detail": Rule("api", "ib.view_partner", lambda h, _w: {"pk": h.any("ib.Plan", code="standard")}),
    "accrual-list": api("ib.view_partner"),
    "accrual-detail": api("ib.view_partner", "ib.Accrual"),
    "payout-list": api("ib.view_partner"),
    "payout-detail": api("ib.view_partner", "ib.Payout"),
    "order-list": api("orders.view_order"),
    "order-detail": api("orders.view_order", "orders.Order"),
    "order-cancel": api("orders.view_order", "orders.Order", posts=True),
    "execution-list": api("orders.view_execution"),
    "execution-detail": api("orders.view_execution", "orders.Execution"),
    "position-list": api("orders.view_position"),
    "position-detail": api("orders.view_position", "orders.Position"),
    "position-close": api("orders.view_position", "orders.Position", posts=True),
    "wallet-list": api("payments.view_deposit"),
    "deposit-list": api("payments.view_deposit"),
    "deposit-detail": api("payments.view_deposit", "payments.Deposit"),
    "deposit-cancel": api("payments.view_deposit", "payments.Deposit", posts=True),
    "withdrawal-list": api("payments.view_withdrawal"),
    "withdrawal-detail": api("payments.view_withdrawal", "payments.Withdrawal"),
    "withdrawal-cancel": api("payments.view_withdrawal", "payments.Withdrawal", posts=True),
    "withdrawal-checks": api("payments.view_payments", "payments.Withdrawal"),
    "transfer-list": api("payments.view_transfer"),
    "transfer-detail": api("payments.view_transfer", "payments.Transfer"),
    "instrument-list": Rule("api"),
    "instrument-quotes": Rule("api"),
    "instrument-detail": shared("api", symbol="EURUSD"),
    "instrument-candles": shared("api", symbol="EURUSD"),
    "instrument-quote": shared("api", symbol="EURUSD"),
    "exposure": api("risk.view_exposure"),
    # pages of the back office that belong to no row
    "admin:index": Rule("staff"),
    "admin:login": public(),
    "admin:logout": public(posts=True),
    "admin:password_change": Rule("staff"),
    "admin:password_change_done": Rule("staff"),
    "admin:jsi18n": Rule("staff"),
    "admin:search": Rule("staff"),
    "admin:autocomplete": Rule("staff-none"),
    "admin:view_on_site": Rule("staff-none", objects=lambda _h, _w: {"content_type_id": 1, "object_id": 1}),
    "admin:app_list": Rule("staff-some", objects=lambda _h, _w: {"app_label": "clients"}),
    "admin:core_delivery_dead": Rule("staff", "core.retry_delivery"),
    "admin-no-public-page": Rule("staff-none", objects=lambda _h, _w: {"rest": "1/1/"}),
    "admin-find": Rule("staff"),
    "admin-inbox": Rule("staff", "core.view_workitem"),
    "admin-away": Rule("staff", "core.delegate"),
    "admin-inbox-act": Rule("staff", "core.view_workitem", posts=True),
    "admin-runs": Rule("staff"),
    "admin-run": Rule("staff-none", objects=_no_run),
    "admin-run-progress": Rule("staff-none", objects=_no_run),
    "admin-run-stop": Rule("staff-none", objects=_no_run),
    "admin-run-file": Rule("staff-none", objects=_no_run),
    "admin-personal-reveal": Rule("staff", "core.reveal_personal", lambda h, w: {
        "label": "clients.person", "pk": h.thing("clients.Person", w).pk, "field": "email"}, True),
    "admin-config": Rule("staff", "core.export_config"),
    "admin-config-export": Rule("staff", "core.export_config"),
    "admin-config-request": Rule("staff", "core.apply_config"),
    "admin:core_messagetemplate_draft": Rule("staff", "core.edit_message"),
    "admin:core_messagetemplate_preview": Rule(
        "staff", "core.view_messagetemplate", _owned("core.MessageTemplate", "template_id"), True
    ),
    "admin-risk-exposure": Rule("staff", "risk.view_exposure"),
    "admin-risk-exposure-symbol": Rule("staff", "risk.view_exposure", lambda _h, _w: {"symbol": "EURUSD"}),
    "admin:rules_ruleset_tester": Rule("staff", "rules.test_rules", _owned("rules.RuleSet", "object_id"), True),
    "admin:ledger_trial_balance": Rule("staff", "ledger.view_ledger"),
    "admin:clients_privacyrequest_certificate": Rule(
        "staff", "clients.view_privacyrequest", _owned("clients.PrivacyRequest", "pk"), True
    ),
    "admin:kyc_kyccase_next": Rule("staff", "kyc.review_case"),
    "admin:kyc_document_file": Rule(
        "staff", "kyc.view_document", _owned("kyc.Document", "document_id"), True, records=frozenset({FILE})
    ),
    "admin:risk_killswitch_trip": Rule("staff", "orders.set_kill_switch"),
    "admin:rules_decisionlog_receipt": Rule(
        "staff", "rules.view_decisionlog", _owned("rules.DecisionLog", "decision_id"), True, records=frozenset({FILE})
    ),
    "admin:payments_withdrawal_dossier": Rule(
        "staff", "payments.view_payments", _owned("payments.Withdrawal", "withdrawal_id"), True
    ),
    "admin:payments_withdrawal_dossier_pdf": Rule(
        "staff", "payments.view_payments", _owned("payments.Withdrawal", "withdrawal_id"), True,
        records=frozenset({FILE}),
    ),
    "admin:core_timeline": Rule(
        "staff", "clients.view_client",
        lambda house, who: {"label": "clients.client", "object_id": house.thing("clients.Client", who).pk}, True,
    ),
    "admin:core_auditrecord_extract": Rule("staff", "core.export_auditrecord"),
    "admin-clients-hand-on": Rule("staff", "clients.change_owner", lambda h, _w: {"user_id": h.logins["sales"].pk}),
    "staff-welcome": public(objects=lambda _h, _w: {"uid": "MQ", "token": "guessed"}),
    "admin:users_user_invite": Rule("staff", "users.manage_staff"),
    "admin:users_networkrule_limit": Rule("staff", "users.manage_networks"),
    "admin:users_impersonation_begin": Rule(
        "staff", "users.impersonate_client", lambda h, _w: {"user_id": h.ana.user.pk}
    ),
    "admin:users_impersonation_stop": Rule("staff"),
    "admin:ib_partner_tree": Rule("staff", "ib.view_partner"),
}  # fmt: skip

MODEL_PAGES = (
    "bulk",
    "export",
    "view_save",
    "view_remove",
    "changelist",
    "add",
    "simple_history",
    "history",
    "delete",
    "change",
    "transition",
)


def model_page(name: str) -> tuple[str, str] | None:
    """`admin:payments_deposit_change` → (`payments_deposit`, `change`)."""
    if name in RULES or not name.startswith("admin:"):
        return None
    for page in MODEL_PAGES:
        if name.endswith(f"_{page}"):
            model = name.removeprefix("admin:").removesuffix(f"_{page}")
            return (model, page) if model in model_admins() else None
    return None
