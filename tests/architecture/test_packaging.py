"""The locks: every package pinned with hashes, nothing about where it comes from, no package that shadows another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
SOURCES = {"requirements.lock": "requirements.in", "requirements-dev.lock": "requirements-dev.in"}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
ADDRESS = re.compile(
    r"(?i)\b(https?|file|git\+\w+|ssh)://|--(extra-)?index-url|--find-links|--trusted-host|^-[if]\b"
)


def entries(text: str) -> list[str]:
    """Each locked package with its continuation lines joined."""
    joined = text.replace("\\\n", " ")
    return [
        line.strip()
        for line in joined.splitlines()
        if line.strip() and not line.lstrip().startswith(("#", "-r "))
    ]


def faults(text: str) -> list[str]:
    """What is wrong with a lock, one sentence each."""
    found = [
        f"names an address: {line.strip()}" for line in text.splitlines() if ADDRESS.search(line)
    ]
    for entry in entries(text):
        requirement = entry.split("--hash", 1)[0].strip()
        if not re.match(r"^[A-Za-z0-9._-]+(\[[^\]]+\])?==[^\s;]+(\s*;.*)?$", requirement):
            found.append(f"not pinned: {requirement}")
        elif not HASH.search(entry):
            found.append(f"without a hash: {requirement}")
        if re.match(r"(?i)^django[-_.]fsm\b(?![-_.]2)", requirement):
            found.append(f"shares its module with django-fsm-2: {requirement}")
    return found


def locked_versions(name: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for entry in entries((ROOT / name).read_text()):
        requirement = Requirement(entry.split("--hash", 1)[0].strip())
        pinned = next(iter(requirement.specifier)).version
        versions.setdefault(canonicalize_name(requirement.name), set()).add(pinned)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_with_hashes_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert faults(text) == []
    assert len(entries(text)) > 50


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_what_was_asked_for(lock: str) -> None:
    versions = locked_versions(lock)
    asked = [Requirement(entry) for entry in entries((ROOT / SOURCES[lock]).read_text())]

    missing = [
        str(requirement)
        for requirement in asked
        if not any(
            requirement.specifier.contains(version, prereleases=True)
            for version in versions.get(canonicalize_name(requirement.name), ())
        )
    ]

    assert missing == [], "run `make lock`"


def test_both_locks_agree_on_every_version() -> None:
    running, developing = (locked_versions(lock) for lock in LOCKS)

    assert {name: developing.get(name) for name in running} == running


GOOD = "django==5.2.1 \\\n    --hash=sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("django>=5.2 --hash=sha256:" + "a" * 64, "not pinned: django>=5.2"),
        ("django", "not pinned: django"),
        ("django==5.2.1", "without a hash: django==5.2.1"),
        (
            "django-fsm==3.0.0 --hash=sha256:" + "a" * 64,
            "shares its module with django-fsm-2: django-fsm==3.0.0",
        ),
        ("--index-url packages", "names an address: --index-url packages"),
        ("--find-links wheels", "names an address: --find-links wheels"),
    ],
)
def test_a_bad_lock_is_recognised(text: str, fault: str) -> None:
    assert faults(GOOD) == []
    assert faults(GOOD.replace("django==", "django-fsm-2==")) == []
    assert fault in faults(f"{GOOD}\n{text}\n")


def test_settings_of_packages_tools_name_no_index() -> None:
    named = [
        path.name
        for path in (
            ROOT / "pyproject.toml",
            ROOT / "Makefile",
            ROOT / "Dockerfile",
            ROOT / "docker-compose.yml",
        )
        if re.search(r"index-url\s*[= ]\s*\S+://|find-links\s*=|trusted-host", path.read_text())
    ]

    assert named == []


def test_the_licence_is_in_the_repository() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
