"""Every column that says something about a person is declared, so that retention, erasure and export find it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from apps.clients.assessment import retention_rules
from apps.core.models.base import RecordedModel
from apps.core.privacy.blind import BlindIndexField, BlindWordsField
from apps.core.privacy.exporting import client_path
from apps.core.privacy.fields import EncryptedField
from apps.core.privacy.registry import NOT_PERSONAL, REGISTRY, DataClass, blanks

LOOKS_PERSONAL = re.compile(
    r"(^|_)(e_?mail|phone|mobile|first_name|last_name|full_name|holder_name|address|street|city|postal|zip|birth|born"
    r"|iban|bic|passport|tax|ip|user_agent|comment|occupation|answers|gender|nationality|citizenship)(_|$)"
)
DECLARED = {(entry.model, name) for entry in REGISTRY for name in entry.fields}
MODELS = {entry.model for entry in REGISTRY}


def living_models() -> Iterator[type[models.Model]]:
    return (model for model in apps.get_models() if not hasattr(model, "instance_type"))


def columns(model: type[models.Model]) -> Iterator[Any]:
    return (
        column
        for column in model._meta.concrete_fields
        if not isinstance(column, (BlindIndexField, BlindWordsField))
    )


def test_every_model_that_belongs_to_a_client_is_declared_or_said_not_to_be_personal() -> None:
    missing = [
        model._meta.label
        for model in living_models()
        if client_path(model) and model._meta.label not in MODELS | NOT_PERSONAL.keys()
    ]
    assert missing == []


def test_every_column_that_looks_personal_is_declared_or_said_not_to_be() -> None:
    missing = []
    for model in living_models():
        label = model._meta.label
        for column in columns(model):
            known = (label, column.name) in DECLARED or {
                label,
                f"{label}.{column.name}",
            } & NOT_PERSONAL.keys()
            if LOOKS_PERSONAL.search(column.name) and not known:
                missing.append(f"{label}.{column.name}")
    assert missing == []


def test_every_sealed_column_is_declared() -> None:
    missing = [
        f"{model._meta.label}.{column.name}"
        for model in living_models()
        for column in columns(model)
        if isinstance(column, EncryptedField) and (model._meta.label, column.name) not in DECLARED
    ]
    assert missing == []


def test_what_is_said_not_to_be_personal_exists_and_has_a_reason() -> None:
    for name, reason in NOT_PERSONAL.items():
        app, model, *column = name.split(".")
        meta = apps.get_model(app, model)._meta
        assert not column or meta.get_field(column[0])
        assert len(reason) > 10


def test_every_declared_column_knows_what_it_becomes() -> None:
    for entry in REGISTRY:
        assert set(entry.fields) <= set(blanks(entry))


def test_what_is_emptied_one_day_never_enters_the_trail_as_it_is() -> None:
    plain = [
        f"{entry.model}.{name}"
        for entry in REGISTRY
        if issubclass(entry.model_class, RecordedModel) and entry.data_class != DataClass.RECORDS
        for name in entry.fields
        if not isinstance(entry.model_class._meta.get_field(name), EncryptedField)
        and name not in {*entry.model_class.audit_redacted, *entry.model_class.audit_untracked}
    ]
    assert plain == []


@pytest.mark.django_db
@pytest.mark.parametrize("data_class", DataClass.values)
def test_every_class_has_a_rule_with_its_source(
    data_class: str, settings: Any, tmp_path: Any
) -> None:
    from tests.clients import world

    with world.open_house(settings, tmp_path):
        client = world.confirmed()
        rule = retention_rules(client)[data_class]

    assert rule.basis.endswith(".")
    assert re.search(r"GDPR|Directive|Regulation", rule.source)
