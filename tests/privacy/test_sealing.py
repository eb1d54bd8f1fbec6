"""What lies in the database is sealed to its row, its column, its table and its person."""

from __future__ import annotations

import traceback
from datetime import date
from uuid import uuid4

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.clients.models import Person
from apps.core.models import AuditRecord, DataKey
from apps.core.privacy import keys
from apps.core.privacy.blind import blind
from apps.core.privacy.errors import KeyDestroyed, KeyLost, SealBroken
from apps.core.privacy.fields import Sealed, unseal
from apps.core.privacy.keyring import Keyring
from apps.core.privacy.keys import Keep
from tests.clients.world import SYSTEM, again

pytestmark = pytest.mark.django_db

LENA = {
    "first_name": "Lena",
    "last_name": "Vogel-Öztürk",
    "email": "lena.vogel+spam@googlemail.com",
    "phone": "+4915123456789",
    "date_of_birth": date(1990, 5, 17),
    "address_line1": "Lindenweg 4",
    "city": "Bremen",
    "postal_code": "28195",
    "country": "DE",
    "tax_id": "36 574 261 809",
}


def person(**fields: object) -> Person:
    made = Person(**{**LENA, **fields})
    made.save_as(SYSTEM, "test")
    return made


def stored(row: Person, column: str, table: str = "clients_person", key: str = "id") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {table} WHERE {key} = %s ORDER BY 1 LIMIT 1", [row.pk]
        )
        return bytes(cursor.fetchone()[0])


def put(row: Person, column: str, value: bytes, table: str = "clients_person") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row.pk])


def whole_row(row: Person, table: str = "clients_person") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [row.pk])
        return " ".join(
            bytes(cell).hex() if isinstance(cell, (bytes, memoryview)) else str(cell)
            for line in cursor.fetchall()
            for cell in line
        )


def test_every_value_comes_back_as_it_was_and_none_lies_readable() -> None:
    lena = person()

    shown = again(lena)

    assert {name: getattr(shown, name) for name in LENA} == LENA
    for table in ("clients_person", "clients_historicalperson"):
        lying = whole_row(lena, table)
        for value in ("Lena", "Vogel", "lena.vogel", "4915123456789", "1990", "Bremen", "28195"):
            assert value not in lying
            assert value.encode().hex() not in lying


def test_nothing_and_empty_stay_what_they_are_and_cost_no_key() -> None:
    nobody = Person(country="DE")
    nobody.save_as(SYSTEM, "test")

    shown = again(nobody)

    assert (shown.email, shown.phone, shown.date_of_birth) == ("", "", None)
    assert stored(nobody, "email") == b""
    assert not DataKey.objects.filter(subject=nobody.pk).exists()


def test_a_person_has_one_key_for_the_law_and_one_that_may_go() -> None:
    lena = person()

    assert sorted(DataKey.objects.filter(subject=lena.pk).values_list("keep", flat=True)) == [
        "ERASABLE",
        "STATUTORY",
    ]


@pytest.mark.parametrize("where", ["row", "column", "table"])
def test_a_value_moved_elsewhere_is_refused(where: str) -> None:
    lena, otto = person(), person(first_name="Otto", email="otto@client.example")
    if where == "row":
        put(otto, "email", stored(lena, "email"))
        victim, column = otto, "email"
    elif where == "column":
        put(lena, "city", stored(lena, "first_name"))
        victim, column = lena, "city"
    else:
        put(lena, "city", stored(lena, "city", "clients_historicalperson"))
        victim, column = lena, "city"

    with pytest.raises(SealBroken) as refused:
        getattr(again(victim), column)

    assert refused.value.code == "SEAL_BROKEN"
    assert refused.value.values == {"column": f"clients_person.{column}"}


@pytest.mark.parametrize("position", [0, 20, 40, -1], ids=["version", "nonce", "text", "tag"])
def test_one_altered_bit_is_refused(position: int) -> None:
    lena = person()
    altered = bytearray(stored(lena, "address_line1"))
    altered[position] ^= 1
    put(lena, "address_line1", bytes(altered))

    with pytest.raises(SealBroken):
        _ = again(lena).address_line1


def test_a_history_row_opens_under_its_own_table_and_the_row_it_tells_of() -> None:
    lena = person()
    lena = again(lena)
    lena.city = "Hamburg"
    lena.save_as(SYSTEM, "moved")

    assert [row.city for row in lena.history.all()] == ["Hamburg", "Bremen"]
    assert [row.names for row in lena.history.all()] == [[], []]


def test_a_value_that_nobody_changed_is_not_sealed_anew() -> None:
    lena = person()
    before = stored(lena, "email")

    shown = again(lena)
    assert shown.email == LENA["email"]
    shown.city = "Hamburg"
    shown.save_as(SYSTEM, "moved")

    assert stored(lena, "email") == before
    assert again(lena).city == "Hamburg"


def test_the_trail_says_that_a_value_changed_and_not_which() -> None:
    lena = again(person())
    lena.city = "Hamburg"
    lena.save_as(SYSTEM, "moved")
    back = again(lena)
    back.city = "Bremen"
    back.save_as(SYSTEM, "and back")

    first, moved, returned = AuditRecord.objects.filter(subject_id=str(lena.pk)).order_by("id")
    assert set(moved.after) == {"city"}
    assert moved.after["city"].startswith("sealed:")
    assert moved.before["city"] == first.after["city"] == returned.after["city"]
    assert "Lena" not in str(first.after)
    assert "names" not in first.after


