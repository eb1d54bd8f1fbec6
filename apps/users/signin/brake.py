"""The brake on guessing: free tries first, then waits that double, counted in PostgreSQL.

One statement counts, so parallel guesses cannot overtake each other, and no restart forgives. An address that nobody
has is counted like any other. Signing in with a passkey asks no brake: there is nothing to guess, so the owner of a
login that strangers have shut still comes in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from apps.core import clock
from apps.users.signin.models import SignInBrake

Kind = SignInBrake.Kind


@dataclass(frozen=True, slots=True)
class Curve:
    """`free` failures cost nothing; then each doubles the wait, from `first` up to `longest`.

    Failures are forgotten once none happened for `memory`.
    """

    free: int
    first: timedelta
    longest: timedelta
    memory: timedelta

    def wait(self, failures: int) -> timedelta:
        over = failures - self.free
        if over < 0:
            return timedelta(0)
        return min(self.first * 2 ** min(over, 30), self.longest)


CURVES = {
    Kind.ACCOUNT: Curve(8, timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)),
    Kind.ADDRESS: Curve(60, timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=15)),
    Kind.PROOF: Curve(5, timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    failures: int
    shut_until: datetime | None

    @property
    def has_just_shut(self) -> bool:
        """True for the failure that closed the door, and for each that closes it anew."""
        return self.shut_until is not None


def digest(who: str) -> str:
    """No address of a person or of a network is kept as such."""
    return hashlib.sha256(f"sign-in:{who.strip().lower()}".encode()).hexdigest()


def waits(*doors: tuple[str, str]) -> timedelta:
    """How long somebody has to wait at the slowest of these doors, e.g. `("account", "ana@…")`."""
    now = clock.now()
    keys = {(kind, digest(who)) for kind, who in doors if who}
    rows = SignInBrake.objects.filter(key__in=[key for _kind, key in keys], shut_until__gt=now)
    shut = [row.shut_until - now for row in rows if (row.kind, row.key) in keys and row.shut_until]
    return max(shut, default=timedelta(0))


def count_failure(kind: str, who: str) -> Verdict:
    """Count one more failure and shut the door for as long as the curve says."""
    curve, now = CURVES[Kind(kind)], clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO users_signinbrake AS brake (kind, key, failures, failed_at)
            VALUES (%s, %s, 1, %s)
            ON CONFLICT (kind, key) DO UPDATE
            SET failures = CASE WHEN brake.failed_at < %s THEN 1 ELSE brake.failures + 1 END,
                failed_at = EXCLUDED.failed_at
            RETURNING failures
            """,
            [kind, digest(who), now, now - curve.memory],
        )
        failures: int = cursor.fetchone()[0]
    wait = curve.wait(failures)
    shut_until = now + wait if wait else None
    SignInBrake.objects.filter(kind=kind, key=digest(who)).update(shut_until=shut_until)
    return Verdict(failures, shut_until)


def forgive(kind: str, who: str) -> None:
    """The right person came in."""
    SignInBrake.objects.filter(kind=kind, key=digest(who), failures__gt=0).update(
        failures=0, shut_until=None, failed_at=F("failed_at")
    )
