"""Registering, proving the address, and giving nothing away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from apps.clients.errors import InvalidEmail, InvalidPhone, TokenInvalid, WeakPassword
from apps.clients.models import Client, ClientLogin, DuplicateFlag, EmailConfirmation, Person
from apps.clients.services import (
    email_confirm,
    email_confirmation_resend,
)
from apps.core import clock
from apps.core.errors import DomainError, InvalidInput
from apps.core.models import OutboxEvent
from apps.users.signin.services import password_reset, password_reset_request

from . import world

pytestmark = pytest.mark.usefixtures("house")


def counts() -> dict[str, int]:
    models = [Client, Person, ClientLogin, EmailConfirmation, get_user_model(), OutboxEvent]
    return {model.__name__: model.objects.count() for model in models}


def events(name: str) -> list[dict]:
    return list(OutboxEvent.objects.filter(name=name).values_list("payload", flat=True))


def test_a_german_is_booked_by_the_eu_company_and_must_confirm_the_address():
    client = world.register(partner_code=" IVY-7 ")

    assert client.entity.code == "BOS-EU"
    assert (client.lifecycle, client.kyc_status) == ("REGISTERED", "NOT_STARTED")
    assert client.person.phone == "+4915123456789"
    assert world.user_of(client).is_active is False
    assert events("clients.ClientRegistered") == [
        {"client_id": str(client.id), "partner_code": "IVY-7", "entity": "BOS-EU"}
    ]


def test_a_brazilian_is_booked_by_the_international_company():
    client = world.register(country="BR", phone="+55 11 91234-5678")
    assert client.entity.code == "BOS-INT"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "not-an-address"}, InvalidEmail),
        ({"phone": "12"}, InvalidPhone),
        ({"password": "short"}, WeakPassword),
        ({"password": "lena@client.example"}, WeakPassword),
        ({"country": "XX"}, InvalidInput),
        ({"country": "US", "phone": ""}, DomainError),
        ({"country": "KP", "phone": ""}, DomainError),
    ],
)
def test_a_refused_registration_leaves_nothing_behind(change, error):
    before = counts()
    with pytest.raises(error):
        world.register(**change)
    assert counts() == before


def test_a_second_registration_with_the_address_is_answered_alike_and_its_owner_is_told(
    deliver_outbox, django_capture_on_commit_callbacks, mailoutbox
):
    first = world.register()
    before = counts()
    assert world.register(first_name="Somebody", password="another-password-17") is None
    after = counts()

    assert after["OutboxEvent"] == before.pop("OutboxEvent") + 1
    assert {name: after[name] for name in before} == before
    assert world.user_of(first).check_password(world.PASSWORD)
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    assert {mail.subject for mail in mailoutbox if mail.to == ["lena@client.example"]} == {
        "Confirm your e-mail address",
        "You have an account already",
    }


def test_the_mailed_link_opens_the_login_once(
    deliver_outbox, django_capture_on_commit_callbacks, mailoutbox
):
    client = world.register()
    token = world.token_of(client)
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    assert f"/portal/confirm/{token}/" in mailoutbox[0].body

    email_confirm(token=token, actor=world.anonymous())
    client = world.again(client)
    assert client.lifecycle == "ONBOARDING"
    assert client.email_confirmed_at == world.AT
    assert world.user_of(client).is_active is True
    assert client.onboarding.current_step == "personal"

    before = counts()
    with pytest.raises(TokenInvalid):
        email_confirm(token=token, actor=world.anonymous())
    assert counts() == before


def test_the_token_itself_is_kept_nowhere():
    client = world.register()
    token = world.token_of(client)
    stored = str(list(EmailConfirmation.objects.values())) + str(list(OutboxEvent.objects.values()))
    assert token not in stored


@pytest.mark.parametrize("token", ["", "x" * 43, "../../etc/passwd", "\x00"])
def test_a_made_up_token_is_refused(token):
    client = world.register()
    with pytest.raises(TokenInvalid):
        email_confirm(token=token, actor=world.anonymous())
    assert world.again(client).lifecycle == "REGISTERED"


def test_a_link_dies_after_a_day_and_a_new_one_replaces_it():
    client = world.register()
    old = world.token_of(client)
    with clock.frozen(world.AT + timedelta(hours=24)):
        with pytest.raises(TokenInvalid):
            email_confirm(token=old, actor=world.anonymous())
        email_confirmation_resend(email="LENA@client.example", actor=world.anonymous())
        new = world.token_of(client)
        assert new != old
        email_confirm(token=new, actor=world.anonymous())
    assert world.again(client).lifecycle == "ONBOARDING"


def test_a_resent_link_ends_the_one_before():
    client = world.register()
    old = world.token_of(client)
    with clock.frozen(world.AT + timedelta(seconds=1)):
        email_confirmation_resend(email=client.person.email, actor=world.anonymous())
        with pytest.raises(TokenInvalid):
            email_confirm(token=old, actor=world.anonymous())
    assert world.again(client).lifecycle == "REGISTERED"


def test_resending_to_a_stranger_does_nothing_and_says_nothing():
    before = counts()
    assert email_confirmation_resend(email="who@x.example", actor=world.anonymous()) is None
    assert counts() == before


def test_the_same_mailbox_or_phone_is_flagged_for_staff_once():
    first = world.register(email="lena.vogel@gmail.com")
    second = world.register(email="LenaVogel+fx@googlemail.com", first_name="Helena")

    flags = DuplicateFlag.objects.filter(client=second).order_by("signal")
    assert [(flag.other_id, flag.signal, flag.state) for flag in flags] == [
        (first.id, "EMAIL", "OPEN"),
        (first.id, "PHONE", "OPEN"),
    ]


def test_a_forgotten_password_is_replaced_once(
    deliver_outbox, django_capture_on_commit_callbacks, mailoutbox
):
    client = world.confirmed()
    password_reset_request(email=client.person.email, actor=world.anonymous())
    with django_capture_on_commit_callbacks(execute=True):
        deliver_outbox()
    body = next(m.body for m in mailoutbox if m.subject == "Choose a new password")
    uid, token = body.split("/portal/password/")[1].split()[0].strip("/").split("/")[-2:]

    password_reset(uid=uid, token=token, password="a-new-long-secret-5", actor=world.anonymous())
    assert world.user_of(client).check_password("a-new-long-secret-5")
    with pytest.raises(TokenInvalid):
        password_reset(uid=uid, token=token, password="yet-another-11-x", actor=world.anonymous())
    assert world.user_of(client).check_password("a-new-long-secret-5")


def test_no_mail_goes_out_for_an_unknown_or_staff_address():
    world.staff_user("compliance")
    before = counts()
    password_reset_request(email="nobody@x.example", actor=world.anonymous())
    password_reset_request(email="compliance@house.example", actor=world.anonymous())
    assert counts() == before
