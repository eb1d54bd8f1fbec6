"""Configuration as data: one signed file that says how a house is set up, planned and applied in another one.

Things are named by natural keys alone, because ids differ between installations. A bundle is canonical JSON
with a digest and a signature; the same state gives the same bytes. A plan says in words what would change and
which state it was made against; it is applied after another person agreed, whole or not at all, and refused
when the state has moved on. Nothing is deleted: what a bundle does not name is retired where its kind can be,
and otherwise stays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from apps.core.actor import Actor
from apps.core.approvals import approval_request, approves
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.errors import DomainError, StaleBase
from apps.core.models import Approval
from apps.core.permissions import APPLY_CONFIG, APPROVE_CONFIG, EXPORT_CONFIG, Permission
from apps.core.signing import Signature, canonical, sign, verify

FORMAT = "brokeros-config"
VERSION = 1
PURPOSE = "config"
ACTION = "config.apply"
MOST_BYTES = 4_000_000
LONGEST_TEXT = 20_000
DEEPEST = 12
KEY = re.compile(r"^(?!.*\.\.)[\w*][\w.@:+*/ -]{0,119}\Z")

Items = dict[str, dict[str, Any]]


class ConfigRefused(DomainError):
    """The bundle cannot be used here, and why. Nothing was changed."""

    code = "CONFIG_REFUSED"
    message = "This bundle is refused: {problem}."


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: `before` is None for a new one, `after` for one that is retired."""

    kind: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def act(self) -> str:
        if self.before is None:
            return "create"
        return "retire" if self.after is None else "change"

    def lines(self) -> list[str]:
        """The difference, field by field, as people read it."""
        before, after = self.before or {}, self.after or {}
        names = [n for n in sorted(set(before) | set(after)) if before.get(n) != after.get(n)]
        if self.act == "retire":
            return []
        return [f"{name}: {_short(before.get(name))} → {_short(after.get(name))}" for name in names]


@dataclass(frozen=True, slots=True)
class ConfigKind:
    """A kind of thing that can be carried over.

    `export` answers key → values in force; `schema` is what values may be; `apply` makes one change inside a
    transaction that somebody else owns; `check` answers what is wrong with values. A kind with `retires`
    is asked by `held` why a key cannot be retired yet. Changes are made in the order of `sort`.

    A kind that grants power `needs` the same permission as its own page, of the maker and of whoever agrees last;
    `favours` names the logins that gain by a change and so decide on none, `refuses` why a change is never made.
    """

    code: str
    label: Any
    schema: type[msgspec.Struct]
    export: Callable[[], Items]
    apply: Callable[[Change, Actor, str], None]
    check: Callable[[str, dict[str, Any]], Iterable[str]] = lambda key, values: ()
    retires: bool = False
    held: Callable[[str], str] = lambda key: ""
    version: int = 1
    order: int = 50
    sort: Callable[[str], Any] = str
    needs: Permission | None = None
    favours: Callable[[Change], Iterable[Any]] = lambda change: ()
    refuses: Callable[[Change], str] = lambda change: ""


CONFIG_KINDS: dict[str, ConfigKind] = {}


def register_config(kind: ConfigKind) -> None:
    """Let a kind of thing be exported and applied. Lower `order` is applied first."""
    CONFIG_KINDS[kind.code] = kind


def kinds_in_order(codes: Iterable[str] = ()) -> list[ConfigKind]:
    wanted = set(codes) or set(CONFIG_KINDS)
    found = [kind for kind in CONFIG_KINDS.values() if kind.code in wanted]
    return sorted(found, key=lambda kind: (kind.order, kind.code))


def state_of(codes: Iterable[str]) -> dict[str, Any]:
    """What is in force here, for these kinds, as a bundle writes it down."""
    return {
        kind.code: {"version": kind.version, "items": _typed(kind, kind.export())}
        for kind in kinds_in_order(codes)
    }


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def config_export(*, actor: Actor, kinds: Iterable[str] = ()) -> bytes:
    """The bundle of this installation. The same state gives the same bytes. Raises `NotAllowed`, `ConfigRefused`."""
    actor.require(EXPORT_CONFIG)
    codes = list(kinds)
    unknown = sorted(set(codes) - set(CONFIG_KINDS))
    if unknown:
        raise ConfigRefused(problem=f"there is no kind {', '.join(unknown)}")
    state = state_of(codes or CONFIG_KINDS)
    signature = sign(canonical(state), purpose=PURPOSE)
    return canonical(
        {
            "format": FORMAT,
            "version": VERSION,
            "checksum": digest(state),
            "signature": {"key": signature.key_id, "value": signature.value},
            "kinds": state,
        }
    )


