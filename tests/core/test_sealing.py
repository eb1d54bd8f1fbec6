"""The audit chain against someone with the keys of the database: every touch is named at its exact place."""

import io
import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import clock, heads, sealing, signing
from apps.core.actor import Actor
from apps.core.audit import audit
from apps.core.integrity import integrity_nightly, integrity_status, integrity_verify
from apps.core.models import AuditHead, AuditRecord, AuditSeal
from apps.core.verification import verify

ACTOR = Actor.system("test")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_story(settings):
    settings.AUDIT_OF_A_STORY = False


def records(count: int = 5) -> list[int]:
    made = [
        audit(actor=ACTOR, action=f"thing.step{n}", reason="because", after={"n": n, "by": "x|y"})
        for n in range(count)
    ]
    return [record.pk for record in made]


def sealed(count: int = 5) -> list[int]:
    ids = records(count)
    assert sealing.seal() == count
    return ids


def as_an_intruder(sql: str) -> None:
    """What someone with the keys of the database could do: the triggers are off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = DEFAULT")


def found(*, kept: list[heads.Head] | None = None) -> list[tuple[str, int, int]]:
    return [(str(b.kind), b.position, b.record_id) for b in verify(kept or [])]


def test_an_untouched_trail_proves_itself():
    sealed(3)
    assert sealing.seal() == 0
    records(2)
    assert sealing.seal_all() == 2
    assert found() == []
    assert sealing.sealed_and_waiting() == (5, 0)


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'other'",
        'after = \'{"n": 9, "by": "x|y"}\'',
        "before = '{\"n\": null}'",
        "at = at + interval '1 microsecond'",
        "actor_kind = 'STAFF'",
        "actor_id = 'user:1'",
        "actor_label = 'Somebody'",
        "on_behalf_of = 'user:2'",
        "action = 'thing.step'",
        "subject_type = 'core.Approval'",
        "subject_id = '1'",
        "client_id = '00000000-0000-0000-0000-000000000001'",
        "decision_id = '00000000-0000-0000-0000-000000000001'",
        "approval_id = '00000000-0000-0000-0000-000000000001'",
        "rule_versions = '[\"COMMON/x v1\"]'",
        "request_id = 'abc'",
        "ip = '10.0.0.1'",
    ],
)
def test_a_change_of_any_column_is_named_at_its_record(change):
    ids = sealed()
    as_an_intruder(f"UPDATE core_auditrecord SET {change} WHERE id = {ids[2]}")
    assert found() == [("RECORD_CHANGED", 3, ids[2])]


def test_the_canonical_form_holds_every_column_of_a_record():
    assert set(sealing.COLUMNS[sealing.VERSION]) == {f.column for f in AuditRecord._meta.fields}


def test_what_moves_from_one_column_into_the_next_is_a_change():
    """`a|b` in one column and `c` in the next must not read as `a` and `b|c`."""
    ids = sealed()
    as_an_intruder(
        "UPDATE core_auditrecord SET action = action || '|', subject_type = '' "
        f"WHERE id = {ids[1]}; UPDATE core_auditrecord SET reason = 'be', request_id = 'cause' "
        f"WHERE id = {ids[3]}"
    )
    assert found() == [("RECORD_CHANGED", 2, ids[1]), ("RECORD_CHANGED", 4, ids[3])]


SEAL = "core_auditseal"


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("DELETE FROM core_auditrecord WHERE id = {r[2]}", [("RECORD_DELETED", 3, 2)]),
        (
            "DELETE FROM core_auditrecord WHERE id IN ({r[0]}, {r[4]})",
            [("RECORD_DELETED", 1, 0), ("RECORD_DELETED", 5, 4)],
        ),
        (
            "UPDATE core_auditrecord a SET action = b.action, after = b.after, at = b.at "
            "FROM core_auditrecord b WHERE a.id + b.id = {r[1]} + {r[3]} AND a.id IN ({r[1]}, {r[3]})",
            [("RECORDS_SWAPPED", 2, 1), ("RECORDS_SWAPPED", 4, 3)],
        ),
        ("UPDATE core_auditseal SET digest = '\\x00' WHERE position = 3", [("SEAL_CHANGED", 3, 2)]),
        (
            "UPDATE core_auditseal SET previous = '\\x00' WHERE position = 3",
            [("SEAL_CHANGED", 3, 2)],
        ),
        (
            "UPDATE core_auditseal SET record_digest = '\\x00' WHERE position = 5",
            [("SEAL_CHANGED", 5, 4)],
        ),
        (
            "UPDATE core_auditseal SET sealed_at = sealed_at - interval '1 hour' WHERE position = 1",
            [("SEAL_CHANGED", 1, 0)],
        ),
        (
            "UPDATE core_auditseal SET position = 99 WHERE position = 2;"
            "UPDATE core_auditseal SET position = 2 WHERE position = 4;"
            "UPDATE core_auditseal SET position = 4 WHERE position = 99",
            [("SEAL_MOVED", 2, 3), ("SEAL_MOVED", 4, 1)],
        ),
        (
            "UPDATE core_auditseal SET record_id = -1 WHERE position = 2;"
            "UPDATE core_auditseal SET record_id = {r[1]} WHERE position = 3;"
            "UPDATE core_auditseal SET record_id = {r[2]} WHERE position = 2",
            [("SEAL_MOVED", 2, 2), ("SEAL_MOVED", 3, 1)],
        ),
    ],
)
def test_each_touch_of_records_and_seals_is_named_and_nothing_else(sql, kinds):
    ids = sealed()
    as_an_intruder(sql.format(r=ids))
    assert found() == [(kind, position, ids[index]) for kind, position, index in kinds]


@pytest.mark.parametrize(("first", "last"), [(2, 2), (2, 4), (1, 1)])
def test_seals_that_were_cut_out_are_named_with_how_many(first, last):
    sealed()
    as_an_intruder(f"DELETE FROM core_auditseal WHERE position BETWEEN {first} AND {last}")
    breaks = list(verify())
    assert [(b.kind, b.position, b.detail) for b in breaks] == [
        ("SEAL_MISSING", first, f"{last - first + 1} of them, up to {last}")
    ]
    assert AuditSeal.objects.count() == 5 - (last - first + 1)


def rewrite(position: int, record_id: int, *, previous: bytes | None = None) -> bytes:
    """Make the seal at `position` agree with what its record says now, as a careful intruder would."""
    seal = AuditSeal.objects.get(position=position)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sealing.digest_sql()} FROM core_auditrecord r WHERE id = %s", [record_id]
        )
        record_digest = bytes(cursor.fetchone()[0])
    before = bytes(seal.previous) if previous is None else previous
    digest = sealing.link(
        before, position, record_id, 1, sealing.microseconds(seal.sealed_at), record_digest
    )
    as_an_intruder(
        f"UPDATE core_auditseal SET record_digest = '\\x{record_digest.hex()}', previous = '\\x{before.hex()}', "
        f"digest = '\\x{digest.hex()}' WHERE position = {position}"
    )
    return digest


def test_a_record_rewritten_together_with_its_seal_is_named_by_its_neighbour():
    ids = sealed()
    as_an_intruder(f"UPDATE core_auditrecord SET reason = 'other' WHERE id = {ids[1]}")
    rewrite(2, ids[1])
    assert found() == [("RECORD_REWRITTEN", 2, ids[1])]


def test_a_chain_written_anew_to_its_end_contradicts_the_signed_head():
    ids = sealed()
    head = heads.head_sign()
    as_an_intruder(f"UPDATE core_auditrecord SET reason = 'other' WHERE id = {ids[1]}")
    digest = rewrite(2, ids[1])
    for position in (3, 4, 5):
        digest = rewrite(position, ids[position - 1], previous=digest)
    assert found() == []
    assert found(kept=[head]) == [("HISTORY_REPLACED", 5, ids[4])]


def test_a_record_with_an_old_number_that_comes_to_light_hours_later_was_inserted(monkeypatch):
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    monkeypatch.setattr("apps.core.clock.now", lambda: noon)
    ids = records(2)
    AuditRecord.objects.raw("SELECT nextval('core_auditrecord_id_seq') AS id")[0]
    gap = ids[-1] + 1
    ids += records(2)
    assert gap not in ids
    sealing.seal()
    monkeypatch.setattr("apps.core.clock.now", lambda: noon + timedelta(minutes=10))
    late = audit(actor=ACTOR, action="thing.late")
    assert sealing.seal() == 1

    monkeypatch.setattr("apps.core.clock.now", lambda: noon + timedelta(hours=3))
    AuditRecord.objects.create(
        id=gap, actor_kind="STAFF", actor_id="user:1", actor_label="x", action="thing.never"
    )
    assert sealing.seal() == 1
    assert late.pk > gap
    assert found() == [("RECORD_INSERTED", 6, gap)]


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLIPPED_IN = (
    "INSERT INTO core_auditrecord ({columns}at, actor_kind, actor_id, actor_label, on_behalf_of, action, "
    "subject_type, subject_id, before, after, reason, rule_versions, request_id) VALUES ({values}'{at}', 'STAFF', "
    "'user:1', 'x', '', 'thing.never', '', '', '{{}}', '{{}}', '', '[]', '')"
)


def slipped_in(at: datetime, number: int = 0) -> int:
    """A record of something that never happened, with a time or a number of the intruder's choice."""
    columns, values = ("id, ", f"{number}, ") if number else ("", "")
    as_an_intruder(SLIPPED_IN.format(at=at.isoformat(), columns=columns, values=values))
    return AuditRecord.objects.get(action="thing.never").pk


