"""What happens to commission when something happens elsewhere."""

from __future__ import annotations

from apps.clients.events import ClientRegistered
from apps.core import clock
from apps.core.actor import Actor
from apps.core.events import reacts_to
from apps.ib.services import Deal, attribution_lock, client_attribute, deal_accrue
from apps.orders.events import DealExecuted
from apps.payments.events import DepositCredited

SYSTEM = Actor.system("commission")


@reacts_to(ClientRegistered)
def attribute_client(event: ClientRegistered) -> None:
    """The code that came with the registration decides whose client this is."""
    if event.partner_code:
        client_attribute(client_id=event.client_id, partner_code=event.partner_code, actor=SYSTEM)


@reacts_to(DealExecuted)
def accrue_commission(event: DealExecuted) -> None:
    """Each deal pays the partners of its own moment, once, however often it is told."""
    deal_accrue(
        deal=Deal(
            deal_id=str(event.deal_id),
            account_id=event.account_id,
            client_id=event.client_id,
            symbol=event.symbol,
            lots=event.quantity_lots,
            spread_cost=max(event.spread_cost, type(event.spread_cost)(0)),
            commission=abs(event.commission),
            currency=event.currency,
            executed_at=event.executed_at,
        ),
        actor=SYSTEM,
    )


@reacts_to(DepositCredited)
def lock_attribution(event: DepositCredited) -> None:
    """From the first deposit on, giving the client to another partner needs a second person."""
    attribution_lock(client_id=event.client_id, at=clock.now(), actor=SYSTEM)
