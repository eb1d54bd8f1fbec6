"""Writes of risk: stopping, and opening again by two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AccountGroup, TradingAccount
from apps.clients.models import Client, LegalEntity
from apps.core.actor import Actor, ScopeLevel
from apps.core.approvals import approval_request, approves
from apps.core.commands import command, joined
from apps.core.errors import WrongState
from apps.core.events import emit
from apps.core.locks import lock_row
from apps.core.models import Approval
from apps.market.models import Instrument
from apps.orders.enums import Book, KillSwitchMode
from apps.orders.permissions import SET_KILL_SWITCH
from apps.orders.services import kill_switch_set
from apps.risk.enums import HOUSE_WIDE, SwitchLevel, SwitchState
from apps.risk.errors import BeyondOwnScope, SwitchAlreadyTripped, SwitchTargetUnknown
from apps.risk.events import KillSwitchRearmed, KillSwitchTripped
from apps.risk.models import KillSwitch

REARM = "risk.rearm_kill_switch"


@command
def kill_switch_trip(*, level: str, target: str = "", actor: Actor, reason: str) -> KillSwitch:
    """Stop everything but reductions and cancels for a scope, at once and by one person.

    Raises `NotAllowed`, `BeyondOwnScope`, `SwitchTargetUnknown`, `SwitchAlreadyTripped`.
    """
    actor.require(SET_KILL_SWITCH)
    _require_reach(SwitchLevel(level), actor)
    switch = KillSwitch(
        level=SwitchLevel(level),
        target=canonical_target(SwitchLevel(level), target, actor=actor),
        tripped_by=actor.id,
        trip_reason=reason,
    )
    if KillSwitch.objects.in_force().filter(level=switch.level, target=switch.target).exists():
        raise SwitchAlreadyTripped(scope=switch.scope)
    switch.save_as(actor, reason, action="kill_switch.trip")
    _tell_engine(switch, KillSwitchMode.REJECT_NEW, actor, reason)
    emit(KillSwitchTripped(kill_switch_id=switch.id, scope=switch.scope))
    return switch


@command
def kill_switch_rearm_request(*, kill_switch_id: UUID, actor: Actor, reason: str) -> KillSwitch:
    """Ask a second person to let trading go on. Nothing changes until they agree.

    Stopping is never slowed down; letting go on asks for a fresh sign-in. Raises `NotVisible`, `NotAllowed`,
    `StepUpRequired`, `BeyondOwnScope`, `WrongState`.
    """
    actor.require(SET_KILL_SWITCH)
    actor.require_fresh(SET_KILL_SWITCH.label)
    switch: KillSwitch = lock_row(KillSwitch.objects.all(), kill_switch_id, visible_to=actor)
    _require_reach(SwitchLevel(switch.level), actor)
    if switch.state != SwitchState.TRIPPED:
        raise WrongState(state=switch.get_state_display(), command=_("asking to re-arm"))
    switch.ask_to_rearm(by=actor, reason=reason)
    approval = approval_request(
        action=REARM,
        title=f"Re-arm trading: {switch.scope}",
        subject=switch,
        payload={"kill_switch_id": str(switch.id), "scope": switch.scope},
        permission=SET_KILL_SWITCH,
        required=1,
        actor=actor,
        reason=reason,
    )
    switch.approval_id = approval.id
    switch.save_as(actor, reason, action="kill_switch.ask_to_rearm")
    return switch


def _stays_tripped(approval: Approval, *, actor: Actor) -> None:
    switch = _switch_of(approval)
    switch.stay_tripped(by=actor, reason="not agreed")
    switch.save_as(actor, "not agreed", action="kill_switch.stay_tripped")


@approves(REARM, on_reject=_stays_tripped)
def _rearm(approval: Approval, *, actor: Actor) -> None:
    """Runs in the transaction of the second person's vote."""
    switch = _switch_of(approval)
    switch.rearm(by=actor, reason=approval.reason)
    switch.save_as(actor, approval.reason, action="kill_switch.rearm")
    _tell_engine(switch, KillSwitchMode.OFF, actor, approval.reason)
    emit(KillSwitchRearmed(kill_switch_id=switch.id, scope=switch.scope))


def _require_reach(level: SwitchLevel, actor: Actor) -> None:
    """The firm, a book, an instrument and a group cut through every company: they take the scope of the whole house."""
    if level in HOUSE_WIDE and actor.scope.level is not ScopeLevel.ALL:
        raise BeyondOwnScope(level=level.label)


def canonical_target(level: SwitchLevel, target: str, *, actor: Actor) -> str:
    """The target as the engine names it, among those that the actor sees. Raises `SwitchTargetUnknown`."""
    if level is SwitchLevel.FIRM:
        if target:
            raise SwitchTargetUnknown(level=level.label, target=target)
        return ""
    found = TARGETS[level](target.strip(), actor)
    if found is None:
        raise SwitchTargetUnknown(level=level.label, target=target)
    return found


def _entity(target: str, actor: Actor) -> str | None:
    return _first(LegalEntity.objects.visible_to(actor).filter(code=target), "code")


def _group(target: str, actor: Actor) -> str | None:
    return _first(AccountGroup.objects.filter(code=target), "code")


def _symbol(target: str, actor: Actor) -> str | None:
    return _first(Instrument.objects.filter(symbol=target.upper()), "symbol")


def _book(target: str, actor: Actor) -> str | None:
    return target.upper() if target.upper() in Book.values else None


def _client(target: str, actor: Actor) -> str | None:
    return _by_id(Client.objects.visible_to(actor), target)


def _account(target: str, actor: Actor) -> str | None:
    """By id, or by the login on the platform when only one account has it."""
    visible = TradingAccount.objects.visible_to(actor)
    found = _by_id(visible, target)
    if found is None and target:
        same_login = TradingAccount.objects.filter(login=OuterRef("login")).exclude(
            pk=OuterRef("pk")
        )
        rows = visible.filter(login=target).exclude(Exists(same_login))
        found = _first(rows, "pk")
    return found


TARGETS: dict[SwitchLevel, Callable[[str, Actor], str | None]] = {
    SwitchLevel.ENTITY: _entity,
    SwitchLevel.GROUP: _group,
    SwitchLevel.CLIENT: _client,
    SwitchLevel.ACCOUNT: _account,
    SwitchLevel.SYMBOL: _symbol,
    SwitchLevel.BOOK: _book,
}


def _by_id(rows: Any, target: str) -> str | None:
    try:
        return _first(rows.filter(pk=UUID(target)), "pk")
    except ValueError:
        return None


def _first(rows: Any, field: str) -> str | None:
    value = rows.values_list(field, flat=True).first()
    return None if value is None else str(value)


def _switch_of(approval: Approval) -> KillSwitch:
    switch: KillSwitch = lock_row(KillSwitch.objects.all(), approval.payload["kill_switch_id"])
    return switch


def _tell_engine(switch: KillSwitch, mode: KillSwitchMode, actor: Actor, reason: str) -> None:
    with joined():
        kill_switch_set(scope=switch.scope, mode=mode, actor=actor, reason=reason)
