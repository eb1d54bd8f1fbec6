"""Every way to change something has a permission, a service that everybody shares, and a place in the catalogue."""

import inspect
import tomllib

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django_fsm import FSMField

from apps.core.admin import BrokerModelAdmin
from apps.core.events import EVENTS, HANDLERS
from apps.core.permissions import REGISTRY
from apps.users.roles import ROLES_FILE, declared_roles

BROKER_ADMINS = [a for a in admin.site._registry.values() if isinstance(a, BrokerModelAdmin)]
OUR_MODELS = [m for m in apps.get_models() if m.__module__.startswith("apps.")]


def test_every_page_of_ours_is_built_on_the_one_base():
    others = [
        model._meta.label
        for model, page in admin.site._registry.items()
        if model.__module__.startswith("apps.") and not isinstance(page, BrokerModelAdmin)
    ]
    assert others == []


@pytest.mark.parametrize("page", BROKER_ADMINS, ids=lambda page: page.opts.label)
def test_every_transition_has_a_declared_permission_and_a_command(page):
    for transition in page.transitions:
        assert transition.permission.code in REGISTRY
        names = inspect.signature(transition.service).parameters
        assert "actor" in names
        assert (transition.target or f"{page.opts.model_name}_id") in names


@pytest.mark.parametrize("page", BROKER_ADMINS, ids=lambda page: page.opts.label)
def test_no_page_adds_or_deletes_rows(page, rf):
    request = rf.get("/")
    request.actor = None
    assert page.has_add_permission(request) is False
    assert page.has_delete_permission(request) is False
    assert page.actions is None


def test_every_state_that_people_choose_is_protected_and_checked_by_the_database():
    bare = []
    for model in OUR_MODELS:
        for field in model._meta.concrete_fields:
            if not isinstance(field, FSMField) or model.__name__.startswith("Historical"):
                continue
            checked = any(
                isinstance(c, models.CheckConstraint) and field.name in str(c.condition)
                for c in model._meta.constraints
            )
            if not (field.protected and checked):
                bare.append(f"{model._meta.label}.{field.name}")
    assert bare == []


def test_roles_name_only_permissions_that_exist(db):
    from apps.users.roles import load_roles

    load_roles()
    with ROLES_FILE.open("rb") as file:
        assert set(tomllib.load(file)) == set(declared_roles())


def test_every_reaction_listens_to_an_event_that_exists():
    assert {h.event for h in HANDLERS.values()} <= set(EVENTS)


def test_events_carry_identifiers_and_plain_values_only():
    personal = {
        "email",
        "name",
        "phone",
        "address",
        "iban",
        "first_name",
        "last_name",
        "birth_date",
    }
    leaking = [
        f"{event.name}.{field}"
        for event in EVENTS.values()
        for field in event.__annotations__
        if field in personal and field != "name"
    ]
    assert leaking == []


def test_admin_home_answers(admin_client):
    assert admin_client.get(reverse("admin:index")).status_code == 200
