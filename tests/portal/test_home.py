"""The inbox on the back-office home: overdue first, and no queue crowds out the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from apps.core import clock, panels
from apps.core.actor import Actor
from apps.core.panels import QueueRow, register_queue
from apps.core.permissions import Permission
from apps.core.templatetags.brokeros_home import Inbox, home_inbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEE = Permission("core.view_test_queue", "See the queue of a test")


def row(label: str, hours: int, *, due_in: int | None = None, severity: str = "normal") -> QueueRow:
    due = None if due_in is None else AT + timedelta(hours=due_in)
    return QueueRow(label, f"/{label}/", AT - timedelta(hours=hours), due, severity)


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(panels, "QUEUES", {})
    with clock.frozen(AT):
        yield


def inbox() -> Inbox:
    return home_inbox({"request": SimpleNamespace(actor=Actor.system("tests"))})


def labels() -> list[str]:
    return [line.row.label for line in inbox().lines]


def test_overdue_comes_first_then_severe_then_oldest(queues: None) -> None:
    register_queue(
        "work",
        "Work",
        SEE,
        lambda actor: [
            row("young", 1),
            row("old", 9),
            row("severe", 2, severity="high"),
            row("late", 3, due_in=-1),
        ],
    )

    assert labels() == ["late", "severe", "old", "young"]
    assert (inbox().total, inbox().overdue) == (4, 1)


def test_one_long_queue_leaves_room_for_the_others(queues: None) -> None:
    register_queue("long", "Long", SEE, lambda actor: [row(f"old-{n}", 50 - n) for n in range(30)])
    register_queue("short", "Short", SEE, lambda actor: [row("withdrawal", 1)])

    assert "withdrawal" in labels()
    assert len(labels()) == 12
    assert inbox().total == 31
    assert [count for _label, count in inbox().counts] == [30, 1]


def test_work_of_others_is_not_shown(queues: None) -> None:
    register_queue("secret", "Secret", SEE, lambda actor: [row("secret", 1)])
    nobody = Actor.system("tests")
    stranger = type(nobody)(kind="STAFF", id="user:1", label="stranger")

    assert home_inbox({"request": SimpleNamespace(actor=stranger)}).lines == []
