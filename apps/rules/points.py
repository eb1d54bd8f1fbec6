"""Every place where a rule decides: what it is told, what it may answer, how it fails.

Amounts are integers in minor units of the entity's base currency (`*_base_minor`; a money value in
that currency may be given). Quantities are thousandths of a lot (`*_millilots`; a Decimal of lots may
be given). An input with a default may be left out; every other must be given, and `None` counts as
not given. An input that is not declared here is refused.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.rules.engine.schema import (
    REQUIRED,
    Field,
    HitPolicy,
    Kind,
    Merge,
    Obligation,
    Outcome,
    Point,
)

FIRST, MOST_RESTRICTIVE, COLLECT = HitPolicy.FIRST, HitPolicy.MOST_RESTRICTIVE, HitPolicy.COLLECT

_LABELS: Final[dict[str, Any]] = {
    "account_group": _("Group of the account"),
    "account_state": _("State of the account"),
    "account_type": _("Account type"),
    "accounts_open": _("Open accounts of the client"),
    "action": _("Action"),
    "age_years": _("Age in years, -1 when unknown"),
    "already_partner": _("Is already a partner"),
    "amount_base_minor": _("Amount, base currency"),
    "appropriateness": _("Result of the appropriateness test"),
    "approvals": _("Approvals needed"),
    "asset_class": _("Asset class"),
    "auto_credit": _("Credited without a person"),
    "bonus_allowed": _("Bonus allowed"),
    "book": _("Book"),
    "category": _("Client category"),
    "channel": _("Channel"),
    "citizenship": _("Citizenship"),
    "client_age_days": _("Days since registration"),
    "client_type": _("Type of client"),
    "close_out_percent": _("Close-out, % of margin"),
    "closed_loop": _("Goes back to where the money came from"),
    "country": _("Country of residence"),
    "currency": _("Currency"),
    "days_inactive": _("Days without activity"),
    "deposit_limit_minor": _("Deposit limit, base currency"),
    "deposits_total_base_minor": _("Deposits so far, base currency"),
    "documents": _("Documents to give"),
    "documents_accepted": _("Accepted documents"),
    "email": _("E-mail"),
    "entity": _("Booking entity"),
    "equity_base_minor": _("Equity, base currency"),
    "first_deposit": _("First deposit"),
    "first_withdrawal": _("First withdrawal"),
    "group": _("Group"),
    "hedge_percent": _("Hedged at a liquidity provider, %"),
    "hold": _("Accrual is held"),
    "hold_seconds": _("Seconds the position was held, -1 while open"),
    "increases_exposure": _("Increases the exposure"),
    "internal": _("Internal deal"),
    "ip": _("IP address"),
    "kind": _("Kind"),
    "kyc_level": _("KYC level"),
    "kyc_status": _("KYC status"),
    "level": _("Level"),
    "leverage": _("Leverage asked for"),
    "lifecycle": _("Lifecycle"),
    "lps": _("Liquidity providers in order"),
    "margin_call_percent": _("Margin call, % of margin"),
    "margin_class": _("Margin class"),
    "max_accounts": _("Accounts per client"),
    "max_leverage": _("Highest leverage"),
    "method": _("Payment method"),
    "negative_balance_protection": _("Negative balance protection"),
    "new_destination": _("First use of this destination"),
    "notional_base_minor": _("Notional, base currency"),
    "open_positions": _("Open positions"),
    "partner_code": _("Partner code"),
    "partner_state": _("State of the partner's agreement"),
    "payer_matches": _("Payer's name matches the client"),
    "pep": _("Politically exposed"),
    "personal_data": _("Concerns personal data"),
    "product": _("Product"),
    "products": _("Products"),
    "providers": _("Providers in order"),
    "quantity_millilots": _("Quantity, thousandths of a lot"),
    "restrictions": _("Restrictions in force"),
    "retail_clients_affected": _("Clients affected"),
    "risk_rating": _("Risk rating"),
    "same_client": _("Between accounts of one client"),
    "schema": _("Form"),
    "scopes": _("Scopes asked for"),
    "segment": _("Segment"),
    "self_referral": _("Partner and client are one person"),
    "severity": _("Severity"),
    "side": _("Side"),
    "source": _("Source"),
    "source_of_funds_verified": _("Source of funds verified"),
    "steps": _("Steps to take"),
    "symbol": _("Symbol"),
    "toxicity": _("Toxicity score, 0 to 100"),
    "traded": _("Has traded"),
    "us_person": _("US person"),
    "withdrawal_limit_minor": _("Withdrawal limit, base currency"),
    "withdrawals_24h_base_minor": _("Withdrawn in 24 hours, base currency"),
}


def _field(name: str, kind: Kind, default: Any = REQUIRED, *, personal: bool = False) -> Field:
    return Field(name, kind, _LABELS[name], default, personal)


def _owes(name: str, kind: Kind, merge: Merge, default: Any = None) -> Obligation:
    return Obligation(name, kind, merge, _LABELS[name], default)


def text(name: str, default: Any = REQUIRED, *, personal: bool = False) -> Field:
    return _field(name, Kind.TEXT, default, personal=personal)


def texts(name: str, default: Any = REQUIRED) -> Field:
    return _field(name, Kind.TEXTS, default)


def integer(name: str, default: Any = REQUIRED) -> Field:
    return _field(name, Kind.INT, default)


def flag(name: str, default: Any = REQUIRED) -> Field:
    return _field(name, Kind.BOOL, default)


def minor(name: str, default: Any = REQUIRED) -> Field:
    return _field(name, Kind.MINOR, default)


def lots(name: str, default: Any = REQUIRED) -> Field:
    return _field(name, Kind.LOTS, default)


STEPS: Final = _owes("steps", Kind.TEXTS, Merge.UNION, [])
APPROVALS: Final = _owes("approvals", Kind.INT, Merge.MAX, 0)

CLIENT_REGISTER = "client.register"
CLIENT_BOOKING_ENTITY = "client.booking_entity"
CLIENT_ONBOARDING = "client.onboarding"
KYC_LEVEL = "kyc.level"
ACCOUNT_OPEN = "account.open"
ACCOUNT_LEVERAGE = "account.leverage"
DEPOSIT_ACCEPT = "deposit.accept"
DEPOSIT_ROUTE = "deposit.route"
WITHDRAWAL_GATE = "withdrawal.gate"
TRANSFER_GATE = "transfer.gate"
ORDER_PERMISSION = "order.permission"
ORDER_BOOK = "order.book"
IB_JOIN = "ib.join"
IB_ACCRUAL = "ib.accrual"
IB_PAYOUT = "ib.payout"
MANAGED_SUBSCRIBE = "managed.subscribe"
CONTEST_JOIN = "contest.join"
API_KEY_CREATE = "api_key.create"
RETENTION_ACTION = "retention.action"
INCIDENT_SEVERITY = "incident.severity"

_ALL: Final = (
    Point(
        CLIENT_REGISTER, _("Registration"),
        (text("country"), text("citizenship", ""), integer("age_years", -1), flag("us_person", False),
         text("channel", "PORTAL"), text("partner_code", ""), text("email", "", personal=True),
         text("ip", "", personal=True)),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.ALLOW, obligations=(STEPS,),
    ),
    Point(
        CLIENT_BOOKING_ENTITY, _("Booking entity"),
        (text("country"), text("citizenship", ""), text("category", "RETAIL"), flag("us_person", False),
         texts("products", [])),
        FIRST, on_error=Outcome.DENY, on_no_hit=Outcome.DENY,
        obligations=(_owes("entity", Kind.TEXT, Merge.FIRST, ""),),
    ),
    Point(
        CLIENT_ONBOARDING, _("Onboarding steps"),
        (text("country"), text("client_type", "INDIVIDUAL"), text("category", "RETAIL"),
         texts("products", []), text("citizenship", ""), text("risk_rating", "UNRATED"), flag("pep", False)),
        COLLECT, on_error=Outcome.REVIEW, on_no_hit=Outcome.REVIEW,
        obligations=(STEPS, _owes("schema", Kind.TEXT, Merge.FIRST, ""),
                     _owes("documents", Kind.TEXTS, Merge.UNION, [])),
    ),
    Point(
        KYC_LEVEL, _("KYC level and limits"),
        (text("country"), texts("documents_accepted"), text("risk_rating", "UNRATED"), flag("pep", False),
         flag("source_of_funds_verified", False), text("category", "RETAIL"),
         text("client_type", "INDIVIDUAL")),
        FIRST, on_error=Outcome.REVIEW, on_no_hit=Outcome.REVIEW,
        obligations=(_owes("level", Kind.INT, Merge.FIRST, 0),
                     _owes("deposit_limit_minor", Kind.INT, Merge.FIRST, 0),
                     _owes("withdrawal_limit_minor", Kind.INT, Merge.FIRST, 0),
                     _owes("documents", Kind.TEXTS, Merge.UNION, [])),
    ),
    Point(
        ACCOUNT_OPEN, _("Opening an account"),
        (integer("kyc_level"), text("lifecycle"), texts("restrictions"), text("country", ""),
         text("category", "RETAIL"), text("account_type", ""), text("currency", ""), text("segment", ""),
         integer("accounts_open", 0), integer("leverage", 0), text("risk_rating", "UNRATED"),
         text("appropriateness", "")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.ALLOW,
        obligations=(STEPS, APPROVALS, _owes("max_leverage", Kind.INT, Merge.MIN, 1),
                     _owes("max_accounts", Kind.INT, Merge.MIN, 10),
                     _owes("group", Kind.TEXT, Merge.FIRST, "")),
    ),
    Point(
        ACCOUNT_LEVERAGE, _("Leverage"),
        (text("category"), text("margin_class", ""), integer("leverage", 0), text("country", ""),
         text("account_type", ""), text("risk_rating", "UNRATED"), minor("equity_base_minor", 0)),
        COLLECT, on_error=Outcome.DENY, on_no_hit=Outcome.DENY,
        obligations=(_owes("max_leverage", Kind.INT, Merge.MIN, 1),
                     _owes("close_out_percent", Kind.INT, Merge.MAX, 50),
                     _owes("margin_call_percent", Kind.INT, Merge.MAX, 100),
                     _owes("negative_balance_protection", Kind.BOOL, Merge.ANY, False),
                     _owes("bonus_allowed", Kind.BOOL, Merge.ALL, False)),
    ),
    Point(
        DEPOSIT_ACCEPT, _("Accepting a deposit"),
        (text("method"), minor("amount_base_minor"), integer("kyc_level"), texts("restrictions"),
         text("country", ""), text("currency", ""), text("risk_rating", "UNRATED"), text("segment", ""),
         text("category", "RETAIL"), flag("payer_matches", True), flag("first_deposit", False),
         minor("deposits_total_base_minor", 0), text("lifecycle", "")),
        MOST_RESTRICTIVE, on_error=Outcome.REVIEW, on_no_hit=Outcome.REVIEW,
        obligations=(STEPS, APPROVALS, _owes("auto_credit", Kind.BOOL, Merge.ALL, False)),
    ),
    Point(
        DEPOSIT_ROUTE, _("Route of a deposit"),
        (text("method"), text("currency"), minor("amount_base_minor"), text("country", ""),
         text("risk_rating", "UNRATED"), flag("first_deposit", False), text("segment", "")),
        FIRST, on_error=Outcome.DENY, on_no_hit=Outcome.DENY,
        obligations=(_owes("providers", Kind.TEXTS, Merge.FIRST, []),),
    ),
    Point(
        WITHDRAWAL_GATE, _("Withdrawal"),
        (minor("amount_base_minor"), integer("kyc_level"), texts("restrictions"), text("method", ""),
         text("country", ""), text("currency", ""), text("risk_rating", "UNRATED"), text("segment", ""),
         text("category", "RETAIL"), flag("first_withdrawal", False), flag("new_destination", False),
         flag("closed_loop", True), flag("traded", True), flag("source_of_funds_verified", False),
         integer("client_age_days", 0), integer("open_positions", 0), text("lifecycle", ""),
         minor("deposits_total_base_minor", 0), minor("withdrawals_24h_base_minor", 0)),
        COLLECT, on_error=Outcome.DENY, on_no_hit=Outcome.REVIEW, obligations=(STEPS, APPROVALS),
    ),
    Point(
        TRANSFER_GATE, _("Transfer"),
        (minor("amount_base_minor"), texts("restrictions"), flag("same_client", True), text("kind", ""),
         integer("kyc_level", 0), text("country", ""), text("currency", ""), text("risk_rating", "UNRATED"),
         text("lifecycle", ""), text("account_state", "ACTIVE")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.ALLOW, obligations=(STEPS, APPROVALS),
    ),
    Point(
        ORDER_PERMISSION, _("Permission to trade"),
        (texts("restrictions"), text("asset_class"), text("symbol", ""), text("side", ""), text("country", ""),
         text("category", "RETAIL"), text("segment", ""), text("account_state", "ACTIVE"),
         text("appropriateness", ""), text("source", ""), flag("increases_exposure", True),
         lots("quantity_millilots", 0), minor("notional_base_minor", 0), text("risk_rating", "UNRATED")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.ALLOW,
    ),
    Point(
        ORDER_BOOK, _("Book and route of an order"),
        (text("symbol"), text("asset_class"), lots("quantity_millilots", 0), text("segment", ""),
         text("category", "RETAIL"), text("account_group", ""), integer("toxicity", 0),
         minor("notional_base_minor", 0), text("country", "")),
        FIRST, on_error=None, on_no_hit=Outcome.ALLOW,
        obligations=(_owes("book", Kind.TEXT, Merge.FIRST, "A"),
                     _owes("hedge_percent", Kind.INT, Merge.FIRST, 100),
                     _owes("lps", Kind.TEXTS, Merge.FIRST, [])),
    ),
    Point(
        IB_JOIN, _("Becoming a partner"),
        (text("country"), integer("kyc_level", 0), texts("restrictions", []), text("kind", "IB"),
         flag("already_partner", False), text("risk_rating", "UNRATED"), integer("level", 1),
         text("citizenship", "")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.REVIEW,
        obligations=(STEPS, _owes("approvals", Kind.INT, Merge.MAX, 1)),
    ),
    Point(
        IB_ACCRUAL, _("Commission on a deal"),
        (text("asset_class"), lots("quantity_millilots"), text("partner_state", "ACTIVE"),
         texts("restrictions", []), integer("hold_seconds", -1), flag("internal", False),
         flag("self_referral", False), text("symbol", ""), text("account_type", ""), text("country", ""),
         text("source", ""), text("segment", ""), integer("toxicity", 0)),
        MOST_RESTRICTIVE, on_error=Outcome.REVIEW, on_no_hit=Outcome.ALLOW,
        obligations=(_owes("hold", Kind.BOOL, Merge.ANY, False),),
    ),
    Point(
        IB_PAYOUT, _("Partner payout"),
        (minor("amount_base_minor"), integer("kyc_level", 0), texts("restrictions", []), text("country", ""),
         text("partner_state", "ACTIVE"), text("method", "WALLET"), text("risk_rating", "UNRATED")),
        COLLECT, on_error=Outcome.DENY, on_no_hit=Outcome.REVIEW, obligations=(STEPS, APPROVALS),
    ),
    Point(
        MANAGED_SUBSCRIBE, _("Subscription to a managed account"),
        (text("country"), integer("kyc_level"), texts("restrictions"), text("product"),
         minor("amount_base_minor"), text("category", "RETAIL"), text("appropriateness", "")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.DENY, obligations=(STEPS, APPROVALS),
    ),
    Point(
        CONTEST_JOIN, _("Joining a contest"),
        (text("country"), integer("kyc_level"), texts("restrictions"), text("kind", "DEMO"),
         text("category", "RETAIL")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.DENY, obligations=(STEPS,),
    ),
    Point(
        API_KEY_CREATE, _("Creating an API key"),
        (integer("kyc_level"), texts("restrictions"), texts("scopes"), text("lifecycle", "")),
        MOST_RESTRICTIVE, on_error=Outcome.DENY, on_no_hit=Outcome.DENY, obligations=(STEPS, APPROVALS),
    ),
    Point(
        RETENTION_ACTION, _("Action for an inactive client"),
        (integer("days_inactive"), text("country"), texts("restrictions"), text("segment", ""),
         text("category", "RETAIL")),
        FIRST, on_error=Outcome.DENY, on_no_hit=Outcome.DENY,
        obligations=(_owes("action", Kind.TEXT, Merge.FIRST, ""),),
    ),
    Point(
        INCIDENT_SEVERITY, _("Severity of an incident"),
        (text("kind"), integer("retail_clients_affected"), flag("personal_data")),
        FIRST, on_error=Outcome.REVIEW, on_no_hit=Outcome.REVIEW,
        obligations=(_owes("severity", Kind.TEXT, Merge.FIRST, "CRITICAL"),),
    ),
)  # fmt: skip

POINTS: Final[dict[str, Point]] = {point.code: point for point in _ALL}
