"""What happens to accounts when something happens elsewhere, and how requests reach the platforms."""

from __future__ import annotations

from apps.accounts.events import PlatformOperationRequested
from apps.accounts.rights import PASSED_ON
from apps.accounts.services import client_rights_sync, operation_deliver
from apps.clients.events import RestrictionAdded, RestrictionLifted
from apps.core.actor import Actor
from apps.core.events import reacts_to

SYSTEM = Actor.system("restrictions")


@reacts_to(PlatformOperationRequested, atomic=False)
def deliver_to_platform(event: PlatformOperationRequested) -> None:
    """Raises while the platform has not answered, so that it is repeated with a longer and longer wait."""
    operation_deliver(operation_id=event.operation_id)


@reacts_to(RestrictionAdded)
def pass_restriction_on(event: RestrictionAdded) -> None:
    _sync(event, "a restriction binds the client")


@reacts_to(RestrictionLifted)
def take_restriction_back(event: RestrictionLifted) -> None:
    _sync(event, "a restriction of the client ended")


def _sync(event: RestrictionAdded | RestrictionLifted, reason: str) -> None:
    if event.kind in PASSED_ON:
        client_rights_sync(client_id=event.client_id, actor=SYSTEM, reason=reason)