def test_asking_the_database_for_a_sealed_value_is_refused_with_the_way_out() -> None:
    lena = person()

    with pytest.raises(FieldError, match="filter by its blind index"):
        Person.objects.filter(email="lena@client.example")
    with pytest.raises(FieldError, match="set it on the object"), transaction.atomic():
        Person.objects.filter(pk=lena.pk).update(email="other@client.example")
    assert [str(v) for v in Person.objects.values_list("email", flat=True)] == ["[encrypted]"]
    assert Person.objects.filter(pk=lena.pk).update(city="") == 1
    assert again(lena).city == ""


def test_nothing_of_a_person_appears_in_a_dump_or_a_traceback() -> None:
    lena = again(person())
    put(lena, "city", stored(lena, "first_name"))
    lena = again(lena)
    assert lena.email

    assert "Lena" not in serializers.serialize("json", [lena])
    assert "1990" not in serializers.serialize("json", [lena])
    assert repr(lena) == f"<Person: {lena.pk}>"
    assert repr(Sealed(b"x")) == "[encrypted]"
    try:
        _ = lena.city
    except SealBroken as error:
        told = "".join(traceback.format_exception(error)) + str(error)
    assert "Lena" not in told


def test_people_are_found_by_what_they_wrote_however_they_wrote_it() -> None:
    lena, otto = person(), person(first_name="Otto", last_name="Ott", email="otto@x.example")
    people = Person.objects.all()

    assert people.get(email_index=" Lena.Vogel+SPAM@googlemail.com").pk == lena.pk
    assert people.get(mailbox_index="lenavogel@gmail.com").pk == lena.pk
    assert people.filter(phone_index="0049 151 23 45 67 89").count() == 2
    assert people.filter(tax_id_index="36574261809").count() == 2
    assert people.get(names__blind="ozturk").pk == lena.pk
    assert people.get(names__blind="VOG len").pk == lena.pk
    assert people.get(names__blind="ott").pk == otto.pk
    assert not people.filter(names__blind="ott vogel").exists()
    assert not people.filter(names__blind="").exists()
    assert not people.filter(email_index__blind="").exists()


def test_an_index_follows_its_value_and_is_worthless_without_its_key(settings) -> None:
    lena = again(person())
    lena.email = "new@client.example"
    lena.save_as(SYSTEM, "new address")

    assert Person.objects.filter(email_index="new@client.example").count() == 1
    assert not Person.objects.filter(email_index=LENA["email"]).exists()
    assert blind("email", "a@b.example") != blind("mailbox", "a@b.example")


def test_the_keys_of_a_whole_page_come_with_one_query(django_assert_num_queries) -> None:
    for number in range(12):
        person(email=f"p{number}@client.example")
    keys.forget()

    with django_assert_num_queries(2):
        shown = [(one.first_name, one.email) for one in Person.objects.all()]

    assert len(shown) == 12


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MAX_KEYS", 5)
    people = [person(email=f"p{number}@client.example") for number in range(8)]

    assert len(keys._keys) == 5
    assert [again(one).first_name for one in people] == ["Lena"] * 8
    assert len(keys._keys) == 5


def test_a_key_that_was_made_in_vain_is_never_used_again() -> None:
    lena = Person(**LENA)
    with pytest.raises(RuntimeError), transaction.atomic():
        lena.save_as(SYSTEM, "test")
        raise RuntimeError

    lena._state.adding = True
    lena.save_as(SYSTEM, "test")

    assert again(lena).first_name == "Lena"


def test_a_lost_key_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    lena = person()
    sealed = stored(lena, "email")
    with pytest.raises(KeyLost) as lost:
        unseal(sealed[:1] + uuid4().bytes + sealed[17:], b"clients_person.email:x")
    assert lost.value.code == "KEY_LOST"

    keys.forget()
    monkeypatch.setattr(keys, "keyring", lambda: Keyring({"other": bytes(32)}))
    with pytest.raises(KeyLost) as lost:
        _ = again(lena).email
    assert str(lost.value) == (
        "A data key cannot be read: its key home is not here. "
        "Restore the keyring that this database was written with."
    )


def test_what_was_erased_with_its_key_reads_as_empty_and_opens_for_nobody() -> None:
    lena = person()
    sealed = stored(lena, "email")
    DataKey.objects.filter(subject=lena.pk, keep=Keep.ERASABLE).update(
        wrapped=b"", destroyed_at="2026-11-20T12:00Z"
    )
    keys.forget()

    shown = again(lena)

    assert (shown.email, shown.phone, shown.first_name) == ("", "", "Lena")
    with pytest.raises(KeyDestroyed) as gone:
        unseal(sealed, f"clients_person.email:{lena.pk}".encode())
    assert gone.value.code == "KEY_DESTROYED"


def test_the_database_keeps_a_destroyed_key_destroyed_and_one_current_key() -> None:
    lena = person()
    mine = DataKey.objects.filter(subject=lena.pk)
    copy = mine.get(keep=Keep.STATUTORY)

    for change in (
        lambda: mine.update(destroyed_at="2026-11-20T12:00Z"),
        lambda: mine.update(wrapped=b""),
        lambda: mine.delete(),
        lambda: mine.update(keep="WHATEVER"),
    ):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        DataKey.objects.create(
            subject=lena.pk, keep=Keep.STATUTORY, kek=copy.kek, wrapped=b"another"
        )
    mine.update(wrapped=b"", destroyed_at="2026-11-20T12:00Z")
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(wrapped=bytes(copy.wrapped), destroyed_at=None)


def test_a_wrapped_key_opens_nothing_in_anothers_place() -> None:
    lena, otto = person(), person(email="otto@client.example")
    hers, his = (DataKey.objects.get(subject=one.pk, keep=Keep.STATUTORY) for one in (lena, otto))
    DataKey.objects.filter(pk=his.pk).update(wrapped=bytes(hers.wrapped))
    keys.forget()

    with pytest.raises(SealBroken):
        _ = again(otto).first_name
