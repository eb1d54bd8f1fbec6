"""Market files: each dialect, each way to be wrong, and the real ones where they are."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.market.quotes import to_us
from apps.market.readers import (
    BadLine,
    FileTick,
    parse_price,
    parse_time,
    source,
    survey,
)

NO_SPREAD = lambda ts_us: 10  # noqa: E731
BARS = "timestamp,open,high,low,close\n"
BID = BARS + (
    "2012-02-01 00:00:00+00:00,1.57597,1.57606,1.57576,1.57576\n"
    "2012-02-01 00:01:00+00:00,1.57576,1.57583,1.57543,1.57580\n"
)
ASK = BARS + (
    "2012-02-01 00:00:00+00:00,1.57608,1.57610,1.57585,1.57585\n"
    "2012-02-01 00:01:00+00:00,1.57585,1.57591,1.57552,1.57589\n"
)


def at(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    return write


def test_histdata_ticks_are_eastern_standard_time_to_the_millisecond(file):
    path = file(
        "eurusd.csv.gz",
        "20200101 170000065,1.121200,1.121720,0\n20200101 170010447,1.121200,1.121920,0\n",
    )

    assert list(source([path], 5, NO_SPREAD)()) == [
        FileTick(1, at("2020-01-01 22:00:00.065"), 112_120, 112_172),
        FileTick(2, at("2020-01-01 22:00:10.447"), 112_120, 112_192),
    ]


def test_iso_ticks_have_a_header_and_may_repeat_an_instant(file):
    path = file(
        "usdjpy.csv",
        "timestamp,bid,ask\n2013-01-01 22:00:00.295000+00:00,86.655,86.728\n"
        "2013-01-01 22:00:00.295000+00:00,86.657,86.728\n",
    )

    ticks = list(source([path], 3, NO_SPREAD)())

    assert [(t.line, t.bid, t.ask) for t in ticks] == [(2, 86_655, 86_728), (3, 86_657, 86_728)]
    assert {t.ts_us for t in ticks} == {at("2013-01-01 22:00:00.295")}


def test_a_pair_of_minute_files_becomes_four_quotes_a_minute(file):
    bid, ask = file("gbpusd-bid.csv.gz", BID), file("gbpusd-ask.csv.gz", ASK)

    ticks = list(source([bid, ask], 5, NO_SPREAD)())

    falling, rising = ticks[:4], ticks[4:]
    assert [(t.bid, t.ask) for t in falling] == [
        (157_597, 157_608),
        (157_606, 157_610),
        (157_576, 157_585),
        (157_576, 157_585),
    ]
    assert [(t.bid, t.ask) for t in rising] == [
        (157_576, 157_585),
        (157_543, 157_552),
        (157_583, 157_591),
        (157_580, 157_589),
    ]
    assert [t.ts_us - at("2012-02-01 00:00") for t in ticks] == [n * 15_000_000 for n in range(8)]


def test_the_order_of_a_pair_is_read_from_its_names(file):
    bid, ask = file("gbpusd-bid.csv", BID), file("gbpusd-ask.csv", ASK)

    assert list(source([ask, bid], 5, NO_SPREAD)()) == list(source([bid, ask], 5, NO_SPREAD)())


def test_bars_of_one_side_get_their_offer_from_the_spread_model(file):
    path = file(
        "goog.csv", ",Open,High,Low,Close,Volume\n2004-08-19,100,104.06,95.96,100.34,22351900\n"
    )

    ticks = list(source([path], 2, lambda ts_us: 7)())

    assert [(t.bid, t.ask) for t in ticks] == [
        (10_000, 10_007),
        (9_596, 9_603),
        (10_406, 10_413),
        (10_034, 10_041),
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("timestamp,bid,ask\n2013-01-01,86.6\n", 2, "2 values, 3 needed"),
        ("timestamp,bid,ask\n2013-01-01,86.6,x\n", 2, "'x' is not a price"),
        ("timestamp,bid,ask\n2013-01-01,-1,2\n", 2, "'-1' is not a positive price"),
        ("timestamp,bid,ask\n2013-01-01,nan,2\n", 2, "'nan' is not a positive price"),
        ("timestamp,bid,ask\nyesterday,1,2\n", 2, "Invalid isoformat string: 'yesterday'"),
        (
            "timestamp,bid,ask\n2013-01-02,1,2\n2013-01-01,1,2\n",
            3,
            "earlier than the line before it",
        ),
        (BARS + "2013-01-01,5,4,3,3\n", 2, "open and close do not lie between low and high"),
        (BARS + "2013-01-01,1,1,1,1\n2013-01-01,1,1,1,1\n", 3, "not later than the line before it"),
        ("a,b,c\n1,2,3\n", 1, "neither ticks (time,bid,ask) nor bars (time,open,high,low,close)"),
        ("", 1, "the file is empty"),
    ],
)
def test_a_damaged_line_is_named_and_refuses_the_whole_file(
    file, text: str, line: int, reason: str
):
    path = file("broken.csv", text)

    with pytest.raises(BadLine) as refused:
        survey(source([path], 3, NO_SPREAD)())

    assert (refused.value.line, refused.value.reason) == (line, reason)
    assert str(refused.value) == f"broken.csv, line {line}: {reason}"


def test_a_truncated_archive_is_refused(file, tmp_path: Path):
    whole = file("ticks.csv.gz", "timestamp,bid,ask\n" + "2013-01-01,1,2\n" * 5000)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole.read_bytes()[:-20])

    with pytest.raises(BadLine):
        survey(source([cut], 3, NO_SPREAD)())


def test_a_pair_that_does_not_hold_the_same_minutes_is_refused(file):
    bid = file("x-bid.csv", BID)

    with pytest.raises(BadLine, match=r"line 3: x-ask.csv ends before it"):
        survey(source([bid, file("x-ask.csv", ASK.rsplit("\n", 2)[0] + "\n")], 5, NO_SPREAD)())
    shifted = ASK.replace("00:01:00+", "00:02:00+")
    with pytest.raises(BadLine, match=r"x2-ask.csv, line 3: not the instant of line 3"):
        survey(source([bid, file("x2-ask.csv", shifted)], 5, NO_SPREAD)())
    longer = ASK + "2012-02-01 00:02:00+00:00,1,1,1,1\n"
    with pytest.raises(BadLine, match=r"x3-ask.csv, line 4: x-bid.csv ends before it"):
        survey(source([bid, file("x3-ask.csv", longer)], 5, NO_SPREAD)())


def test_two_tick_files_are_no_pair(file):
    ticks = file("t.csv", "timestamp,bid,ask\n2013-01-01,1,2\n")

    with pytest.raises(BadLine, match="two files must be bars"):
        source([ticks, ticks], 5, NO_SPREAD)


@given(st.decimals("0.00001", "999999", places=5))
def test_a_price_survives_in_points(price: Decimal):
    assert Decimal(parse_price(str(price), 5)).scaleb(-5) == price


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_time_survives_to_the_microsecond(moment: datetime):
    assert parse_time(moment.isoformat(sep=" ") + "+00:00") == to_us(moment.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("names", "digits", "ticks", "crossed"),
    [
        (["eurusd-ticks-2020-01.csv.gz"], 5, 9_500, 0),
        (["usdjpy-ticks-2013-01.csv.gz"], 3, 1_000, 0),
        (["gbpusd-m1-bid-2012-02.csv.gz", "gbpusd-m1-ask-2012-02.csv.gz"], 5, 120_468, 1_471),
        (["eurusd-h1-2017-2018.csv.gz"], 5, 20_000, 0),
        (["goog-d1-2004-2013.csv.gz"], 2, 8_592, 0),
    ],
)
def test_real_files_are_read_whole(
    market_files: Path, names: list[str], digits: int, ticks: int, crossed: int
):
    files = [market_files / name for name in names]
    if not all(file.exists() for file in files):
        pytest.skip(f"{names[0]} is not here")

    found = survey(source(files, digits, NO_SPREAD)())

    assert (found.ticks, found.crossed) == (ticks, crossed)
