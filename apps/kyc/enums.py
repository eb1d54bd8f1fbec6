"""Codes of cases and documents; vocabulary.md names the states."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseState(models.TextChoices):
    NOT_STARTED = "NOT_STARTED", _("Not started")
    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    SUBMITTED = "SUBMITTED", _("Submitted")
    AUTO_CHECK = "AUTO_CHECK", _("Automatic checks")
    MANUAL_REVIEW = "MANUAL_REVIEW", _("In review")
    INFO_REQUESTED = "INFO_REQUESTED", _("Information requested")
    RESUBMISSION_REQUESTED = "RESUBMISSION_REQUESTED", _("Resubmission requested")
    ESCALATED = "ESCALATED", _("Escalated")
    APPROVED = "APPROVED", _("Approved")
    REVIEW_DUE = "REVIEW_DUE", _("Review due")
    EXPIRED = "EXPIRED", _("Expired")
    REJECTED = "REJECTED", _("Rejected")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


OPEN_FOR_UPLOAD = frozenset(
    {
        CaseState.NOT_STARTED,
        CaseState.IN_PROGRESS,
        CaseState.INFO_REQUESTED,
        CaseState.RESUBMISSION_REQUESTED,
        CaseState.REVIEW_DUE,
        CaseState.EXPIRED,
    }
)
WITH_STAFF = frozenset({CaseState.MANUAL_REVIEW, CaseState.ESCALATED})
ENDED = frozenset({CaseState.REJECTED, CaseState.WITHDRAWN})


class DocumentState(models.TextChoices):
    REQUESTED = "REQUESTED", _("Requested")
    UPLOADED = "UPLOADED", _("Uploaded")
    PROCESSING = "PROCESSING", _("Being checked")
    ACCEPTED = "ACCEPTED", _("Accepted")
    EXPIRING = "EXPIRING", _("Expires soon")
    EXPIRED = "EXPIRED", _("Expired")
    REJECTED = "REJECTED", _("Rejected")
    SUPERSEDED = "SUPERSEDED", _("Replaced")
    PURGED = "PURGED", _("Purged")


CURRENT = frozenset(
    {
        DocumentState.UPLOADED,
        DocumentState.PROCESSING,
        DocumentState.ACCEPTED,
        DocumentState.EXPIRING,
        DocumentState.REJECTED,
    }
)
COUNTS = frozenset({DocumentState.ACCEPTED, DocumentState.EXPIRING})
UNDECIDED = frozenset({DocumentState.UPLOADED, DocumentState.PROCESSING})


class Evidence(models.TextChoices):
    """What a document proves; the rules speak in these words."""

    POI = "POI", _("Identity")
    POA = "POA", _("Address")
    SOF = "SOF", _("Source of funds")


class DocumentKind(models.TextChoices):
    PASSPORT = "PASSPORT", _("Passport")
    ID_CARD = "ID_CARD", _("Identity card")
    DRIVING_LICENCE = "DRIVING_LICENCE", _("Driving licence")
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT", _("Residence permit")
    UTILITY_BILL = "UTILITY_BILL", _("Utility bill")
    BANK_STATEMENT = "BANK_STATEMENT", _("Bank statement")
    TAX_BILL = "TAX_BILL", _("Tax bill")
    REGISTRATION = "REGISTRATION", _("Certificate of residence")
    PAYSLIP = "PAYSLIP", _("Payslip")
    TAX_RETURN = "TAX_RETURN", _("Tax return")
    SALE_CONTRACT = "SALE_CONTRACT", _("Contract of sale")


PROVES: dict[str, Evidence] = {
    DocumentKind.PASSPORT: Evidence.POI,
    DocumentKind.ID_CARD: Evidence.POI,
    DocumentKind.DRIVING_LICENCE: Evidence.POI,
    DocumentKind.RESIDENCE_PERMIT: Evidence.POI,
    DocumentKind.UTILITY_BILL: Evidence.POA,
    DocumentKind.BANK_STATEMENT: Evidence.POA,
    DocumentKind.TAX_BILL: Evidence.POA,
    DocumentKind.REGISTRATION: Evidence.POA,
    DocumentKind.PAYSLIP: Evidence.SOF,
    DocumentKind.TAX_RETURN: Evidence.SOF,
    DocumentKind.SALE_CONTRACT: Evidence.SOF,
}

TWO_SIDED = frozenset(
    {DocumentKind.ID_CARD, DocumentKind.DRIVING_LICENCE, DocumentKind.RESIDENCE_PERMIT}
)


class Side(models.TextChoices):
    FRONT = "FRONT", _("Front")
    BACK = "BACK", _("Back")
    WHOLE = "WHOLE", _("Whole document")


class RejectReason(models.TextChoices):
    """Why a document will not do, in words that the client sees."""

    UNREADABLE = "UNREADABLE", _("It cannot be read; please take a sharper picture.")
    CROPPED = "CROPPED", _("Not all four corners are visible.")
    EXPIRED = "EXPIRED", _("It has expired.")
    TOO_OLD = "TOO_OLD", _("It is older than three months.")
    NAME_MISMATCH = "NAME_MISMATCH", _("The name differs from the one you gave us.")
    ADDRESS_MISMATCH = "ADDRESS_MISMATCH", _("The address differs from the one you gave us.")
    WRONG_DOCUMENT = "WRONG_DOCUMENT", _("This is not the document that was asked for.")
    MISSING_SIDE = "MISSING_SIDE", _("The other side is missing.")
    SCREENSHOT = "SCREENSHOT", _("Screenshots and photocopies are not accepted.")
    SUSPECTED_FORGERY = "SUSPECTED_FORGERY", _("We could not accept this document.")
    OTHER = "OTHER", _("Please see the comment.")


FINAL_REASONS = frozenset({RejectReason.SUSPECTED_FORGERY})


class CaseRejectReason(models.TextChoices):
    """Why a case ended; only the last column of words reaches the client."""

    FORGERY = "FORGERY", _("Forged or altered documents")
    IDENTITY_FRAUD = "IDENTITY_FRAUD", _("Somebody else's identity")
    SANCTIONS = "SANCTIONS", _("Sanctions")
    UNDERAGE = "UNDERAGE", _("Under age")
    PROHIBITED_COUNTRY = "PROHIBITED_COUNTRY", _("Country not served")
    DUPLICATE = "DUPLICATE", _("Has an account already")
    RISK_APPETITE = "RISK_APPETITE", _("Outside risk appetite")


class CheckOutcome(models.TextChoices):
    PASS = "PASS", _("passed")
    WARN = "WARN", _("look")
    FAIL = "FAIL", _("failed")
