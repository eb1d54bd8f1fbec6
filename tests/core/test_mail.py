"""Messages: what they say, to whom, once, and what a mail server can do to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
from django.db import transaction

from apps.core import clock, outbox
from apps.core.events import BY_EVENT, HANDLERS, Event, WhenDead, emit, reacts_to
from apps.core.mail import (
    MAIL_KINDS,
    Addressee,
    Letterhead,
    MailKind,
    Purpose,
    mail_send,
    wording,
)
from apps.core.mail.sending import composed
from apps.core.mail.texts import Words, folder, problems, words_in_file
from apps.core.mail.unsubscribe import MARKETING, leave, way_out
from apps.core.models import Delivery, SentMail
from apps.core.notifications import preference_set, wants_mail
from apps.users.models import User
from apps.users.selectors import actor_for
from tests.core.mail_server import MailServer, mail_server

HEAD = Letterhead("Broker Ltd", "BOS-EU", "help@broker.example", "Licence 1", "You may lose money.")
LENA = Addressee("lena@client.example", "en", HEAD)
KIND = MailKind(
    "tests.hello", "Hello", {"name": "Lena", "link": "https://x.example/"}, frozenset({"link"})
)
NEWS = MailKind("tests.news", "News", {"name": "Lena"}, purpose=Purpose.MARKETING)


@dataclass(frozen=True, kw_only=True)
class Greeted(Event):
    name = "core.Greeted"
    aggregate = "who"
    who: str


def mail_greeting(event: Greeted) -> None:
    mail_send(KIND, to=LENA, values={"name": event.who, "link": "https://x.example/a?b=1&c=2"})


@pytest.fixture
def reaction(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(
        "apps.core.mail.sending.words_for",
        lambda kind, entity, language: Words(
            "en", "Hello {{ name }}", "Dear {{ name }},\n\n[Open]({{ link }})"
        ),
    )
    mail_greeting.__module__ = "apps.core.reactions"
    reacts_to(Greeted, atomic=False, when_dead=WhenDead.LET_PASS)(mail_greeting)
    yield
    BY_EVENT.pop(HANDLERS.pop("core.mail_greeting").event)


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 1
        yield running


def greet(who: str = "Lena") -> Delivery:
    with transaction.atomic():
        emit(Greeted(who=who))
    outbox.dispatch()
    delivery = Delivery.objects.latest("id")
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


# What a message says


def test_every_kind_has_words_in_every_language_that_use_what_it_has():
    shipped = {f"{p.parent.name}.{p.stem.rpartition('.')[0]}" for p in folder().glob("*/*.txt")}
    assert shipped == {code for code in MAIL_KINDS if not code.startswith("tests.")}
    for code in shipped:
        for language in ("en", "de"):
            words = words_in_file(code, language)
            assert words is not None, (code, language)
            found = list(problems(MAIL_KINDS[code], subject=words.subject, body=words.body))
            assert found == [], (code, language)
            message = composed(MAIL_KINDS[code], LENA, words, MAIL_KINDS[code].sample)
            assert "{" not in message.body + message.subject


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("Hello {{ nome }} {{ link }}", "this message has no nome"),
        ("Hello {{ name }}", "the text must contain link"),
        ("{{ link }} {{ name", "something is not closed"),
        ("{{ link }} {% load static %}", "something is not closed or not known"),
        ("{{ link }} {{ name|safe }}", "something is not closed or not known"),
        ("{{ link }} {{ name.__class__ }}", "something is not closed or not known"),
        ("{{ link }} {% if name %}{% if link %}x{% endif %}{% endif %}", "a choice inside"),
    ],
)
def test_words_that_cannot_be_used_are_named(body, problem):
    assert any(found.startswith(problem) for found in problems(KIND, subject="Hi", body=body))


def test_a_value_is_never_markup_a_link_or_a_header():
    values = {
        "name": "<b>Eve</b>\r\nBcc: all@x.example\n\n[Pay]({{ link }}) {{ link }}",
        "link": 'https://x.example/?a="><script>',
    }
    assert "\n" not in wording.subject_line("Hi {{ name }}", values)
    html = wording.html("Dear {{ name }},\n\n[Open]({{ link }})\n\n- one\n- {{ name }}", values)
    assert html.count("<a ") == 1
    assert "<b>" not in html
    assert "<script>" not in html
    assert "{{ link }}" in wording.plain("{{ name }}", values)
    with pytest.raises(ValueError):
        wording.html("[Open]({{ link }})", {"link": "javascript:alert(1)"})


def test_a_choice_stays_only_when_its_value_is_there():
    body = "One.\n\n{% if name %}Dear {{ name }}.{% endif %}\n\nTwo."
    assert wording.plain(body, {"name": "Lena"}) == "One.\n\nDear Lena.\n\nTwo."
    assert wording.plain(body, {"name": ""}) == "One.\n\nTwo."


def test_the_frame_is_the_companys_in_the_readers_language():
    words = Words("de", "Hallo", "Text")
    message = composed(NEWS, LENA, words, {})
    assert message.reply_to == ["help@broker.example"]
    for part in (message.body, message.alternatives[0][0]):
        assert "Broker Ltd" in part
        assert "You may lose money." in part
        assert "Fragen:" in part


def test_a_missing_value_sends_nothing():
    with pytest.raises(KeyError):
        composed(KIND, LENA, Words("en", "Hi", "{{ name }}"), {})


# Sending


@pytest.mark.django_db
def test_a_message_arrives_once_whatever_is_repeated(server, reaction):
    delivery = greet()
    assert delivery.state == "DONE"
    Delivery.objects.update(state="PENDING")
    outbox.deliver(delivery.pk)
    (mail,) = server.received
    row = SentMail.objects.get()
    assert (row.state, row.key) == ("SENT", str(delivery.event.id))
    assert mail["Message-ID"] == row.message_id
    assert mail["Subject"] == "Hello Lena"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert "lena@client.example" not in str(SentMail.objects.values().get())
    tried = sha256(f"{row.key}:lena@client.example".encode()).hexdigest()[:32]
    assert row.recipient != tried, "nobody finds the reader by trying addresses"


@pytest.mark.django_db
@pytest.mark.parametrize("mood", ["unknown", "spam"])
def test_what_is_refused_for_good_is_a_dead_letter_and_keeps_no_address(server, reaction, mood):
    server.mood = mood
    delivery = greet()
    assert (delivery.state, delivery.attempts) == ("DEAD", 1)
    assert delivery.last_error.startswith("Undeliverable: 55")
    assert "lena@" not in delivery.last_error
    assert SentMail.objects.get().state == "BOUNCED"
    server.mood = "takes"
    assert greet("Lena").state == "DONE", "a later message does not wait for a bounced one"


@pytest.mark.django_db
def test_a_busy_server_is_asked_again_later(server, reaction):
    server.mood = "busy"
    delivery = greet()
    assert (delivery.state, delivery.attempts) == ("PENDING", 1)
    assert delivery.next_at > clock.now()
    assert "lena@" not in delivery.last_error
    server.mood = "takes"
    assert outbox.deliver(delivery.pk) is True
    assert len(server.received) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("mood", ["silent", "hangs_up", "gone"])
def test_a_server_that_is_away_is_asked_for_as_long_as_it_takes(server, reaction, settings, mood):
    server.mood = mood
    if mood == "gone":
        settings.EMAIL_PORT = 1
    began = time.monotonic()
    delivery = greet()
    assert time.monotonic() - began < 3
    Delivery.objects.update(attempts=outbox.MAX_ATTEMPTS - 1)
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == "PENDING"
    assert delivery.last_error.startswith("MailServerSilent")


@pytest.mark.django_db
def test_outside_of_an_event_nothing_is_sent():
    with pytest.raises(RuntimeError):
        mail_send(KIND, to=LENA, values={"name": "x", "link": "https://x.example"})
    assert not SentMail.objects.exists()


# Marketing


@pytest.mark.django_db
def test_marketing_needs_a_yes_and_one_click_ends_it(client, monkeypatch, mailoutbox):
    monkeypatch.setattr(
        "apps.core.mail.sending.words_for",
        lambda kind, entity, language: Words("en", "News", "News!"),
    )
    user = User.objects.create_user("lena@client.example")
    reader = Addressee(user.email, "en", HEAD, user.pk)
    assert mail_send(NEWS, to=reader, values={}, key="news-1") is False
    preference_set(kind=MARKETING.code, in_app=False, email=True, actor=actor_for(user))
    assert mail_send(NEWS, to=reader, values={}, key="news-1") is True
    (mail,) = mailoutbox
    link = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert link in mail.body
    path = link.partition("/mail/")[2]
    assert client.get(f"/mail/{path}").status_code == 200
    assert wants_mail(user.pk, MARKETING)
    done = client.post(f"/mail/{path}", {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert not wants_mail(user.pk, MARKETING)
    assert client.post("/mail/unsubscribe/guessed/").status_code == 404
    assert leave(way_out(user.pk).rstrip("/").rpartition("/")[2]) is True


# Languages


def test_the_compiled_words_are_those_of_the_file_that_people_edit(settings):
    """Nobody needs gettext's programs to run the house, so what they make is kept beside the source."""
    import gettext
    import re

    folder_ = settings.LOCALE_PATHS[0] / "de" / "LC_MESSAGES"
    source = (folder_ / "django.po").read_text("utf-8")
    written = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.MULTILINE))
    with (folder_ / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert len(written) > 40
    assert {text: compiled.gettext(text) for text in written} == written
