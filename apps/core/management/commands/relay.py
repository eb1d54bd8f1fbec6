from __future__ import annotations

import logging
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError

from apps.core import heads, outbox, sealing
from apps.core.redis import redis_client
from apps.core.signing import SigningKeyMissing
from apps.core.tasks import deliver

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05
AWAY_SECONDS = 1.0
SEAL_EVERY_SECONDS = 5.0
HEAD_EVERY_SECONDS = 300.0
CHUNK = 25


class Command(BaseCommand):
    help = "Hands events from the outbox to their reactions and seals the audit trail."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        self.running = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        last_seal, last_head = 0.0, time.monotonic()
        while self.running:
            try:
                busy = self._round()
                if time.monotonic() - last_seal > SEAL_EVERY_SECONDS:
                    sealing.seal_all()
                    last_seal = time.monotonic()
                if time.monotonic() - last_head > HEAD_EVERY_SECONDS:
                    self._sign_head()
                    last_head = time.monotonic()
            except (OperationalError, InterfaceError):
                log.exception("the database does not answer; trying again")
                connection.close()
                close_old_connections()
                time.sleep(AWAY_SECONDS)
                continue
            except (RedisError, BrokerError):
                log.exception("the queue does not answer; trying again")
                time.sleep(AWAY_SECONDS)
                continue
            if options["once"]:
                return
            if not busy:
                time.sleep(IDLE_SECONDS)

    def _sign_head(self) -> None:
        try:
            heads.head_sign()
        except SigningKeyMissing:
            log.exception("the head of the audit trail could not be signed")

    def _stop(self, *_: Any) -> None:
        self.running = False

    def _round(self) -> bool:
        taken = outbox.dispatch()
        due = outbox.claim_due()
        for start in range(0, len(due), CHUNK):
            try:
                deliver.delay(due[start : start + CHUNK])
            except (RedisError, BrokerError):
                outbox.unclaim(due[start:])
                raise
        redis_client().set("relay:heartbeat", int(time.time()), ex=30)
        return bool(taken or due)
