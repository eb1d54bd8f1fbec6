"""Memory of a running demo: the proportional share of each process (shared pages counted once), and the sum."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import psutil

from brokeros import embedded

LIMIT_MB = 1536


def shares(home: Path) -> list[tuple[str, int]]:
    """Command and bytes of every process that belongs to the home, children included."""
    servers = {embedded.postgres_pid(home), embedded.redis_pid(home)}
    found: dict[int, tuple[str, int]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid in servers or _serves(process, home):
                for member in (process, *process.children(recursive=True)):
                    found[member.pid] = (_name(member), _size(member))
    return sorted(found.values(), key=lambda share: -share[1])


def _serves(process: psutil.Process, home: Path) -> bool:
    """Whether a process was started for this home, by name or because it lies beside its working folder."""
    named = process.environ().get("BROKEROS_HOME")
    if named is not None:
        return named == str(home)
    return "brokeros.demo" in process.cmdline() and Path(process.cwd()) / ".brokeros" == home


def _name(process: psutil.Process) -> str:
    """The command, or the name that a fork of the supervisor gave itself."""
    name = process.name()
    return name if name.startswith("bos-") else " ".join(process.cmdline())


def _size(process: psutil.Process) -> int:
    """Proportional share where the system tells it, resident size elsewhere."""
    memory = process.memory_full_info()
    size: int = getattr(memory, "pss", 0) or memory.rss
    return size


def main() -> int:
    """Exit code 1 above the limit, or when nothing runs."""
    found = shares(embedded.default_home())
    for command, size in found:
        sys.stdout.write(f"{size / 2**20:8.0f} MB  {command[:100]}\n")
    total = sum(size for _, size in found) / 2**20
    sys.stdout.write(f"{total:8.0f} MB  in {len(found)} processes (limit {LIMIT_MB} MB)\n")
    return 0 if found and total <= LIMIT_MB else 1


if __name__ == "__main__":
    raise SystemExit(main())
