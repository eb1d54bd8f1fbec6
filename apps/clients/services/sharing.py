"""Dated exceptions: opening one client to one colleague, and taking that back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Permission as PermissionRow
from django.utils.translation import gettext as _

from apps.clients.errors import AlreadyShared
from apps.clients.events import ClientShared, ClientShareEnded
from apps.clients.locks import client_locked, share_locked
from apps.clients.models import Client, ClientShare
from apps.clients.permissions import SHARE_CLIENT, VIEW_CLIENTS
from apps.core import clock
from apps.core.actor import Actor
from apps.core.commands import command
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import emit
from apps.users.models import User
from apps.users.scopes import LONGEST_GRANT


@command
def client_share(
    *, client_id: UUID, user_id: int, until: datetime, actor: Actor, reason: str
) -> ClientShare:
    """Let a colleague see this client until an instant, at most 90 days from now.

    Only somebody who sees the client by their own scope may share it: what was shared with you is not
    yours to pass on. Raises `NotVisible`, `NotAllowed`, `InvalidInput`, `AlreadyShared`.
    """
    client = client_locked(client_id, visible_to=_by_own_scope(actor))
    actor.require(SHARE_CLIENT, client)
    if actor.user_id is None:
        raise NotAllowed(permission=SHARE_CLIENT.label)
    colleague = _colleague(user_id, actor)
    now = clock.now()
    if not now < until <= now + LONGEST_GRANT:
        raise InvalidInput(field="until", problem=_("a time within the next 90 days"))
    held = ClientShare.objects.in_force().filter(content_object=client, user=colleague).first()
    if held is not None:
        raise AlreadyShared(
            colleague=str(colleague), until=f"{held.valid_until:%Y-%m-%d %H:%M} UTC"
        )
    share = ClientShare(
        content_object=client,
        user=colleague,
        permission=_view_permission(),
        reason=reason,
        valid_from=now,
        valid_until=until,
        granted_by_id=actor.user_id,
    )
    share.save_as(actor, reason, action="client.share")
    emit(ClientShared(client_id=client.id, share_id=share.id, user_id=colleague.pk, until=until))
    return share


@command
def client_share_revoke(*, share_id: UUID, actor: Actor, reason: str) -> ClientShare:
    """End a share before its date. Raises `NotVisible`, `NotAllowed`, `WrongState` when it is over already."""
    share = share_locked(share_id, visible_to=_by_own_scope(actor))
    actor.require(SHARE_CLIENT, share)
    if share.revoked_at is not None or share.valid_until <= clock.now():
        raise WrongState(state=_("over"), command=_("taking it back"))
    share.take_back(by=actor, reason=reason)
    share.save_as(actor, reason, action="client.share_revoke")
    emit(
        ClientShareEnded(
            client_id=share.content_object_id, share_id=share.id, user_id=share.user_id
        )
    )
    return share


def _by_own_scope(actor: Actor) -> Actor:
    return replace(actor, scope=replace(actor.scope, shared={}))


def _colleague(user_id: int, actor: Actor) -> User:
    if user_id == actor.user_id:
        raise InvalidInput(field="colleague", problem=_("somebody else than yourself"))
    found = User.objects.filter(pk=user_id, is_staff=True, is_active=True).first()
    if found is None:
        raise InvalidInput(field="colleague", problem=_("nobody of the staff"))
    return found


def _view_permission() -> PermissionRow:
    app, _dot, name = VIEW_CLIENTS.code.partition(".")
    return PermissionRow.objects.get(
        content_type__app_label=app, content_type__model=Client._meta.model_name, codename=name
    )
