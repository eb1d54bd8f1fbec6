"""Person ≠ client ≠ login: one human, one relationship with one entity, one way to sign in."""

from apps.clients.models.agreement import Agreement, AgreementAcceptance
from apps.clients.models.client import Client, ClientLogin, DuplicateFlag, EmailConfirmation
from apps.clients.models.entity import LegalEntity
from apps.clients.models.onboarding import OnboardingSession
from apps.clients.models.person import Person
from apps.clients.models.privacy import (
    Erasure,
    LegalHold,
    PrivacyRequest,
    RetentionRule,
    RetentionRun,
)
from apps.clients.models.restriction import Restriction
from apps.clients.models.share import ClientShare

__all__ = [
    "Agreement",
    "AgreementAcceptance",
    "Client",
    "ClientLogin",
    "ClientShare",
    "DuplicateFlag",
    "EmailConfirmation",
    "Erasure",
    "LegalEntity",
    "LegalHold",
    "OnboardingSession",
    "Person",
    "PrivacyRequest",
    "Restriction",
    "RetentionRule",
    "RetentionRun",
]
