"""Where money may go: bank accounts that a client names, beside what deposits came from."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.utils.translation import gettext as _
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from apps.clients.locks import client_locked
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.events import emit
from apps.payments.enums import Method
from apps.payments.errors import DestinationInvalid
from apps.payments.events import PayoutDestinationAdded
from apps.payments.models import PaymentInstrument
from apps.payments.permissions import REQUEST_WITHDRAWAL
from apps.payments.routing import name_matches


@command
def bank_account_add(
    *, client_id: UUID, iban: str, holder_name: str, actor: Actor
) -> PaymentInstrument:
    """A bank account in the client's own name; the same account is the same row.

    Raises `NotVisible`, `NotAllowed`, and `DestinationInvalid` for a wrong IBAN or somebody else's name.
    """
    client = client_locked(client_id, visible_to=actor)
    actor.require(REQUEST_WITHDRAWAL, client)
    try:
        account = IBAN(iban)
    except SchwiftyException as error:
        raise DestinationInvalid(
            problem=_("This is not a valid IBAN. Look at it again.")
        ) from error
    if not name_matches(holder_name, client.person.full_name):
        raise DestinationInvalid(
            problem=_("Money is paid out only to accounts in your own name, as you registered it.")
        )
    fingerprint = hashlib.sha256(f"BANK_TRANSFER:{account.compact}".encode()).hexdigest()[:32]
    known = PaymentInstrument.objects.filter(
        client=client, method=Method.BANK_TRANSFER, fingerprint=fingerprint
    ).first()
    if known is not None:
        return known
    instrument = PaymentInstrument(
        client=client,
        method=Method.BANK_TRANSFER,
        fingerprint=fingerprint,
        masked=f"{account.compact[:4]} •••• {account.compact[-4:]}",
        details=account.compact,
        holder_name=holder_name,
        holder_matches=True,
    )
    instrument.save_as(actor, "bank account added", action="instrument.add")
    emit(PayoutDestinationAdded(client_id=client.pk, instrument_id=instrument.pk))
    return instrument
