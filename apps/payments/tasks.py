"""Periodic work: ask about what is under way, close what has run out."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task

from apps.core import clock
from apps.core.actor import Actor
from apps.payments.errors import ProviderSaysNo, ProviderSilent
from apps.payments.selectors import deposits_to_ask
from apps.payments.services import deposits, payouts, transfers

log = logging.getLogger(__name__)

ASK_AFTER = timedelta(seconds=60)


@shared_task(name="payments.payouts_ask")
def payouts_ask() -> None:
    payouts.payouts_ask()


@shared_task(name="payments.deposits_ask")
def deposits_ask() -> None:
    """For webhooks that never came. One that cannot be asked about is reported and keeps no other waiting."""
    due = deposits_to_ask(clock.now() - ASK_AFTER).order_by("pk").values_list("pk", flat=True)
    for attempt_id in list(due[:100]):
        try:
            deposits.attempt_ask(attempt_id=attempt_id)
        except (ProviderSilent, ProviderSaysNo):
            continue
        except Exception:
            log.exception("a deposit cannot be asked about", extra={"attempt": str(attempt_id)})


@shared_task(name="payments.deposits_expire")
def deposits_expire() -> None:
    deposits.deposits_expire(actor=Actor.system("payments"))


@shared_task(name="payments.transfers_ask")
def transfers_ask() -> None:
    transfers.transfers_ask()
