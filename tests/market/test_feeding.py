"""Quotes on their way: published, archived, pushed to pages, replayed from files."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.management import CommandError, call_command

from apps.core import clock
from apps.market.bars import Bar
from apps.market.feeding import (
    GROUP,
    QuotePublisher,
    Tick,
    replay_claim,
    replayed_symbols,
    simulator_build,
)
from apps.market.filters import Refusal
from apps.market.models import Candle, QuoteRecord
from apps.market.quotes import LAST, STREAM, to_us, unpack, unpack_raw
from apps.market.selectors import candles, feed_is_alive, last_quote, last_quotes
from apps.market.services import candles_store, history_generate, quote_record

MINUTE = 60_000_000
NOW = datetime(2026, 11, 18, 15, 0, 30, tzinfo=UTC)
DIGITS = {"EURUSD": 5, "USDJPY": 3}


def tick(symbol: str = "EURUSD", bid: int = 108_500, spread: int = 8, later_us: int = 0) -> Tick:
    return Tick(symbol, bid, bid + spread, to_us(NOW) + later_us)


@pytest.fixture
def publisher() -> QuotePublisher:
    return QuotePublisher("TEST", DIGITS)


def stream(client: redis.Redis) -> list[tuple]:
    return [unpack_raw(values[b"q"]) for _entry, values in client.xrange(STREAM)]


def test_a_quote_reaches_the_stream_and_becomes_the_latest(
    publisher: QuotePublisher, fresh_redis: redis.Redis
):
    with clock.frozen(NOW):
        passed = publisher.publish([tick(), tick(bid=108_510, later_us=1000)])

    assert passed == 2
    assert stream(fresh_redis) == [
        ("EURUSD", 108_500, 108_508, to_us(NOW), "TEST"),
        ("EURUSD", 108_510, 108_518, to_us(NOW) + 1000, "TEST"),
    ]
    latest = unpack(fresh_redis.hget(LAST, "EURUSD"), 5)
    assert (str(latest.bid), str(latest.ask), latest.spread_points) == ("1.08510", "1.08518", 8)


def test_a_refused_tick_leaves_no_trace(publisher: QuotePublisher, fresh_redis: redis.Redis):
    with clock.frozen(NOW):
        publisher.publish([tick()])
        before = stream(fresh_redis), fresh_redis.hgetall(LAST)
        passed = publisher.publish([tick(spread=-1), tick(bid=200_000), tick(later_us=-1)])

    assert passed == 0
    assert (stream(fresh_redis), fresh_redis.hgetall(LAST)) == before
    assert publisher.filter.refused == {
        Refusal.CROSSED: 1,
        Refusal.SPIKE: 1,
        Refusal.BACKWARD: 1,
    }


def test_silence_is_not_taken_for_calm(publisher: QuotePublisher, fresh_redis: redis.Redis):
    assert not feed_is_alive()
    with clock.frozen(NOW):
        publisher.publish([])
    with clock.frozen(NOW + timedelta(seconds=10)):
        assert feed_is_alive()
    with clock.frozen(NOW + timedelta(seconds=11)):
        assert not feed_is_alive()


def test_pages_get_the_latest_quote_of_each_symbol_in_one_numbered_batch(
    publisher: QuotePublisher, fresh_redis: redis.Redis
):
    async def pushes() -> list[dict]:
        layer = get_channel_layer()
        name = await layer.new_channel()
        await layer.group_add(GROUP, name)
        assert await publisher.push() == 0
        publisher.publish([tick(), tick(bid=108_510, later_us=5), tick("USDJPY", 151_200)])
        assert await publisher.push() == 2
        publisher.publish([tick(bid=108_511, later_us=9)])
        assert await publisher.push() == 1
        return [await layer.receive(name) for _ in range(2)]

    with clock.frozen(NOW):
        first, second = async_to_sync(pushes)()

    ms = to_us(NOW) // 1000
    assert first["quotes"] == [
        ["EURUSD", "1.08510", "1.08518", ms],
        ["USDJPY", "151.200", "151.208", ms],
    ]
    assert second["quotes"] == [["EURUSD", "1.08511", "1.08519", ms]]
    assert second["sequence"] == first["sequence"] + 1


def test_finished_minutes_are_archived_and_merged_into_their_hour(
    transactional_db: None, publisher: QuotePublisher, fresh_redis: redis.Redis
):
    with clock.frozen(NOW):
        publisher.publish(
            [tick(), tick(bid=108_520, later_us=1), tick(bid=108_515, later_us=MINUTE)]
        )
        stored = async_to_sync(publisher.archive)()
    assert stored == 1

    with clock.frozen(NOW + timedelta(minutes=5)):
        assert async_to_sync(publisher.archive)() == 1
        assert async_to_sync(publisher.archive)() == 0

    start = to_us(NOW.replace(second=0))
    assert candles("EURUSD", "M1") == [
        Bar(start, 108_500, 108_520, 108_500, 108_520, 8, 8, 2),
        Bar(start + MINUTE, 108_515, 108_515, 108_515, 108_515, 8, 8, 1),
    ]
    hour = to_us(NOW.replace(minute=0, second=0))
    assert candles("EURUSD", "H1") == [Bar(hour, 108_500, 108_520, 108_500, 108_515, 8, 8, 3)]
    assert candles("EURUSD", "M5", limit=1)[0].ticks == 3
    assert candles("EURUSD", "D1")[0].ticks == 3


def test_a_minute_stored_in_two_pieces_is_one_bar(transactional_db: None):
    start = to_us(NOW.replace(second=0))

    candles_store([("EURUSD", Bar(start, 10, 12, 9, 11, 2, 3, 4))])
    candles_store([("EURUSD", Bar(start, 11, 15, 10, 14, 1, 2, 6))])

    assert candles("EURUSD", "M1") == [Bar(start, 10, 15, 9, 14, 1, 3, 10)]
    assert Candle.objects.count() == 2


def test_the_quote_behind_a_decision_is_kept_once(master, quote):
    quote("EURUSD", "1.08500", "1.08508")
    behind = last_quote("EURUSD")
    assert behind is not None

    quote_record(quote=behind, reference="deal:7")
    quote_record(quote=behind, reference="deal:7")

    kept = QuoteRecord.objects.get()
    assert (kept.symbol, kept.bid_points, kept.ask_points) == ("EURUSD", 108_500, 108_508)


def test_a_generated_past_ends_where_the_feed_begins(master, quote):
    noon = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)
    with clock.frozen(noon):
        quote("EURUSD", "1.10000", "1.10008")
        added = history_generate(days=5, minute_days=1)
        again = history_generate(days=5, minute_days=1)

        assert added == Candle.objects.count()
        assert again == 0
        minutes, hours = candles("EURUSD", "M1", 1000), candles("EURUSD", "H1", 1000)
    assert abs(minutes[-1].close - 110_000) < 30
    assert minutes[-1].start_us == to_us(noon) - MINUTE
    assert {b.start_us // MINUTE % 1440 for b in minutes}.isdisjoint(
        range(21 * 60 + 59, 22 * 60 + 5)
    )
    weekend = to_us(datetime(2026, 11, 15, 12, tzinfo=UTC))
    assert weekend not in {b.start_us for b in hours}
    assert candles("BTCUSD", "H1", 1000)[0].start_us == to_us(
        noon.replace(minute=0) - timedelta(days=5)
    )


def test_the_feed_publishes_what_is_open_and_stops_when_told(master, fresh_redis, capsys):
    saturday = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    with clock.frozen(saturday):
        call_command("feed", seconds=0.6, every=0.1, seed=4)
        assert set(last_quotes()) == {"BTCUSD", "ETHUSD", "SOLUSD"}

    assert "24 instruments, seed 4" in capsys.readouterr().out
    assert Candle.objects.filter(symbol="BTCUSD").count() == 2


def test_the_feed_says_when_there_is_nothing_to_quote(transactional_db: None):
    with pytest.raises(CommandError, match="load_instruments"):
        call_command("feed", seconds=0.1)


def test_the_feed_leaves_a_replayed_symbol_alone_and_goes_on_from_its_price(
    master, quote, fresh_redis
):
    quote("EURUSD", "1.20000", "1.20008")
    replay_claim("EURUSD")

    assert replayed_symbols(["EURUSD", "USDJPY"]) == {"EURUSD"}
    call_command("feed", seconds=1.3, every=0.25, seed=4)
    sources = {q.symbol: q.source for q in last_quotes().values()}
    assert (sources["EURUSD"], sources["BTCUSD"]) == ("TEST", "SIMULATED")
    prices = {i.symbol: i.price for i in simulator_build(seed=1).instruments}
    assert prices["EURUSD"] == pytest.approx(1.20004)


def tick_file(folder: Path, lines: str) -> Path:
    path = folder / "eurusd-ticks.csv.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    return path


def test_a_replay_publishes_a_file_as_if_it_happened_now(master, fresh_redis, tmp_path, capsys):
    path = tick_file(
        tmp_path,
        "20200101 170000065,1.121200,1.121720,0\n20200101 170010447,1.121200,1.121100,0\n"
        "20200101 170012447,1.121300,1.121820,0\n",
    )

    with clock.frozen(NOW):
        call_command("replay_quotes", str(path), speed=0)

    assert [(q[1], q[2], q[3], q[4]) for q in stream(fresh_redis)] == [
        (112_120, 112_172, to_us(NOW), "REPLAY"),
        (112_130, 112_182, to_us(NOW), "REPLAY"),
    ]
    out = capsys.readouterr().out
    assert "3 quotes from 2020-01-01 22:00:00 to 2020-01-01 22:00:12, 1 crossed and left out" in out
    assert "EURUSD: 2 quotes published" in out
    assert replayed_symbols(["EURUSD"]) == set()


def test_a_replay_can_keep_the_recorded_times(master, fresh_redis, tmp_path):
    path = tick_file(tmp_path, "20200101 170000065,1.121200,1.121720,0\n")

    call_command("replay_quotes", str(path), speed=0, recorded_time=True)

    recorded = to_us(datetime(2020, 1, 1, 22, 0, 0, 65_000, tzinfo=UTC))
    assert stream(fresh_redis)[0][3] == recorded
    assert candles("EURUSD", "M1")[0].start_us == recorded - 65_000


def test_a_replay_keeps_the_rhythm_of_the_file_times_the_speed(master, fresh_redis, tmp_path):
    path = tick_file(
        tmp_path, "20200101 170000000,1.1212,1.1217,0\n20200101 170010000,1.1213,1.1218,0\n"
    )

    started = clock.now()
    call_command("replay_quotes", str(path), speed=20)

    first, second = (q[3] for q in stream(fresh_redis))
    assert second - first == pytest.approx(500_000, abs=200_000)
    assert clock.now() - started >= timedelta(seconds=0.5)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "20200101 170000065,1.1212,1.1217,0\n20200101 170000066,1.1212,oops,0\n",
            "eurusd-ticks.csv.gz, line 2: 'oops' is not a price",
        ),
        ("", "eurusd-ticks.csv.gz, line 1: the file is empty"),
    ],
)
def test_a_damaged_file_publishes_nothing(master, fresh_redis, tmp_path, lines, message):
    path = tick_file(tmp_path, lines)

    with pytest.raises(CommandError) as refused:
        call_command("replay_quotes", str(path), speed=0)

    assert str(refused.value) == message
    assert stream(fresh_redis) == []
    assert fresh_redis.hgetall(LAST) == {}


def test_a_replay_names_a_missing_file_and_an_unknown_symbol(master, tmp_path):
    with pytest.raises(CommandError, match="there is no such file"):
        call_command("replay_quotes", str(tmp_path / "eurusd.csv"))
    path = tmp_path / "xyzabc.csv"
    path.write_text("timestamp,bid,ask\n2013-01-01,1,2\n")
    with pytest.raises(CommandError, match="There is no instrument XYZABC"):
        call_command("replay_quotes", str(path))


def test_the_real_ticks_are_replayed_whole(master, fresh_redis, market_files):
    path = market_files / "eurusd-ticks-2020-01.csv.gz"
    if not path.exists():
        pytest.skip("the file is not here")

    call_command("replay_quotes", str(path), speed=0, recorded_time=True)

    assert fresh_redis.xlen(STREAM) == 9_500
    assert last_quote("EURUSD").source == "REPLAY"
    hours = candles("EURUSD", "H1")
    assert len(hours) == 7
    assert sum(bar.ticks for bar in hours) == 9_500