def at_noon_and(monkeypatch, later: timedelta = timedelta(0)) -> None:
    monkeypatch.setattr("apps.core.clock.now", lambda: NOON + later)


def test_a_record_with_an_old_time_that_comes_to_light_later_was_inserted(monkeypatch):
    at_noon_and(monkeypatch)
    sealed(3)
    at_noon_and(monkeypatch, timedelta(hours=1))
    sealed(2)
    at_noon_and(monkeypatch, timedelta(hours=3))
    never = slipped_in(NOON + timedelta(minutes=30))
    sealed_now = sealing.seal()
    assert sealed_now == 1
    assert found() == [("RECORD_INSERTED", 6, never)]


def test_what_waited_while_the_sealer_stood_still_is_not_suspected(monkeypatch):
    at_noon_and(monkeypatch)
    sealed(3)
    for hour in (1, 2, 3):
        at_noon_and(monkeypatch, timedelta(hours=hour))
        records(2)
    monkeypatch.setattr(sealing, "BATCH", 4)
    monkeypatch.setattr("apps.core.verification.BATCH", 4)
    at_noon_and(monkeypatch, timedelta(hours=4))
    assert sealing.seal() == 4
    at_noon_and(monkeypatch, timedelta(hours=5))
    assert sealing.seal() == 2
    assert found() == []


