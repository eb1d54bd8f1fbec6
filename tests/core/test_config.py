"""Configuration carried from one installation to another: the same bytes back, agreed by two, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from apps.clients.models import LegalEntity
from apps.core.actor import Actor
from apps.core.approvals import approval_rebase, approval_vote
from apps.core.approvals.errors import NotRevisable
from apps.core.config import (
    CONFIG_KINDS,
    ConfigRefused,
    canonical,
    config_export,
    config_plan,
    config_request,
    digest,
    read_bundle,
    sign,
)
from apps.core.errors import DomainError, NotAllowed, SelfApproval, StaleBase
from apps.core.models import Approval, AuditRecord, MessageTemplate
from apps.market.models import Instrument
from apps.payments.models import PaymentMethod, PaymentProvider
from apps.portal.seed.office import load_reference_data
from apps.rules.compiled import forget_compiled
from apps.users.models import Role, User
from apps.users.selectors import actor_for

SYSTEM = Actor.system("tests")


def staff(role: str, name: str = "") -> Actor:
    email = f"{name or role}@config.example"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, is_staff=True, scope_level="ALL", name=role)
        user.groups.add(Role.objects.get(name=role))
    return actor_for(User.objects.get(pk=user.pk))


def carried(raw: bytes, maker: str = "operations", checker: str = "compliance") -> Approval:
    """Planned, asked for by one and agreed to by another."""
    plan = config_plan(read_bundle(raw), actor=staff(maker))
    asked = config_request(raw=raw, base=plan.base, actor=staff(maker), reason="promoted")
    approval_vote(
        approval_id=asked.pk,
        actor=staff(checker, f"checking {checker}".replace(" ", "-")),
        verdict="APPROVE",
        reason="as tested",
    )
    return Approval.objects.get(pk=asked.pk)


def forged(change: Callable[[dict[str, Any]], None], *, signed: bool = True, of: str = "") -> bytes:
    """A bundle with something else in it, signed by this installation unless said otherwise."""
    bundle = json.loads(config_export(actor=SYSTEM, kinds=[of] if of else ()))
    change(bundle)
    if signed:
        bundle["checksum"] = digest(bundle["kinds"])
        signature = sign(canonical(bundle["kinds"]), purpose="config")
        bundle["signature"] = {"key": signature.key_id, "value": signature.value}
    return json.dumps(bundle).encode()


@contextmanager
def another_house() -> Iterator[None]:
    """An empty installation beside this one: the same tables, other ids."""
    params = connection.get_connection_params()
    name = f"{connection.settings_dict['NAME']}_elsewhere"
    template = settings.DATABASES["default"]["TEST"]["TEMPLATE"]
    keys = {k: params[k] for k in ("host", "port", "user", "password") if k in params}
    kept = connection.settings_dict["NAME"]
    with psycopg.connect(dbname="postgres", autocommit=True, **keys) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.close()
        connection.settings_dict["NAME"] = name
        forget_compiled()
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = kept
            forget_compiled()
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def few() -> None:
    for command in ("load_roles", "load_entities", "load_providers", "load_instruments"):
        call_command(command, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_a_configuration_is_carried_to_another_house_and_comes_back_as_the_same_bytes():
    few()
    LegalEntity.objects.filter(code="BOS-EU").update(support_email="new@broker.example")
    Instrument.objects.filter(symbol="EURUSD").update(max_lot="77")
    MessageTemplate.objects.bulk_create(
        [
            MessageTemplate(
                code="clients.welcome", language="en", version=1, state="ACTIVE",
                subject="Hi", body="Go on: {{ link }}",
            )
        ]
    )  # fmt: skip
    raw = config_export(actor=SYSTEM)
    assert raw == config_export(actor=SYSTEM)
    here = str(Instrument.objects.get(symbol="EURUSD").pk)
    assert here not in raw.decode()

    with another_house():
        Role.objects.create(name="first of its kind")
        few()
        there = Instrument.objects.get(symbol="EURUSD")
        assert str(there.pk) != here
        plan = config_plan(read_bundle(raw), actor=SYSTEM)
        assert [(c.act, c.kind, c.key) for c in plan.changes] == [
            ("change", "clients.entities", "BOS-EU"),
            ("change", "market.instruments", "EURUSD"),
            ("create", "core.messages", "clients.welcome/*/en"),
        ]
        assert "max_lot: 100 → 77" in plan.text() or "→ 77" in plan.text()
        assert plan.kept == [("users.roles", "first of its kind")]
        assert carried(raw).state == "APPROVED"
        assert LegalEntity.objects.get(code="BOS-EU").support_email == "new@broker.example"
        assert Instrument.objects.get(symbol="EURUSD").pk == there.pk
        assert AuditRecord.objects.get(action="config.apply").after["changes"] == 3
        Role.objects.filter(name="first of its kind").delete()
        assert config_export(actor=SYSTEM) == raw
        assert config_plan(read_bundle(raw), actor=SYSTEM).changes == []


@pytest.mark.django_db(transaction=True)
def test_rules_plans_policies_and_rows_are_made_where_they_are_missing():
    load_reference_data()
    raw = config_export(actor=SYSTEM)
    made = {kind for kind, part in read_bundle(raw).items() if part["items"]}
    assert made >= {
        "users.roles", "users.masks", "core.policies", "clients.entities", "payments.providers",
        "payments.methods", "market.instruments", "accounts.types", "rules.sets",
    }  # fmt: skip
    kinds = ["users.roles", "users.masks", "core.policies", "clients.entities", "rules.sets",
             "payments.providers", "payments.methods"]  # fmt: skip
    part = config_export(actor=SYSTEM, kinds=kinds)
    with another_house():
        call_command("load_roles", verbosity=0)
        carried(part, "admin", "admin")
        assert config_export(actor=SYSTEM, kinds=kinds) == part


@pytest.fixture
def house(db: None) -> None:
    call_command("load_roles", verbosity=0)
    call_command("load_entities", verbosity=0)
    call_command("load_providers", verbosity=0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda b: b.update(format="zip"), "not a bundle of this product"),
        (lambda b: b.update(version=2), "reads up to 1"),
        (lambda b: b.update(path="/etc/passwd"), "not a bundle"),
        (lambda b: b["kinds"].update({"core.secrets": {"version": 1, "items": {}}}), "knows no"),
        (lambda b: b["kinds"]["clients.entities"].update(version=9), "is version 9"),
        (lambda b: _entity(b).update(active=True), "unknown field"),
        (lambda b: _entity(b).update(name=7), "Expected `str`"),
        (lambda b: _entity(b).update(name="x" * 30_000), "too long"),
        (lambda b: _items(b).update({"../../etc": _entity(b)}), "is no key"),
        (lambda b: _items(b).update({"A\n": _entity(b)}), "is no key"),
        (lambda b: _entity(b).pop("name"), "missing required field"),
    ],
)
def test_a_bundle_that_is_not_what_it_should_be_is_refused_in_words(house, change, problem):
    raw = forged(change, of="clients.entities")
    with pytest.raises(ConfigRefused) as refused:
        config_plan(read_bundle(raw), actor=SYSTEM)
    assert problem in str(refused.value)


def _items(bundle: dict[str, Any]) -> dict[str, Any]:
    return bundle["kinds"]["clients.entities"]["items"]


def _entity(bundle: dict[str, Any]) -> dict[str, Any]:
    return _items(bundle)["BOS-EU"]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{" * 100_000, "not a bundle"),
        (b"\xff\xfe", "not a bundle"),
        (b"[]", "not a bundle"),
        (b"1" * 4_000_001, "larger than"),
    ],
)
def test_bytes_that_are_no_bundle_are_refused(raw, problem):
    with pytest.raises(ConfigRefused) as refused:
        read_bundle(raw)
    assert problem in str(refused.value)


def test_what_was_changed_after_signing_or_signed_by_a_stranger_is_refused(house):
    def rename(bundle: dict[str, Any]) -> None:
        _entity(bundle)["name"] = "Else Ltd"

    with pytest.raises(ConfigRefused, match="checksum") as refused:
        read_bundle(forged(rename, signed=False, of="clients.entities"))
    assert "checksum" in str(refused.value)

    def resigned(bundle: dict[str, Any]) -> None:
        rename(bundle)
        bundle["checksum"] = digest(bundle["kinds"])

    with pytest.raises(ConfigRefused) as refused:
        read_bundle(forged(resigned, signed=False, of="clients.entities"))
    assert "trusts" in str(refused.value)


def renamed(name: str) -> bytes:
    return forged(lambda b: _entity(b).update(name=name), of="clients.entities")


def test_a_plan_of_yesterday_is_not_applied_today(house):
    raw = renamed("Else Ltd")
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    asked = config_request(raw=raw, base=plan.base, actor=staff("operations"), reason="promoted")
    LegalEntity.objects.filter(code="BOS-INT").update(name="Other Ltd")
    with pytest.raises(StaleBase):
        config_request(raw=raw, base=plan.base, actor=staff("operations"), reason="again")
    with pytest.raises(DomainError):
        approval_vote(
            approval_id=asked.pk, actor=staff("compliance"), verdict="APPROVE", reason="fine"
        )
    assert LegalEntity.objects.get(code="BOS-EU").name != "Else Ltd"


def test_it_takes_two_people_and_each_needs_the_permission(house):
    raw = renamed("Else Ltd")
    with pytest.raises(NotAllowed):
        config_export(actor=staff("support"))
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    with pytest.raises(NotAllowed):
        config_request(raw=raw, base=plan.base, actor=staff("compliance"), reason="alone")
    admin = staff("admin")
    asked = config_request(raw=raw, base=plan.base, actor=admin, reason="promoted")
    with pytest.raises(SelfApproval):
        approval_vote(approval_id=asked.pk, actor=admin, verdict="APPROVE", reason="mine")
    assert LegalEntity.objects.get(code="BOS-EU").name != "Else Ltd"


def test_one_thing_that_cannot_be_made_keeps_all_of_it_out(house):
    def change(bundle: dict[str, Any]) -> None:
        bundle["kinds"]["clients.entities"]["items"]["BOS-EU"]["name"] = "Else Ltd"
        methods = bundle["kinds"]["payments.methods"]["items"]
        key = min(methods)
        methods["nobody/" + key.partition("/")[2]] = methods[key]

    raw = forged(change)
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    asked = config_request(raw=raw, base=plan.base, actor=staff("operations"), reason="promoted")
    before = config_export(actor=SYSTEM)
    with pytest.raises(ConfigRefused, match="no payment provider nobody"):
        approval_vote(
            approval_id=asked.pk, actor=staff("compliance"), verdict="APPROVE", reason="fine"
        )
    assert config_export(actor=SYSTEM) == before
    assert PaymentProvider.objects.filter(code="nobody").count() == 0
    assert Approval.objects.get(pk=asked.pk).state != "APPROVED"


def test_what_is_in_use_is_not_retired_and_nothing_is_deleted(house):
    count = LegalEntity.objects.count()
    raw = forged(lambda b: _items(b).pop("BOS-INT"), of="clients.entities")
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    assert [(c.act, c.key) for c in plan.changes] == [("retire", "BOS-INT")]
    carried(raw)
    assert (LegalEntity.objects.count(), LegalEntity.objects.get(code="BOS-INT").active) == (
        count,
        False,
    )
    methods = PaymentMethod.objects.count()

    def without_methods(bundle: dict[str, Any]) -> None:
        bundle["kinds"]["payments.methods"]["items"].clear()

    raw = forged(without_methods, of="payments.methods")
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    assert (plan.changes, len(plan.kept)) == ([], methods)


def test_the_pages_export_plan_and_ask(house, client):
    actor = staff("operations")
    client.force_login(User.objects.get(pk=actor.user_id))
    got = client.get(reverse("admin-config-export"))
    assert got.content == config_export(actor=SYSTEM)
    from django.core.files.uploadedfile import SimpleUploadedFile

    raw = renamed("Else Ltd")
    page = client.post(reverse("admin-config"), {"bundle": SimpleUploadedFile("bundle.json", raw)})
    assert "Else Ltd" in page.content.decode()
    ask = page.context["ask"].initial
    asked = client.post(reverse("admin-config-request"), {**ask, "reason": "promoted"})
    approval = Approval.objects.get(action="config.apply")
    assert asked.url == reverse("admin:core_approval_change", args=[approval.pk])
    bad = client.post(reverse("admin-config"), {"bundle": SimpleUploadedFile("bundle.json", b"no")})
    assert (bad.status_code, Approval.objects.count()) == (422, 1)


def test_every_kind_names_things_by_words_alone():
    assert set(CONFIG_KINDS) == {
        "users.roles", "users.masks", "core.policies", "core.messages", "clients.entities",
        "payments.providers", "payments.methods", "market.instruments", "accounts.types",
        "ib.plans", "rules.sets",
    }  # fmt: skip


def wider(role: str) -> bytes:
    """A bundle in which one role may skip deliveries, too."""

    def change(bundle: dict[str, Any]) -> None:
        held = bundle["kinds"]["users.roles"]["items"][role]["permissions"]
        held[:] = sorted({*held, "core.skip_delivery"} - {"core.export_config"})

    return forged(change, of="users.roles")


def asked_by(raw: bytes, maker: Actor) -> Approval:
    plan = config_plan(read_bundle(raw), actor=SYSTEM)
    return config_request(raw=raw, base=plan.base, actor=maker, reason="promoted")


def test_a_bundle_that_gives_power_needs_those_who_may_give_it_and_shows_what_it_gives(house):
    raw = wider("compliance")
    before = config_export(actor=SYSTEM)
    with pytest.raises(NotAllowed):
        asked_by(raw, staff("operations"))
    assert Approval.objects.count() == 0
    holder, admin = staff("compliance"), staff("admin", "second")
    asked = asked_by(raw, staff("admin"))
    [line] = asked.diff
    assert (line["label"], line["before"], line["after"]) == (
        "Roles compliance: permissions", "core.export_config", "core.skip_delivery",
    )  # fmt: skip
    assert asked.beneficiary_ids == [str(holder.user_id)]
    with pytest.raises(DomainError):
        approval_vote(approval_id=asked.pk, actor=holder, verdict="APPROVE", reason="mine")
    weak = replace(admin, permissions=admin.permissions - {"users.grant_any"})
    with pytest.raises(NotAllowed):
        approval_vote(approval_id=asked.pk, actor=weak, verdict="APPROVE", reason="fine")
    with pytest.raises(NotRevisable):
        approval_rebase(approval_id=asked.pk, actor=staff("admin"), reason="again")
    assert config_export(actor=SYSTEM) == before
    approval_vote(approval_id=asked.pk, actor=admin, verdict="APPROVE", reason="fine")
    assert "core.skip_delivery" in staff("compliance").permissions


def test_administrators_keep_access_and_policies_govern_what_the_house_does(house):
    def shut(bundle: dict[str, Any]) -> None:
        bundle["kinds"]["users.roles"]["items"]["admin"]["permissions"].remove("users.grant_any")

    def invent(bundle: dict[str, Any]) -> None:
        items = bundle["kinds"]["core.policies"]["items"]
        items["nobody.does_this"] = {"content": {"bands": [{"stages": [
            {"permissions": ["core.vote_approval"]}]}]}}  # fmt: skip

    for change, kind, said in (
        (shut, "users.roles", "would lose users.grant_any"),
        (invent, "core.policies", "no action is named nobody.does_this"),
    ):
        with pytest.raises(ConfigRefused, match=said):
            config_plan(read_bundle(forged(change, of=kind)), actor=SYSTEM)
