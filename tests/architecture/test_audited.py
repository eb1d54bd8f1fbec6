"""Nothing happens without a trace: every command leaves an audit record, and no write goes around it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Q

from apps.core.models import AuditRecord, RecordedModel
from apps.ledger.models import Entry
from tests.architecture.house import House

ROOT: Path = settings.BASE_DIR
LEAVES = {"audit", "audit_record", "save_as", "bulk_save_as"}

# Commands that leave no record of their own, and why that is right.
WITHOUT_RECORD: dict[str, str] = {
    "apps.clients.services.registration.email_confirmation_resend": "sends a message again; confirming is recorded",
    "apps.core.notifications.services.notification_read": "a person's own mark on a line of their own",
    "apps.core.notifications.services.notifications_read_all": "a person's own mark on lines of their own",
    "apps.core.notifications.services.preference_set": "what a person wants to be told, theirs alone",
    "apps.core.runs.row_do": "the row's own service records what it did; the run is recorded as a whole",
    "apps.core.runs.row_refuse": "nothing happened to the row; the run keeps why",
    "apps.core.runs.run_draft": "a preview that nobody has confirmed",
    "apps.ib.services.accruals.deal_accrue": "a commission line is append-only and carries its arithmetic and decision",
    "apps.ib.services.tree.click_record": "a visitor's click is its own record",
    "apps.ledger.services.holds_expire": "each entry in the books carries the actor",
    "apps.payments.services.deposits.attempt_asked": "when the provider was last asked; its answer is recorded",
    "apps.payments.services.payouts.withdrawal_asked": "when the provider was last asked; its answer is recorded",
    "apps.payments.services.receipts.receipt_close": "what became of a message is an append-only row of its own",
    "apps.payments.services.webhooks.webhook_store": "a message is kept as an append-only row of its own",
    "apps.users.signin.services.password_reset_request": "sends a message to whoever it may be; the change is recorded",
}

# Writes around `save_as` on rows that are otherwise written with it, and why nothing is lost.
AROUND: dict[str, str] = {
    "apps.core.work: WorkItem.get_or_create": "an empty row to lock; who takes it is recorded",
    "apps.payments.personal_data: PaymentInstrument.update": "forgetting is one act on record, without what it removes",
    "apps.users.services.forgetting: User.update": "forgetting is one act on record, without what it removes",
    "apps.payments.services.deposits: DepositAttempt.update": "when the provider was last asked, many times a minute",
    "apps.payments.services.payouts: Withdrawal.update": "when the provider was last asked, many times a minute",
    "apps.portal.seed.surroundings: PlatformServer.update": "the demo points its simulators at this machine",
    "apps.users.services.sessions: User.update": "a counter; that the sessions ended is recorded",
}

# Rows whose versions may lack a reason, and why.
BARE_VERSIONS = {
    "users.User": "the framework saves the time of a sign-in by itself; the sign-in is a record of its own",
}


def modules() -> Iterator[str]:
    for config in apps.get_app_configs():
        if config.name.startswith("apps."):
            for found in pkgutil.walk_packages([config.path], f"{config.name}."):
                if ".migrations" not in found.name:
                    yield found.name


def file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(file_of(module).read_text())


@cache
def names_of(module: str) -> dict[str, str]:
    """What a name of the module means: `function` → `apps.core.audit.audit`."""
    known = {}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("apps."):
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    known |= {
        n.name: f"{module}.{n.name}"
        for n in ast.walk(tree_of(module))
        if isinstance(n, ast.FunctionDef)
    }
    return known


@cache
def resolved(path: str) -> str:
    """Where a function is defined, through re-exports."""
    module, _, name = path.rpartition(".")
    try:
        there = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return path
    home = getattr(there, "__module__", None) or ""
    return f"{home}.{getattr(there, '__name__', name)}" if home.startswith("apps.") else path


@cache
def calls() -> dict[str, set[str]]:
    """Each function with everything that its body names: called here, or handed on to be called."""
    graph: dict[str, set[str]] = {}
    for module in modules():
        known = names_of(module)
        for function in ast.walk(tree_of(module)):
            if not isinstance(function, ast.FunctionDef):
                continue
            reached = graph.setdefault(f"{module}.{function.name}", set())
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and node.id in known:
                    reached.add(resolved(known[node.id]))
                elif isinstance(node, ast.Attribute):
                    owner = node.value.id if isinstance(node.value, ast.Name) else ""
                    if owner in known:
                        reached.add(resolved(f"{known[owner]}.{node.attr}"))
                    elif owner in ("self", "cls"):
                        reached.add(f"{module}.{node.attr}")
                    reached.add(f"method.{node.attr}")
    return graph


def leaves_a_record(name: str) -> bool:
    seen, waiting = set(), [name]
    while waiting:
        here = waiting.pop()
        if here.rpartition(".")[2] in LEAVES:
            return True
        if here not in seen:
            seen.add(here)
            waiting += calls().get(here, ())
    return False


def commands() -> list[str]:
    found = []
    for module in modules():
        for function in ast.walk(tree_of(module)):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(d, ast.Name) and d.id == "command" for d in function.decorator_list
            ):
                found.append(f"{module}.{function.name}")
    return found


def test_every_command_leaves_an_audit_record_or_says_why_not():
    silent = {name for name in commands() if not leaves_a_record(name)}
    assert sorted(silent - set(WITHOUT_RECORD)) == [], "neither recorded nor listed"
    assert sorted(set(WITHOUT_RECORD) - silent) == [], "listed, but recorded or gone"
    assert len(commands()) > 100


def recorded_in(module: str, name: str) -> bool:
    """Whether `name` in this module is a model that is written with `save_as`."""
    kind = getattr(importlib.import_module(module), name, None)
    kind = kind() if name == "get_user_model" and kind is not None else kind
    return isinstance(kind, type) and issubclass(kind, RecordedModel)


WRITES = {
    "update", "bulk_update", "bulk_create", "create", "get_or_create", "update_or_create", "delete",
}  # fmt: skip


def root_of(node: ast.AST) -> str:
    """`Client` of `Client.objects.filter(...).update(...)`."""
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_user_model":
            return "get_user_model"
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def test_rows_with_a_history_are_written_with_save_as_alone():
    """`.update()` and the bulk methods write neither history nor audit."""
    found: dict[str, Any] = {}
    for module in modules():
        for node in ast.walk(tree_of(module)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in WRITES
                and recorded_in(module, root_of(node.func.value))
            ):
                found[f"{module}: {root_of(node.func.value)}.{node.func.attr}"] = node.lineno
    assert sorted(set(found) - set(AROUND)) == [], "use save_as or bulk_save_as, or say why not"
    assert sorted(set(AROUND) - set(found)) == [], "listed, but gone"


def test_every_version_of_every_row_has_its_reason_and_its_record(house: House) -> None:
    """What people, reactions and tasks wrote in a whole house: no version without why, none without who."""
    bare = []
    for model in apps.get_models():
        history = getattr(model, "history", None)
        if (
            not model.__module__.startswith("apps.")
            or history is None
            or not hasattr(history, "filter")
        ):
            continue
        versions = history.all()
        without = versions.filter(
            Q(history_change_reason=None) | Q(history_change_reason="")
        ).count()
        acts = AuditRecord.objects.filter(subject_type=model._meta.label)
        told = dict(
            acts.values("subject_id").annotate(n=Count("id")).values_list("subject_id", "n")
        )
        kept = (
            versions.order_by().values("id").annotate(n=Count("history_id")).values_list("id", "n")
        )
        unrecorded = [key for key, n in kept if told.get(str(key), 0) < n]
        if (without or unrecorded) and model._meta.label not in BARE_VERSIONS:
            bare.append(
                f"{model._meta.label}: {without} without reason, {len(unrecorded)} unrecorded"
            )
    assert bare == []
    assert not AuditRecord.objects.filter(
        Q(actor_id="") | Q(actor_label="") | Q(action="")
    ).exists()
    assert not Entry.objects.filter(actor="").exists()