@pytest.mark.parametrize(
    ("written", "sealed_at", "signed"),
    [
        (timedelta(minutes=30), timedelta(minutes=31), False),
        (timedelta(minutes=50), timedelta(minutes=61), True),
    ],
)
def test_a_seal_with_a_time_of_the_intruders_choice_stands_before_its_neighbour_or_its_head(
    monkeypatch, written, sealed_at, signed
):
    at_noon_and(monkeypatch)
    sealed(3)
    at_noon_and(monkeypatch, timedelta(hours=1))
    sealed(2)
    at_noon_and(monkeypatch, timedelta(hours=3))
    kept = [heads.head_sign()] if signed else []
    never = slipped_in(NOON + written)
    sealing.seal()
    moment = NOON + sealed_at
    as_an_intruder(
        f"UPDATE core_auditseal SET sealed_at = '{moment.isoformat()}' WHERE position = 6"
    )
    rewrite(6, never)
    assert ("SEAL_BACKDATED", 6, never) in found(kept=kept)


def test_clocks_that_go_back_make_no_seal_older_than_the_last(monkeypatch):
    at_noon_and(monkeypatch)
    sealed(2)
    at_noon_and(monkeypatch, -timedelta(seconds=3))
    sealed(2)
    assert {seal.sealed_at for seal in AuditSeal.objects.all()} == {NOON}
    assert found() == []


