import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from apps.core.commands import command, joined
from apps.core.errors import Busy
from apps.core.models import Mail


def refused_by_the_database(state: str) -> OperationalError:
    class Cause(psycopg.OperationalError):
        sqlstate = state

    error = OperationalError()
    error.__cause__ = Cause()
    return error


@pytest.mark.django_db(transaction=True)
def test_a_serialization_failure_is_repeated_and_leaves_one_effect():
    calls = []

    @command
    def write(*, to: str) -> None:
        calls.append(to)
        Mail.objects.create(to=to, subject="s", body="b")
        if len(calls) < 3:
            raise refused_by_the_database("40001")

    write(to="a")
    assert calls == ["a"] * 3
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_after_three_failures_the_error_is_shown_and_nothing_is_kept():
    @command
    def write(*, to: str) -> None:
        Mail.objects.create(to=to, subject="s", body="b")
        raise refused_by_the_database("40P01")

    with pytest.raises(OperationalError):
        write(to="a")
    assert Mail.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_that_stays_locked_reads_as_busy():
    @command
    def write(*, to: str) -> None:
        raise refused_by_the_database("55P03")

    with pytest.raises(Busy):
        write(to="a")


@pytest.mark.django_db(transaction=True)
def test_a_command_inside_a_command_is_refused_and_nothing_is_kept():
    @command
    def inner() -> None:
        Mail.objects.create(to="inner", subject="s", body="b")

    @command
    def outer() -> None:
        Mail.objects.create(to="outer", subject="s", body="b")
        inner()

    with pytest.raises(RuntimeError):
        outer()
    assert Mail.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_joined_command_shares_the_fate_of_the_transaction_around_it():
    @command
    def inner() -> None:
        Mail.objects.create(to="inner", subject="s", body="b")
        assert connection.in_atomic_block

    with pytest.raises(ZeroDivisionError), transaction.atomic(), joined():
        inner()
        _ = 1 / 0
    assert Mail.objects.count() == 0


def test_a_command_takes_keywords_only():
    @command
    def write(*, to: str) -> None: ...

    with pytest.raises(TypeError):
        write("a")
