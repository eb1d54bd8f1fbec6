"""Why a document or a decision on a case is refused."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class UploadRefused(DomainError):
    """The file is not a picture or PDF that can be kept safely; `problem` says what is wrong."""

    code = "UPLOAD_REFUSED"
    message = _("{problem}")


class FileTooLarge(UploadRefused):
    code = "FILE_TOO_LARGE"
    message = _("The file is larger than {limit} MB.")
    status = 413


class FileTypeRefused(UploadRefused):
    code = "FILE_TYPE_REFUSED"
    message = _("Please send a photo (JPEG, PNG, WebP) or a PDF.")
    status = 415


class FileDamaged(UploadRefused):
    code = "FILE_DAMAGED"
    message = _("The file is damaged or not what its name says. Please send it again.")


class TooManyPixels(UploadRefused):
    code = "TOO_MANY_PIXELS"
    message = _("The picture is larger than {limit} megapixels.")


class TooFewPixels(UploadRefused):
    code = "TOO_FEW_PIXELS"
    message = _("The picture is too small to be read: {limit} pixels on its shorter side at least.")


class PdfActive(UploadRefused):
    code = "PDF_ACTIVE"
    message = _("The PDF contains scripts, attachments or a password. Please send a plain one.")


class CaseClosedForUpload(DomainError):
    code = "CASE_CLOSED_FOR_UPLOAD"
    message = _("Your documents are with us already; we will ask if anything is missing.")
    status = 409


class DocumentsMissing(DomainError):
    code = "DOCUMENTS_MISSING"
    message = _("Still needed: {documents}.")
    status = 409


class OnboardingFirst(DomainError):
    code = "ONBOARDING_FIRST"
    message = _("Please finish the questions first.")
    status = 409


class CaseStateForbids(DomainError):
    code = "CASE_STATE_FORBIDS"
    message = _("The case is {state}; this cannot be done now.")
    status = 409


class DocumentStateForbids(DomainError):
    code = "DOCUMENT_STATE_FORBIDS"
    message = _("The document is {state}; this cannot be done now.")
    status = 409


class ClaimedByOther(DomainError):
    code = "CLAIMED_BY_OTHER"
    message = _("{who} is working on this case since {since}.")
    status = 409


class NotClaimed(DomainError):
    code = "NOT_CLAIMED"
    message = _("Take the case first, so that nobody else decides it meanwhile.")
    status = 409


class DocumentsUndecided(DomainError):
    code = "DOCUMENTS_UNDECIDED"
    message = _("Decide on each document first: {documents}.")
    status = 409


class NothingRejected(DomainError):
    code = "NOTHING_REJECTED"
    message = _("Reject the documents that the client is to send again, or ask for information.")
    status = 409


class OwnCase(DomainError):
    code = "OWN_CASE"
    message = _("This is your own identity; a colleague must decide.")
    status = 403


class CommentRequired(DomainError):
    code = "COMMENT_REQUIRED"
    message = _("Tell the client what is needed.")
