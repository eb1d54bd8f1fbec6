"""One brokerage for all of these tests: it must go on working however often something in it was killed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.house import House, Person


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            if sys.platform != "linux":
                item.add_marker(
                    pytest.mark.skip(reason="processes are told apart by Linux's names")
                )


@pytest.fixture(autouse=True)
def fresh_redis() -> None:
    """These tests have servers of their own: the suite's shared ones are not touched."""


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="bos-") as folder:
        Path(folder).chmod(0o711)
        running = House(Path(folder) / "home")
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture
def person(house: House) -> Iterator[Person]:
    house.await_ready()
    someone = Person(house)
    yield someone
    someone.leaves()
