"""The house keeps its shape: imports, foreign keys and pure cores point the right way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = settings.BASE_DIR
STACK = [
    {"core"},
    {"users"},
    {"rules", "market", "ledger"},
    {"clients"},
    {"kyc"},
    {"accounts"},
    {"orders"},
    {"risk"},
    {"payments"},
    {"ib"},
    {"portal"},
]
HEIGHT = {app: height for height, group in enumerate(STACK) for app in group}
OUR_APPS = [config for config in apps.get_app_configs() if config.name.startswith("apps.")]

PURE = [
    "apps/orders/engine",
    "apps/rules/engine",
    "apps/ib/calculations.py",
    "apps/risk/calculations.py",
]
IMPURE_MODULES = {
    "django", "rest_framework", "celery", "channels", "redis", "psycopg", "socket", "time", "random",
    "secrets", "httpx", "requests", "asyncio", "threading", "os", "pathlib",
}  # fmt: skip


def imported(tree: ast.AST) -> set[str]:
    """What a module imports, but for the stopwatch: how long a rule took is shown and decides nothing."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and [a.name for a in node.names] == ["perf_counter_ns"]:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


def python_files(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def test_every_app_has_its_place():
    assert {config.label for config in OUR_APPS} == set(HEIGHT)


def test_imports_point_down():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("config", OUR_APPS, ids=lambda config: config.label)
def test_foreign_keys_point_down(config):
    """Only the swappable user model may be named from below; Django itself does so."""
    upward = [
        f"{model.__name__}.{field.name} → {field.related_model._meta.label}"
        for model in config.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if getattr(field, "concrete", False)
        and field.is_relation
        and field.related_model is not None
        and field.related_model._meta.app_label in HEIGHT
        and field.related_model._meta.label != settings.AUTH_USER_MODEL
        and field.related_model._meta.app_label != config.label
        and HEIGHT[field.related_model._meta.app_label] >= HEIGHT[config.label]
    ]
    assert upward == []


@pytest.mark.parametrize("path", [p for place in PURE for p in python_files(place)], ids=str)
def test_a_pure_core_knows_nothing_of_the_outside(path):
    tree = ast.parse(path.read_text())
    names = imported(tree)
    impure = {name for name in names if name.partition(".")[0] in IMPURE_MODULES}
    own_package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:3])
    foreign = {n for n in names if n.startswith("apps.") and not n.startswith(own_package)}
    assert impure == set()
    assert foreign <= {"apps.core.money", "apps.core.errors", "apps.core.permissions"}


def test_states_are_never_set_behind_the_machine():
    """`.update(state=…)` skips guards, history and audit; only the outbox, which has no machine, may."""
    offenders = []
    for path in sorted((ROOT / "apps").rglob("*.py")):
        if "migrations" in path.parts or path.name == "outbox.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "update"
                and any(keyword.arg == "state" for keyword in node.keywords)
            ):
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert offenders == []


def test_no_file_is_two_rooms():
    long = {
        str(path.relative_to(ROOT)): count
        for place in ("apps", "brokeros", "tests")
        for path in (ROOT / place).rglob("*.py")
        if "migrations" not in path.parts and (count := len(path.read_text().splitlines())) > 500
    }
    assert long == {}


def test_every_app_says_what_it_is():
    missing = [c.label for c in OUR_APPS if not (ROOT / "apps" / c.label / "README.md").exists()]
    assert missing == []


def test_nothing_has_a_name_that_says_nothing():
    banned = {"utils", "helpers", "common", "manager", "misc"}
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "apps").rglob("*")
        if path.stem in banned and (path.is_dir() or path.suffix == ".py")
    ]
    assert offenders == []
