"""Where money may go: accounts in the client's own name, and nobody else's."""

from __future__ import annotations

import pytest

from apps.payments.errors import DestinationInvalid, DestinationUnknown
from apps.payments.models import PaymentInstrument
from apps.payments.services.destinations import bank_account_add
from apps.payments.services.withdrawals import withdrawal_request
from tests.payments.world import IBAN, ana, as_client, bank_account, deposited, key, traces, usd


@pytest.fixture
def client(house):
    person = ana()
    deposited(house, person, "1000.00")
    return person


@pytest.mark.parametrize(
    ("iban", "holder", "problem"),
    [
        ("DE89370400440532013001", "Ana", "IBAN"),
        ("nonsense", "Ana", "IBAN"),
        (IBAN, "Robert Stranger", "your own name"),
    ],
)
def test_only_a_valid_account_in_the_clients_own_name_is_taken(client, iban, holder, problem):
    before = PaymentInstrument.objects.count()
    with pytest.raises(DestinationInvalid) as refusal:
        bank_account_add(
            client_id=client.pk, iban=iban, holder_name=holder, actor=as_client(client)
        )
    assert problem in str(refusal.value)
    assert PaymentInstrument.objects.count() == before


def test_the_same_bank_account_is_kept_once(client):
    assert bank_account(client).pk == bank_account(client).pk


def test_money_never_goes_to_somebody_elses_instrument(client, house):
    other = ana()
    deposited(house, other, "100.00")
    foreign = PaymentInstrument.objects.get(client=other)
    before = traces()
    with pytest.raises(DestinationUnknown):
        withdrawal_request(
            client_id=client.pk,
            amount=usd("50.00"),
            destination_id=foreign.pk,
            request_key=key(),
            actor=as_client(client),
        )
    assert traces() == before
