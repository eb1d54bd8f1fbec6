"""The codes that are stored and shown by the API; vocabulary.md names them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Regime(models.TextChoices):
    """The body of conduct rules under which an entity serves its clients."""

    EU_RETAIL = "EU_RETAIL", _("EU (MiFID II, ESMA retail)")
    OFFSHORE = "OFFSHORE", _("Offshore")


class ClientKind(models.TextChoices):
    INDIVIDUAL = "INDIVIDUAL", _("Individual")


class Lifecycle(models.TextChoices):
    """Where the relationship stands. Blocked is not a place here: that is a restriction."""

    REGISTERED = "REGISTERED", _("Registered")
    ONBOARDING = "ONBOARDING", _("Onboarding")
    ACTIVE = "ACTIVE", _("Active")
    DORMANT = "DORMANT", _("Dormant")
    OFFBOARDING = "OFFBOARDING", _("Offboarding")
    CLOSED = "CLOSED", _("Closed")
    REJECTED = "REJECTED", _("Rejected")
    MERGED = "MERGED", _("Merged")


class KycStatus(models.TextChoices):
    """What is known of the client's identity: the second axis, set by the KYC case alone."""

    NOT_STARTED = "NOT_STARTED", _("Not started")
    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    SUBMITTED = "SUBMITTED", _("Submitted")
    MANUAL_REVIEW = "MANUAL_REVIEW", _("In review")
    INFO_REQUESTED = "INFO_REQUESTED", _("Information requested")
    RESUBMISSION_REQUESTED = "RESUBMISSION_REQUESTED", _("Resubmission requested")
    ESCALATED = "ESCALATED", _("Escalated")
    APPROVED = "APPROVED", _("Verified")
    REVIEW_DUE = "REVIEW_DUE", _("Review due")
    REJECTED = "REJECTED", _("Rejected")
    EXPIRED = "EXPIRED", _("Expired")


class Category(models.TextChoices):
    """MiFID II client category. Everyone starts as retail, the most protected."""

    RETAIL = "RETAIL", _("Retail")
    PROFESSIONAL = "PROFESSIONAL", _("Professional")
    ECP = "ECP", _("Eligible counterparty")


class Appropriateness(models.TextChoices):
    NOT_ASSESSED = "NOT_ASSESSED", _("Not assessed")
    NOT_REQUIRED = "NOT_REQUIRED", _("Not required")
    PASSED = "PASSED", _("Passed")
    WARNED = "WARNED", _("Failed, warning acknowledged")


class RiskRating(models.TextChoices):
    UNRATED = "UNRATED", _("Not rated")
    LOW = "LOW", _("Low")
    MEDIUM = "MEDIUM", _("Medium")
    HIGH = "HIGH", _("High")
    PROHIBITED = "PROHIBITED", _("Prohibited")


class RestrictionKind(models.TextChoices):
    """What a client may not do: the third axis. Values are lower case, as callers write them."""

    NO_LOGIN = "no_login", _("No login")
    NO_DEPOSIT = "no_deposit", _("No deposits")
    NO_WITHDRAWAL = "no_withdrawal", _("No withdrawals")
    NO_TRANSFER = "no_transfer", _("No transfers")
    NO_NEW_ACCOUNT = "no_new_account", _("No new accounts")
    CLOSE_ONLY = "close_only", _("Close only")
    NO_TRADING = "no_trading", _("No trading")
    NO_COMMISSION = "no_commission", _("No commission")
    NO_MARKETING = "no_marketing", _("No marketing")


class RestrictionSource(models.TextChoices):
    """Who imposed it; decides together with `LiftBy` who may take it away again."""

    STAFF = "STAFF", _("Staff")
    COMPLIANCE = "COMPLIANCE", _("Compliance")
    KYC = "KYC", _("KYC")
    PAYMENTS = "PAYMENTS", _("Payments")
    RISK = "RISK", _("Risk")
    RULE = "RULE", _("Rule")
    CLIENT = "CLIENT", _("Client's own wish")
    SYSTEM = "SYSTEM", _("System")


class LiftBy(models.TextChoices):
    """Whose permission ends the restriction before its expiry."""

    STAFF = "STAFF", _("Anyone who may lift restrictions")
    COMPLIANCE = "COMPLIANCE", _("Compliance")
    MLRO = "MLRO", _("MLRO")
    FINANCE = "FINANCE", _("Finance")
    RISK = "RISK", _("Risk")
    SYSTEM = "SYSTEM", _("Only the system that set it")


class OnboardingState(models.TextChoices):
    OPEN = "OPEN", _("In progress")
    SUBMITTED = "SUBMITTED", _("Submitted")


class DuplicateSignal(models.TextChoices):
    EMAIL = "EMAIL", _("Same mailbox")
    PHONE = "PHONE", _("Same phone")


class DuplicateState(models.TextChoices):
    OPEN = "OPEN", _("To be reviewed")
    DISMISSED = "DISMISSED", _("Different people")
    CONFIRMED = "CONFIRMED", _("Same person")


class PrivacyRequestKind(models.TextChoices):
    EXPORT = "EXPORT", _("A copy of the data")
    ERASURE = "ERASURE", _("Erasure")


class PrivacyRequestState(models.TextChoices):
    REQUESTED = "REQUESTED", _("Requested")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waits for a second person")
    READY = "READY", _("Ready to be fetched")
    FETCHED = "FETCHED", _("Fetched")
    EXPIRED = "EXPIRED", _("Not fetched in time")
    ERASED = "ERASED", _("Erased")
    REFUSED = "REFUSED", _("Refused")


class RetentionStart(models.TextChoices):
    """What a term of retention is counted from."""

    NOW = "NOW", _("nothing: it may go on request")
    RELATIONSHIP_END = "RELATIONSHIP_END", _("the end of the relationship")


class RetentionRunState(models.TextChoices):
    PREVIEW = "PREVIEW", _("Shown, nothing purged")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waits for a second person")
    DONE = "DONE", _("Purged")
    DROPPED = "DROPPED", _("Not purged")
