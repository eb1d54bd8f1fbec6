"""From a client's deal to the dealer's screen."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.management import call_command

from apps.accounts.models import TradingAccount
from apps.core import clock
from apps.core.actor import ScopeLevel
from apps.core.errors import NotAllowed
from apps.core.redis import redis_client
from apps.orders.host import shards
from apps.risk.consumers import ExposureConsumer
from apps.risk.exposure import ExposureKeeper, publishable
from apps.risk.permissions import VIEW_EXPOSURE
from apps.risk.selectors import exposure_now, exposure_scope, exposure_scope_of, positions_behind
from apps.risk.snapshot import GROUP, history_read, snapshot_latest, snapshot_store
from tests.orders import floor
from tests.risk.conftest import TUESDAY, staff

pytestmark = pytest.mark.usefixtures("market")


def keeper() -> ExposureKeeper:
    fresh = ExposureKeeper()
    fresh.load()
    return fresh


def deltas_of(work: Any) -> list[dict[str, Any]]:
    """What the engine announces while `work` runs; a test run beside this one shares the channel and is left out."""
    pubsub = redis_client().pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(shards.deltas_channel("main"))
    pubsub.get_message(timeout=1)
    work()
    found = []
    while (message := pubsub.get_message(timeout=0.2)) is not None:
        found.append(msgspec.msgpack.decode(message["data"]))
    pubsub.close()
    ours = {str(pk) for pk in TradingAccount.objects.values_list("pk", flat=True)}
    return [delta for delta in found if {str(row[1]) for row in delta["positions"]} <= ours]


def test_a_clients_position_is_the_houses_exposure():
    account = floor.trading_account(funds="10000")
    floor.trades(account, "buy", "1.50")
    floor.price("EURUSD", "1.10260", "1.10270")

    views = keeper().snapshot().report(None)

    row = views["symbols"]["EURUSD"]
    assert (row["positions"], row["net_lots"], row["house_lots"]) == (1, 1.5, -1.5)
    assert (row["pnl"], row["house_pnl"]) == (375.0, -375.0)
    assert views["entities"]["BOS-INT"]["net"] == row["net"] == 165_397.5
    assert views["currencies"]["EUR"]["net"] == 165_397.5
    assert views["total"]["all"]["positions"] == 1


def test_deltas_lead_where_a_reload_would():
    account = floor.trading_account(funds="50000")
    live = keeper()

    def trading() -> None:
        floor.trades(account, "buy", "1.00")
        floor.trades(account, "sell", "0.40", "XAUUSD")
        floor.trades(account, "buy", "2.00", "GBPUSD")

    for delta in deltas_of(trading):
        live.take(delta)

    assert live.snapshot().report(None) == keeper().snapshot().report(None)
    assert live.snapshot().report(None)["total"]["all"]["positions"] == 3


def test_a_reload_heals_what_a_lost_delta_left():
    account = floor.trading_account(funds="50000")
    live = keeper()
    floor.trades(account, "buy", "1.00")

    assert live.snapshot().report(None)["total"]["all"]["positions"] == 0
    live.load()
    assert live.snapshot().report(None)["total"]["all"]["positions"] == 1


def test_the_lag_runs_from_the_deal_to_the_screen():
    account = floor.trading_account(funds="50000")
    live = keeper()
    for delta in deltas_of(lambda: floor.trades(account, "buy", "1.00")):
        live.take(delta)

    with clock.frozen(TUESDAY + timedelta(milliseconds=120)):
        assert live.snapshot().lag_ms == {"p50": 120.0, "p95": 120.0}


def test_dead_sources_are_named_and_unknown_is_not_zero():
    assert snapshot_latest() is None
    assert exposure_now(staff(1)) is None

    silent = keeper().snapshot()
    assert (silent.feed_alive, silent.engine_alive) == (True, False)
    redis_client().set(shards.heartbeat_key("main"), str(TUESDAY.timestamp()))
    assert keeper().snapshot().engine_alive is True
    with clock.frozen(TUESDAY + timedelta(seconds=11)):
        late = keeper().snapshot()
    assert (late.feed_alive, late.engine_alive) == (False, False)


def test_exposure_needs_the_permission_and_a_scope_of_entities():
    with pytest.raises(NotAllowed):
        exposure_scope(staff(1, "orders.set_kill_switch"))
    with pytest.raises(NotAllowed):
        exposure_scope(staff(1, level=ScopeLevel.OWN))
    own = staff(1, level=ScopeLevel.ENTITY, entities=frozenset({"BOS-EU"}))
    assert exposure_scope(own).entities == {"BOS-EU"}
    assert exposure_scope(staff(1)).entities is None


def test_somebody_of_one_entity_sees_only_its_exposure_and_its_positions():
    offshore = floor.trading_account(funds="50000", entity="BOS-INT")
    european = floor.trading_account(funds="50000", entity="BOS-EU")
    floor.trades(offshore, "buy", "1.00")
    floor.trades(european, "sell", "0.30")
    snapshot_store(keeper().snapshot())
    own = staff(1, level=ScopeLevel.ENTITY, entities=frozenset({"BOS-EU"}))

    seen = exposure_now(own)

    assert seen is not None
    assert set(seen["views"]["entities"]) == {"BOS-EU"}
    assert seen["views"]["symbols"]["EURUSD"]["net_lots"] == -0.3
    assert [p.account_id for p in positions_behind("EURUSD", own)] == [european.pk]
    assert positions_behind("EURUSD", staff(2)).count() == 2
    with pytest.raises(NotAllowed):
        positions_behind("EURUSD", staff(3, "orders.set_kill_switch"))


def test_the_line_of_profit_and_loss_is_kept_by_entity():
    account = floor.trading_account(funds="10000")
    floor.trades(account, "buy", "1.50")
    floor.price("EURUSD", "1.10260", "1.10270")
    live = keeper()

    live.remember(live.snapshot())

    at_ms = int(TUESDAY.timestamp() * 1000)
    assert history_read(None) == [[at_ms, 375.0, -375.0]]
    assert history_read(frozenset({"BOS-EU"})) == [[at_ms, 0, 0]]


def test_the_process_publishes_and_leaves_a_snapshot(capsys):
    account = floor.trading_account(funds="10000")
    floor.trades(account, "buy", "1.50")

    call_command("publish_exposure", seconds=0.6, every=0.1)

    latest = snapshot_latest()
    assert latest is not None
    assert latest.report(None)["symbols"]["EURUSD"]["net_lots"] == 1.5
    assert "exposure: stopped after" in capsys.readouterr().out


def dealer(email: str = "dealer@example.com", *, scope: str = "ALL", entities: tuple = ()) -> Any:
    """A login of the dealing desk."""
    user = get_user_model().objects.create(
        email=email, is_staff=True, scope_level=scope, entities=list(entities)
    )
    app, _dot, codename = VIEW_EXPOSURE.code.partition(".")
    permission = Permission.objects.get(content_type__app_label=app, codename=codename)
    user.user_permissions.add(permission)
    return user


def line(user: Any) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(ExposureConsumer.as_asgi(), "/ws/exposure/")
    communicator.scope["user"] = user
    return communicator


async def push(live: ExposureKeeper) -> None:
    message = await sync_to_async(publishable)(live)
    await get_channel_layer().group_send(GROUP, message)


def test_strangers_and_people_without_the_permission_are_turned_away():
    client = get_user_model().objects.create(email="client@example.com")

    async def steps() -> None:
        assert await line(AnonymousUser()).connect() == (False, 4401)
        assert await line(client).connect() == (False, 4403)

    asyncio.run(steps())


def test_a_screen_gets_a_snapshot_and_then_the_rows_that_changed():
    account = floor.trading_account(funds="50000")
    floor.trades(account, "buy", "1.50")
    user, live = dealer(), keeper()
    live_before = live.snapshot().report(None)

    async def steps() -> None:
        await push(live)
        screen = line(user)
        await screen.connect()
        snapshot = await screen.receive_json_from()
        await sync_to_async(floor.trades)(account, "sell", "0.50", "XAUUSD")
        await sync_to_async(live.load)()
        await push(live)
        delta = await screen.receive_json_from()
        await screen.disconnect()

        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 1)
        assert snapshot["views"] == live_before
        assert snapshot["state"]["engine"] is False
        assert (delta["type"], delta["seq"]) == ("delta", 2)
        assert set(delta["views"]["symbols"]) == {"XAUUSD"}
        assert delta["views"]["symbols"]["XAUUSD"]["net_lots"] == -0.5

    asyncio.run(steps())


def test_a_screen_shows_its_own_entity_only():
    account = floor.trading_account(funds="50000", entity="BOS-INT")
    floor.trades(account, "buy", "1.50")
    user, live = dealer(scope="ENTITY", entities=("BOS-EU",)), keeper()

    async def steps() -> None:
        await push(live)
        screen = line(user)
        await screen.connect()
        snapshot = await screen.receive_json_from()
        await screen.disconnect()

        assert snapshot["views"]["symbols"] == {}
        assert snapshot["views"]["total"]["all"]["gross"] == 0

    asyncio.run(steps())


def test_whoever_loses_the_permission_loses_the_line():
    user, live = dealer(), keeper()

    async def steps() -> None:
        await push(live)
        screen = line(user)
        await screen.connect()
        await screen.receive_json_from()
        await sync_to_async(user.user_permissions.clear)()
        from apps.risk import consumers

        before, consumers.CHECK_AGAIN_SECONDS = consumers.CHECK_AGAIN_SECONDS, 0.0
        try:
            await push(live)
            closed = await screen.receive_output()
        finally:
            consumers.CHECK_AGAIN_SECONDS = before
        assert closed == {"type": "websocket.close", "code": 4403}

    asyncio.run(steps())


def test_silence_of_the_publisher_is_told_to_the_screen(monkeypatch):
    user = dealer()
    monkeypatch.setattr("apps.risk.consumers.SILENCE_SECONDS", 0.2)

    async def steps() -> None:
        screen = line(user)
        await screen.connect()
        assert await screen.receive_json_from() == {"type": "state", "state": None, "seq": 1}
        told = await screen.receive_json_from(timeout=2)
        await screen.disconnect()
        assert told == {"type": "state", "state": None, "seq": 2}

    asyncio.run(steps())


def test_an_inactive_login_has_no_scope():
    user = dealer()
    assert exposure_scope_of(user.pk) is not None
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    assert exposure_scope_of(user.pk) is None
    assert exposure_scope_of(10**6) is None
