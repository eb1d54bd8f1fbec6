"""The end of a login: everything it could do ends in the same transaction, its open lines a moment after."""

from __future__ import annotations

from functools import partial

from allauth.usersessions.models import UserSession
from django.db import transaction

from apps.core import clock
from apps.core.actor import Actor
from apps.core.approvals import approval_cancel, approvals_end_of, delegations_end_of
from apps.core.audit import audit
from apps.core.commands import command
from apps.core.events import emit
from apps.core.locks import lock_row, lock_rows
from apps.core.models import Approval
from apps.users.errors import OwnAccess
from apps.users.events import UserCutOff
from apps.users.leaving import ENDINGS, close_lines
from apps.users.locks import staff_locked
from apps.users.models import ADMIN, RoleGrant, User
from apps.users.permissions import CUT_OFF
from apps.users.services.access import ACCESS, grant_end, require_admin_beside
from apps.users.services.doors import looks_end_of
from apps.users.services.sessions import sessions_forget


@command
def user_cut_off(*, user_id: int, actor: Actor, reason: str) -> User:
    """End a login at once: sign-in refused, sessions void, tokens and delegations ended, roles revoked, lines closed.

    A second call finds it done and changes nothing. A request that is being answered at this moment is
    finished; the next one is a stranger's. Raises `NotVisible`, `NotAllowed`, `OwnAccess`, `LastAdmin`.
    """
    user = lock_row(User.objects.all(), user_id, visible_to=actor)
    if user.is_staff:
        user = staff_locked(user_id, actor)
    actor.require(CUT_OFF, user)
    if user.pk == actor.user_id:
        raise OwnAccess
    if user.left_at is None:
        cut_off(user, actor=actor, reason=reason)
    return user


def cut_off(user: User, *, actor: Actor, reason: str) -> None:
    """The end itself, for a locked login, as part of another command. Raises `LastAdmin`."""
    grants = lock_rows(RoleGrant.objects.filter(user=user).not_over())
    if any(grant.role.name == ADMIN for grant in grants):
        require_admin_beside(user.pk)
    user.is_active = False
    user.left_at = clock.now()
    user.session_epoch += 1
    user.set_unusable_password()
    user.save_as(actor, reason, action="user.cut_off")
    ended = {"grants": sum(grant_end(grant, actor=actor, reason=reason) for grant in grants)}
    ended["requests"] = _withdraw_requests(user, actor, reason)
    if user.is_staff:
        ended["asked"] = approvals_end_of(maker_id=f"user:{user.pk}", actor=actor, reason=reason)
    ended["sessions"] = sessions_forget(UserSession.objects.filter(user=user))
    ended["delegations"] = delegations_end_of(
        actor_id=f"user:{user.pk}", actor=actor, reason=reason
    )
    ended["looks"] = looks_end_of(user, actor, reason)
    for code, end in ENDINGS.items():
        ended[code] = end(user, actor, reason)
    audit(actor=actor, action="user.ended", subject=user, after=ended, reason=reason)
    emit(UserCutOff(user_id=user.pk))
    transaction.on_commit(partial(close_lines, user.pk))


def _withdraw_requests(user: User, actor: Actor, reason: str) -> int:
    waiting = Approval.objects.open().filter(
        action=ACCESS,
        subject_type=User._meta.label,
        subject_id=str(user.pk),
    )
    found = lock_rows(waiting)
    for approval in found:
        approval_cancel(approval=approval, actor=actor, reason=reason)
    return len(found)
