"""How much of a personal value is shown, by kind; what a role reads is data, and nothing by default."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from apps.clients.models import Client, Person
from apps.core.actor import Actor, ActorKind
from apps.core.admin import BrokerModelAdmin
from apps.core.exports import EXPORTS
from apps.core.masks import (
    HIDDEN,
    PARTIALS,
    FieldMask,
    mask_for,
    masked,
    masked_text,
    may_look_up,
    personal_fields,
    personal_lookup,
    said,
    seen,
    seen_by,
)
from apps.kyc.models import Document
from apps.users.roles import declared_masks, declared_roles

EMAIL = "clients.Person.email"


def reader(kind: ActorKind = ActorKind.STAFF, **masks: str) -> Actor:
    return Actor(kind, "user:1", "one", masks={f"clients.Person.{n}": m for n, m in masks.items()})


@pytest.mark.parametrize(
    ("kind", "value", "part"),
    [
        ("email", "lena.vogel@client.example", "l•••@client.example"),
        ("email", "no address", "no•••"),
        ("phone", "+4915123456789", "+49•••89"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE•••3000"),
        ("iban", "tok_1", "•••"),
        ("name", "Lena Maria", "L••• M•••"),
        ("date", date(1990, 5, 17), "1990"),
        ("date", "1990-05-17", "1990"),
        ("document", "C01X00T47", "•••T47"),
        ("document", "C01X0", "•••"),
        ("address", "Lindenweg 4", "•••"),
        ("place", "Leipzig", "Leipzig"),
        ("postcode", "04109", "04•••"),
        ("text", "anything", "an•••"),
        ("free", {"income": "high"}, "•••"),
    ],
)
def test_each_kind_keeps_just_enough_to_compare(kind, value, part):
    assert masked(value, FieldMask.FULL, kind) == value
    assert masked(value, FieldMask.PARTIAL, kind) == part
    assert masked(value, FieldMask.NONE, kind) == HIDDEN


@pytest.mark.parametrize("mask", list(FieldMask))
@pytest.mark.parametrize("absent", [None, ""])
def test_what_is_absent_is_absent_under_every_mask(mask, absent):
    assert masked(absent, mask, "email") == absent


@given(st.text(min_size=9, max_size=40), st.sampled_from(sorted(set(PARTIALS) - {"place"})))
def test_a_part_is_never_the_whole(value, kind):
    assert value.strip() == "" or masked(value, FieldMask.PARTIAL, kind) != value
    assert masked(value, FieldMask.NONE, kind) == HIDDEN


def test_nobody_listed_reads_nothing_and_a_client_the_own_rows():
    assert mask_for(reader(), EMAIL) is FieldMask.NONE
    assert mask_for(reader(email="PARTIAL"), EMAIL) is FieldMask.PARTIAL
    assert mask_for(reader(ActorKind.PARTNER), EMAIL) is FieldMask.NONE
    assert mask_for(reader(ActorKind.INTEGRATOR), EMAIL) is FieldMask.NONE
    assert mask_for(reader(ActorKind.CLIENT), EMAIL) is FieldMask.FULL
    assert mask_for(Actor.system("tests"), EMAIL) is FieldMask.FULL


def test_a_field_that_no_model_declares_is_an_error_and_never_shown():
    for act in (lambda: mask_for(reader(), "clients.Person.shoe_size"),
                lambda: masked_text(reader(), "clients.Person.shoe_size", "43")):  # fmt: skip
        with pytest.raises(KeyError):
            act()


def test_lookups_that_reach_a_personal_field_are_known_whatever_their_form():
    for model, lookup, fields in [
        (Client, "person__email__startswith", [EMAIL]),
        (Client, "=person__phone", ["clients.Person.phone"]),
        (Client, "-person__last_name", ["clients.Person.last_name"]),
        (Client, "person__email_index__blind", [EMAIL]),
        (Client, "person__names__blind", ["clients.Person.first_name", "clients.Person.last_name"]),
        (Document, "number__istartswith", ["kyc.Document.number"]),
        (Document, "case__client__person__tax_id__gt", ["clients.Person.tax_id"]),
        (Person, "pk__in", []),
        (Client, "entity__code", []),
        (Client, "nothing_like_this", []),
    ]:
        assert personal_lookup(model, lookup) == fields, lookup
    assert may_look_up(reader(email="FULL"), Client, "person__email__startswith")
    assert not may_look_up(reader(email="PARTIAL"), Client, "person__email__startswith")


def test_rows_name_themselves_as_the_viewer_reads_them():
    lena = Person(first_name="Lena", last_name="Vogel")
    assert str(lena) == "Lena Vogel"
    with seen_by(reader(first_name="PARTIAL", last_name="FULL")):
        assert str(lena) == "L••• Vogel"
        assert lena.full_name == "Lena Vogel"
    with seen_by(reader()):
        assert (str(lena), said(lena, "first_name")) == (HIDDEN, HIDDEN)
        assert seen("clients.Person.first_name", "Lena") == HIDDEN
        assert seen("clients.Client.number", "C-1") == "C-1"
    assert seen("clients.Person.first_name", "Lena") == HIDDEN


def test_the_mask_file_names_known_roles_and_those_who_need_least_read_least():
    masks = declared_masks()
    assert set(masks) <= set(declared_roles()) - {"client", "partner"}
    assert set(masks["admin"].values()) == {FieldMask.FULL}
    assert masks["sales"][EMAIL] is FieldMask.PARTIAL
    assert "clients.Person.tax_id" not in masks["sales"]
    assert EMAIL not in masks["dealing"]


def test_every_declared_field_exists_has_a_known_kind_and_is_never_edited_or_exported_bare():
    for label, kind in personal_fields().items():
        model, _dot, name = label.rpartition(".")
        apps.get_model(model)._meta.get_field(name)
        assert kind in PARTIALS
    from django.contrib import admin

    for page in admin.site._registry.values():
        if isinstance(page, BrokerModelAdmin):
            assert not set(page.editable_fields) & set(getattr(page.model, "personal_fields", {}))
    for export in EXPORTS.values():
        for column in export.columns:
            path = (column.value if isinstance(column.value, str) else "") or column.name
            touched = personal_lookup(apps.get_model(export.model), path.replace(".", "__"))
            assert not touched or column.personal in touched, f"{export.model}.{column.name}"
            assert not column.personal or column.personal in personal_fields()


def test_the_interface_shows_personal_fields_through_masks_alone():
    from rest_framework.serializers import ModelSerializer

    from apps.core.api import MaskedModelSerializer

    bare = [
        f"{kind.__name__}.{name}"
        for kind in _all_subclasses(ModelSerializer)
        if kind.__module__.startswith("apps.") and hasattr(kind, "Meta")
        for name, field in kind().fields.items()
        if personal_lookup(kind.Meta.model, (field.source or "").replace(".", "__"))
        and not issubclass(kind, MaskedModelSerializer)
    ]
    assert bare == []


def _all_subclasses(kind):
    return {kind, *(deeper for sub in kind.__subclasses__() for deeper in _all_subclasses(sub))}
