"""Which rows of this app say something about a person."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.db import models

from apps.clients.models import AgreementAcceptance, OnboardingSession, Person
from apps.clients.services.data_export import discard_exports
from apps.core.models import Mail, RunRow
from apps.core.models.notification import Notification
from apps.core.privacy.exporting import ALL
from apps.core.privacy.registry import (
    DataClass,
    Erase,
    Rows,
    Subject,
    not_personal,
    register_personal_data,
    withhold,
)
from apps.users.models import KnownDevice


def _person(subject: Subject) -> models.QuerySet[Any]:
    return Person.objects.filter(pk=subject.person_id)


def _of_logins(model: type[models.Model]) -> Rows:
    return lambda subject: model._default_manager.filter(user_id__in=subject.user_ids)


def _exports(subject: Subject) -> int:
    return discard_exports(subject.client_id)


def register() -> None:
    _register_person()
    _register_traces()
    withhold("clients.Client", "risk_rating", "risk_score")
    withhold(
        "clients.Restriction",
        "reason",
        "source",
        "source_ref",
        "lift_reason",
        "added_by",
        "lifted_by",
    )
    withhold("clients.LegalHold", ALL)
    withhold("clients.ClientShare", ALL)
    withhold("core.RunRow", ALL)
    withhold("account.EmailAddress", ALL)
    withhold("clients.DuplicateFlag", ALL)
    withhold("clients.EmailConfirmation", "token_hash")
    withhold("users.KnownDevice", "key")
    withhold("users.User", "password", "scope_level", "entities", "desk", "is_superuser")
    not_personal(
        "names a client by number or id and says nothing else of the person",
        "clients.Client", "clients.ClientLogin", "clients.EmailConfirmation", "clients.DuplicateFlag",
        "clients.ClientShare", "clients.Restriction", "clients.LegalHold", "clients.PrivacyRequest", "clients.Erasure",
    )  # fmt: skip
    not_personal("whether mail is wanted, not where to", "core.NotificationPreference.email")
    not_personal("the house's own", "clients.LegalEntity.support_email")
    not_personal("a link in a mail, gone within a day", "account.EmailConfirmation.email_address")
    not_personal(
        "where an act came from: evidence of the sealed trail, read by auditors alone, about a number and no name",
        "core.AuditRecord.ip",
    )


def _register_person() -> None:
    register_personal_data(
        "clients.Person",
        DataClass.CONTACT,
        ("email", "phone"),
        rows=_person,
        whole_person_only=True,
    )
    register_personal_data(
        "clients.Person", DataClass.IDENTITY,
        (
            "first_name", "last_name", "date_of_birth", "citizenship", "address_line1", "address_line2", "city",
            "region", "postal_code", "tax_residence", "tax_id", "no_tax_id_reason",
        ),
        rows=_person, whole_person_only=True,
    )  # fmt: skip
    register_personal_data(
        "clients.OnboardingSession", DataClass.APPLICATION, ("answers", "last_problem"),
        rows=lambda subject: OnboardingSession.objects.filter(client_id=subject.client_id),
    )  # fmt: skip


def _register_traces() -> None:
    register_personal_data(
        "clients.AgreementAcceptance", DataClass.AGREEMENTS, ("ip", "user_agent"),
        rows=lambda subject: AgreementAcceptance.objects.filter(client_id=subject.client_id),
        erase=Erase.KEEP,
    )  # fmt: skip
    register_personal_data(
        "core.Mail", DataClass.MESSAGES, ("to", "subject", "body", "html"),
        rows=lambda subject: Mail.objects.filter(
            models.Q(to_index__in=list(subject.emails))
            | models.Q(user_id__in=subject.user_ids)
            | models.Q(client_id=subject.client_id)
        ),
        erase=Erase.DELETE, effect=_exports,
    )  # fmt: skip
    register_personal_data(
        "core.Notification", DataClass.MESSAGES, ("title",),
        rows=lambda subject: Notification.objects.filter(user_id__in=subject.user_ids),
        erase=Erase.DELETE,
    )  # fmt: skip
    register_personal_data(
        "core.RunRow", DataClass.IDENTITY, ("label",),
        rows=lambda subject: RunRow.objects.filter(
            models.Q(object_id=str(subject.client_id)) | models.Q(label__contains=subject.number)
        ),
    )  # fmt: skip
    register_personal_data(
        "account.EmailAddress", DataClass.LOGIN, ("email",), rows=_of_logins(EmailAddress),
        erase=Erase.DELETE,
    )  # fmt: skip
    register_personal_data(
        "usersessions.UserSession", DataClass.LOGIN, ("ip", "user_agent"),
        rows=_of_logins(UserSession), erase=Erase.KEEP,
    )  # fmt: skip
    register_personal_data(
        "users.KnownDevice", DataClass.LOGIN, ("description",), rows=_of_logins(KnownDevice),
        erase=Erase.DELETE,
    )  # fmt: skip
    register_personal_data(
        "users.User", DataClass.LOGIN, ("email", "name"),
        rows=lambda subject: get_user_model()._default_manager.filter(pk__in=subject.user_ids),
        erase=Erase.KEEP, effect=_forget_logins,
    )  # fmt: skip


def _forget_logins(subject: Subject) -> int:
    from apps.users.services.forgetting import login_forget

    return sum(login_forget(user_id) for user_id in subject.user_ids)
