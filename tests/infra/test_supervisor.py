"""The supervisor: who wrote a line is readable, who died is started again, and the end leaves nobody behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from brokeros import embedded
from brokeros.processes import PROCESSES, Process
from brokeros.spawning import spawn_fork, spawn_program
from brokeros.supervisor import LONGEST_PAUSE_S, Console, Supervisor


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[spawn_program, spawn_fork], ids=["program", "fork"])
def supervise(
    request: pytest.FixtureRequest, output: io.StringIO, clock: Clock, tmp_path: Path
) -> Iterator[Callable[..., Supervisor]]:
    """Supervises small programs, started in each of the two ways."""
    made: list[Supervisor] = []

    def program_file(name: str, program: str) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(program)
        return str(path)

    def make(**programs: str) -> Supervisor:
        processes = [
            Process(name, "", ("python", program_file(name, program)))
            for name, program in programs.items()
        ]
        supervisor = Supervisor(
            processes,
            environ=os.environ,
            console=Console(output, list(programs)),
            clock=clock,
            spawn=request.param,
        )
        made.append(supervisor)
        supervisor.start()
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop(timeout_s=1)


def turn_until(supervisor: Supervisor, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        supervisor.turn(0.05)


def test_every_line_says_who_wrote_it(
    supervise: Callable[..., Supervisor], output: io.StringIO
) -> None:
    supervisor = supervise(
        web="import time; print('open', flush=True); time.sleep(60)",
        engine="import sys, time; sys.stderr.write('warm\\n'); sys.stderr.flush(); time.sleep(60)",
    )

    turn_until(supervisor, lambda: output.getvalue().count("\n") == 2)

    assert sorted(output.getvalue().splitlines()) == ["engine | warm", "web    | open"]


def test_a_process_that_was_killed_is_started_again_and_it_is_said(
    supervise: Callable[..., Supervisor], output: io.StringIO, clock: Clock
) -> None:
    supervisor = supervise(engine="import time; print('up', flush=True); time.sleep(60)")
    turn_until(supervisor, lambda: "up" in output.getvalue())
    killed = supervisor.pids()["engine"]
    os.kill(killed, signal.SIGKILL)

    turn_until(supervisor, lambda: "ended" in output.getvalue())
    assert supervisor.pids() == {}
    clock.now = 1.0
    turn_until(supervisor, lambda: output.getvalue().count("up") == 2)

    assert output.getvalue().splitlines() == [
        "engine | up",
        "engine | ended by signal SIGKILL; starts again in 1 s",
        "engine | up",
    ]
    assert supervisor.pids()["engine"] != killed


def test_the_pause_doubles_up_to_half_a_minute_and_is_short_again_after_a_steady_minute(
    supervise: Callable[..., Supervisor], output: io.StringIO, clock: Clock
) -> None:
    supervisor = supervise(feed="raise SystemExit(3)")
    child = supervisor.children["feed"]
    pauses = []
    for _ in range(7):
        turn_until(supervisor, lambda: child.running is None)
        pauses.append(child.restart_at - clock.now)
        clock.now = child.restart_at
        turn_until(supervisor, lambda: child.running is not None)

    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    clock.now += 60
    turn_until(supervisor, lambda: child.running is None)
    assert child.restart_at - clock.now == 1
    assert "feed | ended with exit code 3; starts again in 1 s" in output.getvalue()


def test_the_end_waits_for_a_process_that_finishes_its_work(
    supervise: Callable[..., Supervisor], output: io.StringIO
) -> None:
    program = (
        "import os, signal, time\n"
        "def end(*_): os.write(1, b'finished\\n'); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    supervisor = supervise(worker=program)
    turn_until(supervisor, lambda: "up" in output.getvalue())

    supervisor.stop()

    assert output.getvalue().splitlines() == ["worker | up", "worker | finished"]
    assert supervisor.pids() == {}


def test_a_process_that_does_not_end_is_killed_with_its_children(
    supervise: Callable[..., Supervisor], output: io.StringIO
) -> None:
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', "
        "'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    supervisor = supervise(worker=program)
    turn_until(supervisor, lambda: "\n" in output.getvalue())
    grandchild = psutil.Process(int(output.getvalue().split("|")[1]))

    supervisor.stop(timeout_s=0.5)

    assert supervisor.pids() == {}
    assert "worker | did not end within 0 s and is killed" in output.getvalue()
    gone, alive = psutil.wait_procs([grandchild], timeout=5)
    assert (len(gone), alive) == (1, [])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells children of a death")
def test_the_children_end_when_the_supervisor_itself_is_killed() -> None:
    program = (
        "import os, sys; from brokeros.supervisor import Console, Supervisor;"
        "from brokeros.processes import Process;"
        "s = Supervisor([Process('web', '', ('python', '-c', 'import time; time.sleep(60)'))],"
        " environ=os.environ, console=Console(sys.stderr, ['web'])); s.start();"
        "print(s.pids()['web'], flush=True);\nwhile True: s.turn()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=embedded.BASE_DIR
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert child.wait(timeout=10) is not None or not child.is_running()


def test_a_fork_has_its_own_arguments_environment_and_random_numbers(
    tmp_path: Path, output: io.StringIO
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, random, sys\n"
        "print(sys.argv[1:], os.environ.get('ONLY'), 'HOME' in os.environ, os.getpgid(0) == os.getpid())\n"
        "print(random.random())\n"
        "raise SystemExit('ended on purpose')"
    )
    said = []
    for _ in range(2):
        forked = spawn_fork("one", [str(program), "--port", "1"], {"ONLY": "this"})
        assert forked.stdout is not None
        said.append(forked.stdout.read().decode().splitlines())
        assert forked.wait() == 1

    assert [lines[0] for lines in said] == ["['--port', '1'] this False True"] * 2
    assert said[0][1] != said[1][1]
    assert [lines[2] for lines in said] == ["ended on purpose"] * 2


def test_a_process_fills_in_its_interpreter_and_address() -> None:
    web = PROCESSES[0]

    arguments = web.arguments("/venv/bin/python", {"HOST": "0.0.0.0", "PORT": "9000"})

    assert arguments[:8] == [
        *("/venv/bin/python", "-m", "uvicorn", "brokeros.asgi:application"),
        *("--host", "0.0.0.0", "--port", "9000"),
    ]
