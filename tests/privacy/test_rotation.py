"""Keys change while people work; stopped in the middle, nothing is lost and the next run goes on."""

from __future__ import annotations

import base64
import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from apps.clients.models import Person
from apps.core import clock
from apps.core.models import AuditRecord, DataKey
from apps.core.privacy import keyring, keys, rotation
from apps.core.privacy.errors import KeyLost
from apps.core.privacy.fields import Sealed
from tests.clients.world import again
from tests.privacy.test_sealing import person, stored

pytestmark = pytest.mark.django_db

ONE, TWO = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture
def ring(settings):
    """Change the ring of this process as a restart with other settings does."""

    def change(text: str) -> None:
        settings.PRIVACY_KEK = text
        keyring.forget()
        keys.forget()

    change(f"2025:{ONE}")
    yield change
    settings.PRIVACY_KEK = ""
    keyring.forget()
    keys.forget()


def test_after_a_rotation_the_old_key_may_go(ring) -> None:
    people = [person(email=f"p{number}@client.example") for number in range(3)]
    before = stored(people[0], "email")
    ring(f"2026:{TWO},2025:{ONE}")

    out = io.StringIO()
    call_command("rotate_keys", "--batch", "2", stdout=out)
    ring(f"2026:{TWO}")

    assert [again(one).first_name for one in people] == ["Lena"] * 3
    assert stored(people[0], "email") == before
    assert rotation.wrapped_by() == {"2026": 6}
    assert out.getvalue().splitlines() == [
        "data keys wrapped anew: 2",
        "data keys wrapped anew: 4",
        "data keys wrapped anew: 6",
        "Data keys wrapped by: 2026 6",
    ]
    assert AuditRecord.objects.get(action="keys.rotate").after["wrapped_by"] == {"2026": 6}


def test_stopped_in_the_middle_everything_stays_readable_and_the_next_run_ends_it(
    ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(email=f"p{number}@client.example") for number in range(3)]
    ring(f"2026:{TWO},2025:{ONE}")
    real, calls = keyring.keyring(), []

    class Dying:
        current_id = "2026"
        unwrap = staticmethod(real.unwrap)

        def wrap(self, secret, bound):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return real.wrap(secret, bound)

    with monkeypatch.context() as dying:
        dying.setattr(rotation, "keyring", Dying)
        with pytest.raises(KeyboardInterrupt):
            list(rotation.rewrap(batch=2))

    assert rotation.wrapped_by() == {"2025": 4, "2026": 2}
    keys.forget()
    assert [again(one).email for one in people] == [f"p{n}@client.example" for n in range(3)]

    assert [step.done for step in rotation.rewrap(batch=2)] == [2, 4]
    assert list(rotation.rewrap(batch=2)) == []
    assert rotation.wrapped_by() == {"2026": 6}


def test_taking_the_old_key_away_too_early_is_said_clearly_and_mended_by_giving_it_back(
    ring,
) -> None:
    lena = person()
    ring(f"2026:{TWO}")
    with pytest.raises(KeyLost) as lost:
        _ = again(lena).email
    assert lost.value.values["key"] == "2025"

    ring(f"2026:{TWO},2025:{ONE}")
    assert again(lena).first_name == "Lena"


def test_new_data_keys_take_over_and_old_values_follow_with_their_history() -> None:
    lena = person()
    lena = again(lena)
    lena.city = "Hamburg"
    lena.save_as(keys_actor(), "moved")
    old = set(DataKey.objects.values_list("pk", flat=True))

    steps = list(rotation.replace_data_keys(older_than=clock.now() + timedelta(days=1), batch=1))
    keys.forget()

    assert [(step.what, step.done) for step in steps] == [
        ("data keys replaced", 2),
        ("clients_historicalperson", 2),
        ("clients_person", 1),
    ]
    shown = again(lena)
    assert (shown.first_name, shown.city, shown.email) == (
        "Lena",
        "Hamburg",
        "lena.vogel+spam@googlemail.com",
    )
    assert [row.city for row in shown.history.all()] == ["Hamburg", "Bremen"]
    for column in ("first_name", "email", "city"):
        assert Sealed(stored(lena, column)).key_id not in {key.bytes for key in old}
    assert DataKey.objects.filter(pk__in=old, retired_at__isnull=False).count() == 2
    assert list(rotation.reseal()) == []


def test_stopped_while_sealing_anew_both_halves_are_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [person(email=f"p{number}@client.example") for number in range(3)]
    real, done = rotation._reseal_rows, []

    def dying(*args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_reseal_rows", dying)
        with pytest.raises(KeyboardInterrupt):
            list(rotation.replace_data_keys(older_than=clock.now() + timedelta(days=1), batch=1))
    keys.forget()
    assert [one.first_name for one in Person.objects.all()] == ["Lena"] * 3
    assert len({one.email for one in Person.objects.all()}) == 3

    list(rotation.reseal(batch=1))
    retired = {
        key.bytes for key in DataKey.objects.exclude(retired_at=None).values_list("pk", flat=True)
    }
    keys.forget()
    assert all(Sealed(stored(one, "email")).key_id not in retired for one in people)
    assert [again(one).first_name for one in people] == ["Lena"] * 3


def test_a_day_that_is_none_is_refused_before_anything_is_read() -> None:
    from django.core.management.base import CommandError

    with pytest.raises(CommandError, match="YYYY-MM-DD"):
        call_command("rotate_keys", "--data-keys-before", "yesterday", stdout=io.StringIO())


def keys_actor():
    from tests.clients.world import SYSTEM

    return SYSTEM
