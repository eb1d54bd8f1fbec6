"""Two connections: nobody seals under a key that is being retired."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.clients.models import Person
from apps.core import clock
from apps.core.models import DataKey
from apps.core.privacy import keys, rotation
from apps.core.privacy.fields import Sealed
from tests.clients.world import SYSTEM
from tests.privacy.test_sealing import person

pytestmark = pytest.mark.django_db(transaction=True)


def test_retirement_waits_for_the_writer_and_finds_what_it_wrote() -> None:
    lena = person()
    holds, may_end = threading.Event(), threading.Event()

    def writer() -> None:
        try:
            with transaction.atomic():
                row = Person.objects.get(pk=lena.pk)
                row.city = "Hamburg"
                row.save_as(SYSTEM, "moved")
                holds.set()
                may_end.wait(10)
        finally:
            connection.close()

    working = threading.Thread(target=writer)
    working.start()
    assert holds.wait(10)
    threading.Timer(0.3, may_end.set).start()

    list(rotation.replace_data_keys(older_than=clock.now() + timedelta(days=1)))
    working.join(10)
    keys.forget()

    shown = Person.objects.get(pk=lena.pk)
    current = DataKey.objects.get(subject=lena.pk, keep="STATUTORY", retired_at=None)
    assert Sealed(shown.__dict__["city"]).key_id == current.pk.bytes
    assert shown.city == "Hamburg"


def test_two_who_write_first_share_one_key() -> None:
    subject = person().pk
    other = Person(country="DE").pk
    made: list[keys.Key] = []
    together = threading.Barrier(2)

    def first() -> None:
        try:
            with transaction.atomic():
                together.wait(10)
                made.append(keys.key_for_writing(other, "STATUTORY"))
        finally:
            connection.close()

    threads = [threading.Thread(target=first) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert subject != other
    assert made[0].id == made[1].id
    assert DataKey.objects.filter(subject=other).count() == 1
