"""A client with a whole life leaves, is forgotten as far as the law allows, and years later altogether."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as house_settings
from django.db import connection

from apps.clients.models import Client, Erasure, Person, PrivacyRequest, RetentionRun
from apps.clients.services import (
    client_close,
    client_offboard,
    erasure_request,
    export_fetch,
    export_request,
    retention_preview,
    retention_purge,
)
from apps.core import clock
from apps.core.approvals import approval_vote
from apps.core.models import Approval, DataKey
from apps.core.privacy import keys
from apps.core.sealing import seal
from apps.payments.services.destinations import bank_account_add
from tests.flows.brokerage import Brokerage, ClientStory, proofs_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

IBAN = "DE89370400440532013000"


def values_of(story: ClientStory) -> dict[str, str]:
    """Everything that says who somebody is, as it was typed."""
    person = story.row.person
    return {
        "first name": "Zephyrine",
        "last name": story.names[1],
        "e-mail": story.email,
        "phone": person.phone,
        "birth": "1988-04-12",
        "street": "Linden Street 8",
        "document": f"P{1_000_000 + story.number}",
        "IBAN": IBAN,
        "occupation": "Engineer of tides",
    }


def lying_around(needle: str) -> list[str]:
    """Every table, and everything in Redis, that still says this, in whatever type it is kept."""
    found = []
    hexed = needle.encode().hex()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE position(%s in t::text) > 0 '
                "OR position(%s in t::text) > 0",
                [needle, hexed],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    store = redis.Redis.from_url(house_settings.REDIS_URL)
    for key in store.scan_iter():
        if needle.encode() in (store.dump(key) or b"") or needle.encode() in key:
            found.append(f"redis {key!r}")
    return found


@pytest.fixture
def ana(brokerage: Brokerage, settings: Any, tmp_path: Path) -> ClientStory:
    settings.PRIVATE_STORAGE_ROOT = tmp_path / "vault"
    story = brokerage.applicant(country="DE")
    story.names = ("Zephyrine", "Quillfeather")
    story.registers()
    story.confirms()
    application = story._application
    story._application = lambda: _with_occupation(application())  # type: ignore[method-assign]
    story.answers()
    story.sends_documents()
    story.is_approved()
    story.opens_account()
    story.deposits("800")
    story.transfers("500")
    story.orders("BUY", "0.01")
    bank_account_add(
        client_id=story.client_id, iban=IBAN, holder_name=" ".join(story.names), actor=story.actor
    )
    withdrawal = story.asks_to_withdraw("100")
    story.withdrawal_is_approved(withdrawal, "finance")
    return story


def _with_occupation(steps: dict[str, Any]) -> dict[str, Any]:
    steps["finances"]["occupation"] = "Engineer of tides"
    return steps


def agree(brokerage: Brokerage, action: str, role: str = "mlro") -> None:
    approval = Approval.objects.get(action=action, state=Approval.State.PENDING)
    approval_vote(
        approval_id=approval.pk, actor=brokerage.staff[role], verdict="APPROVE", reason="lawful"
    )
    brokerage.deliver()


def leaves(brokerage: Brokerage, story: ClientStory) -> None:
    compliance = brokerage.staff["compliance"]
    client_offboard(client_id=story.client_id, actor=compliance, reason="wants to leave")
    client_close(client_id=story.client_id, actor=compliance, reason="nothing left")
    brokerage.deliver()


def test_a_client_fetches_a_copy_leaves_and_is_forgotten_in_two_steps(
    brokerage: Brokerage, ana: ClientStory
) -> None:
    needles = values_of(ana)

    # A copy of everything, once.
    request = export_request(client_id=ana.client_id, actor=ana.again(), reason="my right")
    brokerage.deliver()
    archive = zipfile.ZipFile(io.BytesIO(export_fetch(request_id=request.pk, actor=ana.actor)))
    held = {name: archive.read(name) for name in archive.namelist()}
    person = json.loads(held["data/clients.person.json"])[0]
    assert (person["first_name"], person["email"]) == ("Zephyrine", ana.email)
    assert IBAN[-4:] in held["data/payments.paymentinstrument.json"].decode()
    assert len([name for name in held if name.startswith("documents/")]) == 2
    assert "data/clients.person.json: people, 1 entries" in held["index.txt"].decode()
    everything = b"".join(held.values())
    for told in ("Engineer of tides", "Linden Street 8", needles["document"]):
        assert told.encode() in everything
    for secret in (b"risk_score", b"internal_comment", b"fingerprint"):
        assert secret not in everything

    # The relationship ends; what only served it goes, what the law wants stays.
    leaves(brokerage, ana)
    erasure_request(client_id=ana.client_id, actor=ana.again(), reason="forget me")
    agree(brokerage, "clients.erase")
    keys.forget()

    person = Person.objects.get(clients=ana.client_id)
    assert (person.first_name, person.email, person.phone) == ("Zephyrine", "", "")
    done = PrivacyRequest.objects.get(kind="ERASURE")
    assert done.state == "ERASED"
    assert {part["class"] for part in done.certificate["erased"]} == {
        "CONTACT", "LOGIN", "MESSAGES",
    }  # fmt: skip
    kept = {part["class"]: part["until"] for part in done.certificate["kept"]}
    assert kept["IDENTITY"] == kept["DOCUMENTS"] == "2031-01-06"
    assert kept["RECORDS"] == "2033-01-06"
    for gone in ("e-mail", "phone"):
        assert lying_around(needles[gone]) == [], gone
    seal()
    proofs_hold()

    # Five years later the rest is shown, agreed to, and gone.
    with clock.frozen(clock.now() + timedelta(days=5 * 366)):
        assert retention_preview(actor=brokerage.staff["compliance"]) is not None
        run = RetentionRun.objects.get()
        assert {line["class"] for line in run.due} == {
            "IDENTITY", "DOCUMENTS", "INSTRUMENTS", "APPLICATION", "AGREEMENTS",
        }  # fmt: skip
        assert Person.objects.get(clients=ana.client_id).first_name == "Zephyrine"
        retention_purge(
            retentionrun_id=run.pk, actor=brokerage.staff["compliance"], reason="term over"
        )
        agree(brokerage, "clients.retention_purge")
    keys.forget()

    for what, needle in needles.items():
        assert lying_around(needle) == [], what
    client = Client.objects.get(pk=ana.client_id)
    assert str(client) == client.number
    mine = DataKey.objects.filter(subject__in=[client.pk, client.person_id])
    assert mine.count() == 4
    assert not mine.filter(destroyed_at=None).exists()
    assert Erasure.objects.filter(client=client).count() == 8
    vault = Path(house_settings.PRIVATE_STORAGE_ROOT)
    assert [path for path in vault.rglob("*") if path.is_file()] == []
    assert [row.first_name for row in client.person.history.all()] == [""] * 2
    seal()
    proofs_hold()