class _KindPart(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    items: dict[str, dict[str, Any]]


class _SignaturePart(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    value: str


class _Bundle(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    checksum: str
    signature: _SignaturePart
    kinds: dict[str, _KindPart]


def read_bundle(raw: bytes) -> dict[str, Any]:
    """What a bundle says, when it may be believed: size, form, digest, signature, kinds, versions, values.

    Raises `ConfigRefused` with the first thing that is wrong.
    """
    if len(raw) > MOST_BYTES:
        raise ConfigRefused(problem=f"it is larger than {MOST_BYTES} bytes")
    try:
        bundle = msgspec.json.decode(raw, type=_Bundle)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ConfigRefused(problem=f"it is not a bundle ({error})") from None
    if bundle.format != FORMAT:
        raise ConfigRefused(problem="it is not a bundle of this product")
    if bundle.version > VERSION:
        raise ConfigRefused(
            problem=f"its format is version {bundle.version}, this release reads up to {VERSION}"
        )
    state: dict[str, Any] = msgspec.to_builtins(bundle.kinds)
    try:
        content = canonical(state)
    except TypeError as error:
        raise ConfigRefused(problem=str(error)) from None
    if hashlib.sha256(content).hexdigest() != bundle.checksum:
        raise ConfigRefused(problem="its content is not what its checksum says")
    if not verify(
        content, Signature(bundle.signature.key, bundle.signature.value), purpose=PURPOSE
    ):
        raise ConfigRefused(problem="no key that this installation trusts has signed it")
    _require_known(state)
    return state


def _require_known(state: dict[str, Any]) -> None:
    for code, part in state.items():
        kind = CONFIG_KINDS.get(code)
        if kind is None:
            raise ConfigRefused(problem=f"this release knows no {code}")
        if part["version"] != kind.version:
            raise ConfigRefused(
                problem=f"{code} is version {part['version']}, this release reads {kind.version}"
            )
        _typed(kind, part["items"])


def _typed(kind: ConfigKind, items: Items) -> Items:
    """The items in the kind's own form. Raises `ConfigRefused` for a key or a value that it cannot have."""
    typed: Items = {}
    for key, values in items.items():
        where = f"{kind.code} {key[:60]!r}"
        if not KEY.match(key):
            raise ConfigRefused(problem=f"{where} is no key")
        _require_modest(values, where, 0)
        try:
            typed[key] = msgspec.to_builtins(msgspec.convert(values, kind.schema))
        except msgspec.ValidationError as error:
            raise ConfigRefused(problem=f"{where}: {error}") from None
        found = list(kind.check(key, typed[key]))
        if found:
            raise ConfigRefused(problem=f"{where}: {'; '.join(found)}")
    return dict(sorted(typed.items()))


def _require_modest(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise ConfigRefused(problem=f"{where} is nested too deeply")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ConfigRefused(problem=f"{where} holds a text that is too long")
    parts: Iterable[Any] = ()
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list):
        parts = value
    for part in parts:
        _require_modest(part, where, depth + 1)


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """What applying a bundle here would do. `base` is the digest of the state that it was made against."""

    changes: list[Change]
    kept: list[tuple[str, str]]
    base: str
    checksum: str
    codes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For a terminal: one block for each change, then what stays although the bundle does not name it."""
        lines: list[str] = []
        for change in self.changes:
            lines.append(f"{change.act:7} {change.kind} {change.key}")
            lines += [f"        {line}" for line in change.lines()]
        lines += [f"keep    {kind} {key} (not in the bundle)" for kind, key in self.kept]
        counts = ", ".join(f"{self.count(act)} {act}" for act in ("create", "change", "retire"))
        return "\n".join([*lines, f"{counts}.", f"base {self.base}"])

    def count(self, act: str) -> int:
        return sum(change.act == act for change in self.changes)


def config_plan(state: dict[str, Any], *, actor: Actor) -> ConfigPlan:
    """The difference between a bundle's content and what is in force here.

    Raises `NotAllowed`, and `ConfigRefused` where something would be retired that is still in use.
    """
    actor.require(APPLY_CONFIG)
    here = state_of(state)
    changes: list[Change] = []
    kept: list[tuple[str, str]] = []
    for kind in kinds_in_order(state):
        old: Items = here[kind.code]["items"]
        new = _typed(kind, state[kind.code]["items"])
        for key in sorted(set(old) | set(new), key=kind.sort):
            before, after = old.get(key), new.get(key)
            if before == after:
                continue
            if after is None and not kind.retires:
                kept.append((kind.code, key))
                continue
            if after is None and (why := kind.held(key)):
                raise ConfigRefused(problem=f"{kind.code} {key} cannot be retired: {why}")
            change = Change(kind.code, key, before, after)
            if why := kind.refuses(change):
                raise ConfigRefused(problem=f"{kind.code} {key} cannot be changed: {why}")
            changes.append(change)
    return ConfigPlan(changes, kept, digest(here), digest(state), sorted(state))


@command
def config_request(*, raw: bytes, base: str, actor: Actor, reason: str) -> Approval:
    """Ask for a bundle to be applied as it was planned against `base`. Somebody else agrees; then it happens.

    Raises `NotAllowed`, `ConfigRefused` for a bad bundle or one that changes nothing, `StaleBase`.
    """
    actor.require(APPLY_CONFIG)
    state = read_bundle(raw)
    plan = config_plan(state, actor=actor)
    if plan.base != base:
        raise StaleBase
    if not plan.changes:
        raise ConfigRefused(problem="everything is already as it says")
    _require_powers(plan, actor)
    counts = ", ".join(f"{plan.count(act)} {act}" for act in ("create", "change", "retire"))
    return approval_request(
        action=ACTION,
        title=f"Configuration {plan.checksum[:12]}: {counts}",
        payload={"kinds": state, "checksum": plan.checksum},
        permission=APPROVE_CONFIG,
        actor=actor,
        reason=reason,
        base={"state": plan.base},
        diff=[line for change in plan.changes for line in told(change)],
        beneficiary_ids=[
            who for change in plan.changes for who in CONFIG_KINDS[change.kind].favours(change)
        ],
    )


def _require_powers(plan: ConfigPlan, actor: Actor) -> None:
    for code in dict.fromkeys(change.kind for change in plan.changes):
        if (needed := CONFIG_KINDS[code].needs) is not None:
            actor.require(needed)


def told(change: Change) -> list[tuple[str, str, Any, Any]]:
    """What whoever agrees reads of a change: each field before and after, unabridged; of lists what goes and comes."""
    before, after = change.before or {}, change.after or {}
    where = f"{CONFIG_KINDS[change.kind].label} {change.key}"
    if change.after is None:
        return [(f"{change.kind} {change.key}", where, _words(before), "retired")]
    return [
        (f"{change.kind} {change.key} {name}", f"{where}: {name}", *_parted(old, new))
        for name in sorted(set(before) | set(after))
        if (old := before.get(name)) != (new := after.get(name))
    ]


def _parted(old: Any, new: Any) -> tuple[Any, Any]:
    both = [*(old or []), *(new or [])] if isinstance(new, list) else []
    if both and isinstance(old, list) and all(isinstance(item, str) for item in both):
        gone = [item for item in old if item not in new]
        return ", ".join(gone) or None, ", ".join(i for i in new if i not in old) or None
    return _words(old), _words(new)


def _words(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else canonical(value).decode()


def _base_of(approval: Approval) -> dict[str, Any]:
    return {"state": digest(state_of(approval.payload["kinds"]))}


@approves(ACTION, base=_base_of, two_in_emergency=True, rebases=False)
def _agreed(approval: Approval, *, actor: Actor) -> None:
    """All of it in the approval's own transaction; then it is read back, and must be what was agreed to."""
    state = approval.payload["kinds"]
    plan = config_plan(state, actor=Actor.system("config"))
    if approval.base is not None and plan.base != approval.base["state"]:
        raise StaleBase
    _require_powers(plan, actor)
    for change in plan.changes:
        CONFIG_KINDS[change.kind].apply(change, actor, approval.reason)
    here = state_of(state)
    for change in plan.changes:
        if here[change.kind]["items"].get(change.key) != change.after:
            raise ConfigRefused(problem=f"{change.kind} {change.key} did not come out as planned")
    audit(
        actor=actor,
        action="config.apply",
        subject=approval,
        after={"checksum": plan.checksum, "base": plan.base, "changes": len(plan.changes)},
        reason=approval.reason,
        approval_id=approval.pk,
    )


def _short(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= 70 else f"{text[:67]}…"
