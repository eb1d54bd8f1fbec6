"""Whoever takes a login over changes its password first: withdrawals right after that go before a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.clients.models import ClientLogin
from apps.core import clock
from apps.payments.enums import CheckResult
from apps.payments.services.checks import LABELS
from apps.users.models import User

from .test_withdrawals import checks_of
from .world import ana, asks_to_withdraw, deposited


@pytest.mark.parametrize(
    ("hours", "result"),
    [(None, CheckResult.PASS), (25, CheckResult.PASS), (23, CheckResult.REVIEW)],
)
def test_a_fresh_change_of_the_sign_in_is_put_before_a_person(house, hours, result):
    client = ana()
    deposited(house, client, "1000.00")
    changed = clock.now() - timedelta(hours=hours) if hours else None
    user = User.objects.create_user("ana@client.example", "x", credentials_changed_at=changed)
    ClientLogin.objects.create(user=user, client=client)

    withdrawal = asks_to_withdraw(client, "40.00")

    assert {row.code: row.result for row in checks_of(withdrawal)}["SIGN_IN"] == result
    flagged = f"{LABELS['SIGN_IN']}: changed" in withdrawal.flagged
    assert flagged is (result == CheckResult.REVIEW)
