"""What happens to commission when something happens elsewhere."""

from __future__ import annotations

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.clients.events import ClientRegistered
from apps.clients.messages import mail_client, notify_client, page
from apps.core import clock
from apps.core.actor import Actor
from apps.core.events import WhenDead, reacts_to
from apps.core.money import Money
from apps.ib.events import PartnerActivated, PayoutPaid
from apps.ib.messages import COMMISSION_PAID, PARTNER_ACTIVATED, PAYOUT_PAID
from apps.ib.models import Payout
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


@reacts_to(PartnerActivated, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_partner_activated(event: PartnerActivated) -> None:
    link = page("partner:dashboard")
    mail_client(PARTNER_ACTIVATED, client_id=event.client_id, values={"link": link})


def _amount(payout: Payout) -> Money:
    return Money.from_minor(int(payout.amount_minor), payout.currency)


@reacts_to(PayoutPaid, atomic=False, when_dead=WhenDead.LET_PASS)
def mail_payout_paid(event: PayoutPaid) -> None:
    payout = Payout.objects.select_related("partner").get(pk=event.payout_id)
    values = {
        "number": payout.number,
        "amount": _amount(payout),
        "link": page("partner:payouts"),
    }
    mail_client(PAYOUT_PAID, client_id=payout.partner.client_id, values=values)


@reacts_to(PayoutPaid)
def notify_payout_paid(event: PayoutPaid) -> None:
    payout = Payout.objects.select_related("partner").get(pk=event.payout_id)
    notify_client(
        payout.partner.client_id,
        kind=COMMISSION_PAID,
        title=format_lazy(_("Your commission of {amount} is paid"), amount=str(_amount(payout))),
        url=reverse("partner:payouts"),
        actor=SYSTEM,
        key=str(payout.pk),
    )
