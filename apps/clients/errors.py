"""Why a command on a client is refused: a stable code for machines, a sentence for people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.users.signin.errors import TokenInvalid as TokenInvalid
from apps.users.signin.errors import WeakPassword as WeakPassword


class RegistrationRefused(DomainError):
    code = "REGISTRATION_REFUSED"
    message = _("We cannot open a relationship from {country}.")


class NoBookingEntity(DomainError):
    code = "NO_BOOKING_ENTITY"
    message = _("None of our companies may serve residents of {country}.")


class InvalidPhone(DomainError):
    code = "INVALID_PHONE"
    message = _("{phone} is not a phone number that can be reached. Start with the country code.")


class InvalidEmail(DomainError):
    code = "INVALID_EMAIL"
    message = _("{email} is not an e-mail address.")


class OnboardingInvalid(DomainError):
    """Some answers of a step are missing or wrong; `values["errors"]` maps field to sentences."""

    code = "ONBOARDING_INVALID"
    message = _("Please correct the marked answers.")


class OnboardingIncomplete(DomainError):
    code = "ONBOARDING_INCOMPLETE"
    message = _("These steps are still open: {steps}.")
    status = 409


class OnboardingClosed(DomainError):
    code = "ONBOARDING_CLOSED"
    message = _("Your answers have been submitted already.")
    status = 409


class OnboardingSchemaMissing(DomainError):
    code = "ONBOARDING_SCHEMA_MISSING"
    message = _("No onboarding questions are configured for {entity} and {country}.")
    status = 409


class EmailNotConfirmed(DomainError):
    code = "EMAIL_NOT_CONFIRMED"
    message = _("The e-mail address has not been confirmed yet.")
    status = 409


class LifecycleForbids(DomainError):
    code = "LIFECYCLE_FORBIDS"
    message = _("A client who is {lifecycle} cannot be moved to {target}.")
    status = 409


class NotVerified(DomainError):
    code = "NOT_VERIFIED"
    message = _("The client's identity has not been verified yet.")
    status = 409


class AgreementMissing(DomainError):
    code = "AGREEMENT_MISSING"
    message = _("Not accepted yet: {agreements}.")
    status = 409


class AgreementSuperseded(DomainError):
    code = "AGREEMENT_SUPERSEDED"
    message = _("A newer version of {agreement} is in force; please read that one.")
    status = 409


class Restricted(DomainError):
    """A restriction of the client forbids what was asked for."""

    code = "CLIENT_RESTRICTED"
    message = _("A restriction on the client does not allow this: {restrictions}.")
    status = 409


class RestrictionExists(DomainError):
    code = "RESTRICTION_EXISTS"
    message = _("{source} has set {kind} for this case already.")
    status = 409


class RestrictionNotActive(DomainError):
    code = "RESTRICTION_NOT_ACTIVE"
    message = _("This restriction has ended already.")
    status = 409


class RestrictionNotYours(DomainError):
    code = "RESTRICTION_NOT_YOURS"
    message = _("Only {who} may lift this restriction.")
    status = 403


class ExpiryInThePast(DomainError):
    code = "EXPIRY_IN_THE_PAST"
    message = _("The restriction would have ended before it began.")


class ReasonRequired(DomainError):
    code = "REASON_REQUIRED"
    message = _("Say why, in a few words.")


class DuplicateDecided(DomainError):
    code = "DUPLICATE_DECIDED"
    message = _("This pair has been decided already.")
    status = 409


class StepUnknown(DomainError):
    code = "STEP_UNKNOWN"
    message = _("There is no step called {step} in this application.")
    status = 404


class TestTaken(DomainError):
    """An appropriateness test that could be repeated until it is passed would tell nothing."""

    __test__ = False

    code = "TEST_TAKEN"
    message = _("The test can be taken once. Ask our support if you think that it went wrong.")
    status = 409


class AlreadyShared(DomainError):
    code = "ALREADY_SHARED"
    message = _("This client is shared with {colleague} until {until}. Take that back first.")
    status = 409


class PrivacyRequestOpen(DomainError):
    code = "PRIVACY_REQUEST_OPEN"
    message = _("You have asked for this already. We answer within 30 days.")
    status = 409


class NothingMayGo(DomainError):
    """Also the answer while a hold stands: whoever asks must not learn of it."""

    code = "NOTHING_MAY_GO"
    message = _("The law or your contract still obliges us to keep this data.")
    status = 409


class HoldEnded(DomainError):
    code = "HOLD_ENDED"
    message = _("This hold has been lifted already.")
    status = 409


class ExportGone(DomainError):
    code = "EXPORT_GONE"
    message = _("This copy was fetched or has expired. Ask for a new one.")
    status = 410