def test_a_number_that_was_never_given_out_hides_nothing_that_follows_it():
    sealed(5)
    never = slipped_in(clock.now(), 2**62)
    assert sealing.sealed_and_waiting() == (5, 1)
    assert sealing.seal() == 1
    records(3)
    assert sealing.sealed_and_waiting() == (6, 3)
    assert sealing.seal() == 3
    assert found() == [("RECORD_INSERTED", 6, never)]


def test_heads_that_a_full_volume_refused_are_kept_as_soon_as_it_has_room(settings, tmp_path):
    blocked = tmp_path / "heads"
    blocked.write_text("no folder")
    settings.AUDIT_HEADS = str(blocked)
    sealed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work: work())
        first = heads.head_sign()
        records(1)
        sealing.seal()
        second = heads.head_sign()
        blocked.unlink()
        assert heads.head_sign() == second
        heads.head_sign()
    assert (blocked / "heads.jsonl").read_text() == f"{first.line()}\n{second.line()}\n"


def test_a_cut_tail_and_a_restored_copy_show_at_heads_kept_elsewhere(settings, tmp_path):
    settings.AUDIT_HEADS = str(tmp_path / "heads")
    ids = sealed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work: work())
        head = heads.head_sign()
    assert (tmp_path / "heads" / "heads.jsonl").read_text() == head.line() + "\n"

    as_an_intruder(
        "DELETE FROM core_auditseal WHERE position > 3;"
        f"DELETE FROM core_auditrecord WHERE id > {ids[2]}; DELETE FROM core_audithead"
    )
    assert found() == []
    [broken] = verify(heads.heads_kept())
    assert (broken.kind, broken.position, broken.record_id) == ("ROLLED_BACK", 5, ids[4])
    assert broken.detail.startswith("the trail ends at 3, 2 seals are gone; signed ")

    records(4)
    sealing.seal()
    assert [b.kind for b in verify(heads.heads_kept())] == ["HISTORY_REPLACED"]


def test_a_head_changed_forged_or_deleted_is_named(settings, tmp_path):
    settings.AUDIT_HEADS = str(tmp_path)
    ids = sealed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work: work())
        heads.head_sign()

    as_an_intruder("UPDATE core_audithead SET position = 4")
    assert ("HEAD_FORGED", 4, ids[4]) in found(kept=heads.heads_kept())
    as_an_intruder("DELETE FROM core_audithead")
    assert found(kept=heads.heads_kept()) == [("HEAD_DELETED", 5, ids[4])]
    (tmp_path / "heads.jsonl").write_text("nonsense\n")
    assert found(kept=heads.heads_kept()) == [("HEAD_FORGED", 0, 0)]


def test_a_head_signed_by_a_key_that_nobody_knows_vouches_for_nothing(settings):
    ids = sealed()
    ours, settings.SIGNING_KEY = settings.SIGNING_KEY, signing.new_seed()
    foreign = heads.head_sign()
    settings.SIGNING_KEY = ours
    assert found(kept=[foreign]) == [("HEAD_FORGED", 5, ids[4])]


def test_a_chain_that_has_not_grown_keeps_its_head():
    sealed()
    first = heads.head_sign()
    assert heads.head_sign() == first
    records(1)
    sealing.seal()
    assert heads.head_sign().position == 6
    assert AuditHead.objects.count() == 2


