from __future__ import annotations

import pytest

from apps.accounts.adapters import simulator as platform_simulator
from apps.core.actor import Actor
from apps.payments.adapters import simulator
from apps.payments.services.providers import providers_load, providers_read
from apps.rules.compiled import forget_compiled
from tests.accounts import world as accounts
from tests.orders import floor
from tests.payments.world import Hook, Psp


@pytest.fixture
def psp(db, tmp_path, settings):
    """The simulated provider over real HTTP; nothing goes on at it unless `knocks()` is called."""
    server = simulator.start(
        port=0, home=tmp_path / "psp", payout_seconds=0, settle_seconds=3600, working=False
    )
    address = f"http://127.0.0.1:{server.server_address[1]}"
    configured = settings.PAYMENT_PROVIDERS["psp-sim"]
    settings.PAYMENT_PROVIDERS = {"psp-sim": {**configured, "address": address}}
    server.hook = Hook()
    server.provider.post = server.hook
    yield Psp(server)
    server.shutdown()


@pytest.fixture
def platform(tmp_path):
    server = platform_simulator.start(port=0, home=tmp_path / "platform")
    server.faults = server.RequestHandlerClass.faults
    server.book = server.RequestHandlerClass.book
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(psp, platform):
    """Rules, prices, account types and payment methods in force; provider and platform outside."""
    forget_compiled()
    floor.open_market()
    accounts.load_catalogue(platform)
    providers_load(rows=providers_read(), actor=Actor.system("tests"), reason="test")
    yield psp
    forget_compiled()