def test_the_command_names_each_break_and_takes_heads_from_files(tmp_path):
    ids = sealed()
    out, err = io.StringIO(), io.StringIO()
    call_command("audit_head", stdout=out)
    kept = tmp_path / "kept.jsonl"
    kept.write_text(out.getvalue())
    assert json.loads(out.getvalue())["position"] == 5

    call_command("verify_audit", "--head", str(kept), stdout=out)
    assert out.getvalue().splitlines()[1] == "audit trail intact: 5 records sealed, 1 waiting"

    as_an_intruder(f"DELETE FROM core_auditrecord WHERE id = {ids[3]}")
    with pytest.raises(CommandError, match="broken in 1 places"):
        call_command("verify_audit", "--head", str(kept), stderr=err)
    assert err.getvalue() == (
        f"RECORD_DELETED: audit record {ids[3]}, seal 4: the record is gone, its seal still stands\n"
    )


def test_every_proof_is_on_record_and_a_broken_trail_is_signed_no_more(settings, mailoutbox):
    settings.AUDIT_HEADS_MAIL = "auditor@example.com"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ids = sealed()

    assert integrity_nightly() == []
    status = integrity_status()
    assert (status.breaks, status.tone, status.last_head.position) == (0, "good", 6)
    assert [mail.to for mail in mailoutbox] == [["auditor@example.com"]]
    assert json.loads(mailoutbox[0].body)["position"] == 6

    as_an_intruder(f"UPDATE core_auditrecord SET reason = '' WHERE id = {ids[0]}")
    assert [b.kind for b in integrity_nightly()] == ["RECORD_CHANGED"]
    status = integrity_status()
    assert (status.breaks, status.tone, status.last_head.position) == (1, "bad", 6)
    assert [f["record_id"] for f in status.findings] == [ids[0]]
    assert len(mailoutbox) == 1
    assert [b.kind for b in integrity_verify()] == ["RECORD_CHANGED"]


@pytest.fixture
def other_connection():
    with psycopg.connect(**_address()) as other:
        yield other


def _address():
    told = connection.get_connection_params()
    return {
        name: told[name]
        for name in ("dbname", "user", "password", "host", "port")
        if told.get(name)
    }


INSERT = (
    "INSERT INTO core_auditrecord (at, actor_kind, actor_id, actor_label, on_behalf_of, action, subject_type, "
    "subject_id, before, after, reason, rule_versions, request_id) "
    "VALUES (now(), 'SYSTEM', 'x', 'x', '', 'thing.slow', '', '', '{}', '{}', '', '[]', '') RETURNING id"
)


@pytest.mark.django_db(transaction=True)
def test_a_record_that_commits_after_its_neighbours_were_sealed_is_sealed_too(other_connection):
    slow = other_connection.execute(INSERT).fetchone()[0]
    quick = records(3)
    assert slow < quick[0]
    assert sealing.seal() == 3
    other_connection.commit()
    assert sealing.seal() == 1
    assert list(AuditSeal.objects.values_list("record_id", flat=True)) == [*quick, slow]
    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_however_late_it_comes_the_proof_seals_it(other_connection):
    """Beyond the reach of the quick rounds the nightly proof looks at everything: nothing stays unsealed."""
    slow = other_connection.execute(INSERT).fetchone()[0]
    records(5)
    assert sealing.seal() == 5
    other_connection.commit()
    assert sealing.seal(reach=2) == 0
    integrity_verify()
    assert AuditSeal.objects.filter(record_id=slow).exists()
    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_two_sealers_never_seal_the_same_record(other_connection):
    records(3)
    other_connection.execute("SELECT pg_advisory_xact_lock(%s)", [sealing._LOCK])
    assert sealing.seal() == 0
    other_connection.rollback()
    assert sealing.seal() == 3
