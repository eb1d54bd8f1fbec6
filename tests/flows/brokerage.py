"""The people of a story and what they do, in the field's words; each act goes through its screen's service."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from PIL import Image, ImageDraw

from apps.accounts.models import TradingAccount
from apps.accounts.services import account_open
from apps.clients.models import Client, EmailConfirmation
from apps.clients.selectors import agreements_missing
from apps.clients.services import (
    client_register,
    email_confirm,
    onboarding_step_save,
    onboarding_submit,
)
from apps.clients.tokens import confirmation_token
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.money import Money
from apps.core.outbox import deliver_all
from apps.ib.services import partner_apply, partner_approve
from apps.kyc.models import Document, KycCase
from apps.kyc.services import (
    case_approve,
    case_claim,
    case_submit,
    document_accept,
    document_upload,
)
from apps.ledger.enums import AccountKind
from apps.ledger.selectors import account_for, balance_of
from apps.market.feeding import QuotePublisher, Tick
from apps.market.quotes import to_us
from apps.market.selectors import instrument_get
from apps.orders.services import OrderReply, order_submit
from apps.payments.models import Deposit, DepositAttempt, PaymentInstrument, Transfer, Withdrawal
from apps.payments.services.deposits import deposit_create, deposit_start
from apps.payments.services.transfers import transfer_request
from apps.payments.services.withdrawals import withdrawal_approve, withdrawal_request
from apps.portal.seed.office import hire_staff, publish_plans
from apps.portal.seed.surroundings import Outside
from apps.users.models import Role
from apps.users.selectors import actor_for

VISITOR = Actor(ActorKind.CLIENT, "anonymous", "anonymous")
PASSWORD = "correct-Horse-battery-9"
CARD = "4000 0566 5566 5556"
_numbers = count(1)


class Brokerage:
    """The house with its staff. `self.staff["finance"]` and the like are actors."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.staff = hire_staff(clock.now() - timedelta(days=90))
        publish_plans(self.staff, clock.now() - timedelta(days=60))
        deliver_all()
        for symbol, bid, ask in (
            ("EURUSD", "1.10000", "1.10010"),
            ("GBPUSD", "1.25000", "1.25020"),
            ("EURGBP", "0.88000", "0.88020"),
        ):
            self.price(symbol, bid, ask)

    def deliver(self) -> None:
        """Let everything that was caused happen, and the provider do its part."""
        deliver_all()
        self.outside.provider.work()
        deliver_all()

    def price(self, symbol: str, bid: str, ask: str) -> None:
        digits = instrument_get(symbol).digits
        points = [int(Decimal(text).scaleb(digits)) for text in (bid, ask)]
        self.tick(symbol, *points)

    def tick(self, symbol: str, bid: int, ask: int) -> None:
        digits = instrument_get(symbol).digits
        tick = Tick(symbol, bid, ask, to_us(clock.now()))
        QuotePublisher("TEST", {symbol: digits}).publish([tick])

    def partner(self, code: str, plan: str, *, under: str = "", country: str = "AE") -> Any:
        """A verified client who became a partner."""
        story = self.client(partner=under, country=country)
        story.user.groups.add(Role.objects.get(name="partner"))
        partner = partner_apply(
            client_id=story.client_id, code=code, name=code, currency="USD", actor=story.again()
        )
        return partner_approve(
            partner_id=partner.pk, plan_code=plan, actor=self.staff["partners"], reason="contract"
        )

    def applicant(self, *, country: str = "AE", partner: str = "") -> ClientStory:
        return ClientStory(self, country=country, partner=partner)

    def client(self, *, country: str = "AE", partner: str = "") -> ClientStory:
        """Somebody who has come all the way to an approved identity."""
        story = self.applicant(country=country, partner=partner)
        story.registers()
        story.confirms()
        story.answers()
        story.sends_documents()
        story.is_approved()
        return story

    def trader(self, *, funds: str = "5000", **where: str) -> ClientStory:
        """A client with money on an open account."""
        story = self.client(**where)
        story.opens_account()
        story.deposits(funds)
        story.transfers(funds)
        return story


class ClientStory:
    """One client, act by act."""

    def __init__(self, house: Brokerage, *, country: str, partner: str) -> None:
        self.house = house
        self.country = country
        self.partner_code = partner
        self.number = next(_numbers)
        self.email = f"client{self.number}@example.org"
        self.names = ("Nora", f"Keller{chr(65 + self.number % 26)}")
        self.currency = "EUR" if country in {"DE", "FR", "ES"} else "USD"
        self.client_id: Any = None
        self.account_id: Any = None
        self.actor = VISITOR

    @property
    def row(self) -> Client:
        return Client.objects.get(pk=self.client_id)

    @property
    def user(self) -> Any:
        return get_user_model()._default_manager.get(email=self.email)

    def again(self) -> Actor:
        """The same login with what it may do now."""
        self.actor = actor_for(get_user_model()._default_manager.get(email=self.email))
        return self.actor

    def registers(self) -> Client:
        client = client_register(
            email=self.email, password=PASSWORD, first_name=self.names[0], last_name=self.names[1],
            country=self.country, partner_code=self.partner_code, actor=VISITOR,
        )  # fmt: skip
        assert client is not None
        self.client_id = client.pk
        self.house.deliver()
        return client

    def confirms(self) -> None:
        confirmation = EmailConfirmation.objects.get(client_id=self.client_id, used_at=None)
        email_confirm(token=confirmation_token(confirmation.pk), actor=VISITOR)
        self.again()

    def answers(self) -> None:
        for step, given in self._application().items():
            onboarding_step_save(
                client_id=self.client_id, step=step, answers=given, actor=self.actor
            )
        accepted = {item.code: str(item.pk) for item in agreements_missing(self.row)}
        onboarding_step_save(
            client_id=self.client_id, step="agreements", answers=accepted, actor=self.actor
        )
        onboarding_submit(client_id=self.client_id, actor=self.actor)
        self.house.deliver()

    def _application(self) -> dict[str, dict[str, Any]]:
        eu = self.currency == "EUR"
        steps: dict[str, dict[str, Any]] = {
            "personal": {
                "first_name": self.names[0], "last_name": self.names[1],
                "date_of_birth": "1988-04-12", "citizenship": self.country,
                "phone": f"+49151234{10000 + self.number}" if eu else f"+97150123{1000 + self.number}",
            },
            "address": {
                "address_line1": "Linden Street 8", "city": "Hamburg" if eu else "Dubai",
                "postal_code": "20095",
            },
            "tax": {"tax_residence": self.country, "us_person": "no"},
            "finances": {
                "employment": "EMPLOYED", "occupation": "Engineer", "annual_income": "50-100K",
                "net_worth": "100-500K", "source_of_funds": ["SALARY"], "planned_deposits": "10-50K",
                "pep": "no",
            },
        }  # fmt: skip
        if eu:
            steps["tax"] |= {"has_tax_id": "no", "no_tax_id_reason": "B"}
            steps["appropriateness"] = {
                "cfd_experience": "OFTEN", "profession": "STUDIED", "q_leverage": "1000",
                "q_closeout": "CLOSED", "q_gap": "NEXT",
            }  # fmt: skip
        else:
            steps["address"]["region"] = "Dubai"
        return steps

    def sends_documents(self) -> None:
        today = clock.now().date()
        for kind, extra in (
            ("PASSPORT", {"number": f"P{1_000_000 + self.number}", "expires_on": date(2033, 1, 1)}),
            ("UTILITY_BILL", {"issued_on": today - timedelta(days=20)}),
        ):
            document_upload(
                client_id=self.client_id, kind=kind, content=self._picture(kind),
                original_name=f"{kind.lower()}.png", country=self.country, actor=self.actor, **extra,
            )  # fmt: skip
        case_submit(client_id=self.client_id, actor=self.actor)
        self.house.deliver()

    def _picture(self, kind: str) -> bytes:
        sheet = Image.new("RGB", (900, 600), (230, 235, 240))
        ImageDraw.Draw(sheet).text(
            (60, 60), f"{kind} {self.number} {self.names}", fill=(20, 20, 20)
        )
        held = io.BytesIO()
        sheet.save(held, "PNG")
        return held.getvalue()

    def is_approved(self) -> None:
        reviewer = self.house.staff["compliance"]
        case = KycCase.objects.get(client_id=self.client_id)
        case_claim(case_id=case.pk, actor=reviewer)
        for document in Document.objects.filter(case_id=case.pk, state="PROCESSING").order_by("pk"):
            document_accept(document_id=document.pk, actor=reviewer, reason="clear and valid")
        case_approve(case_id=case.pk, actor=reviewer, reason="identity and address proven")
        self.house.deliver()
        self.again()

    def opens_account(self, *, leverage: int = 0) -> TradingAccount:
        eu = self.currency == "EUR"
        account = account_open(
            client_id=self.client_id, account_type="eu-standard" if eu else "int-standard",
            currency=self.currency, leverage=leverage or (30 if eu else 100), actor=self.actor,
            request_key=f"account-{self.number}-{next(_numbers)}",
        )  # fmt: skip
        self.house.deliver()
        self.account_id = account.pk
        return TradingAccount.objects.get(pk=account.pk)

    def asks_to_deposit(self, amount: str, *, key: str = "") -> tuple[Deposit, DepositAttempt]:
        deposit = deposit_create(
            client_id=self.client_id, method="CARD", amount=Money.of(amount, self.currency),
            request_key=key or f"deposit-{next(_numbers)}", actor=self.actor,
        )  # fmt: skip
        return deposit, deposit_start(deposit_id=deposit.pk, actor=self.actor)

    def pays(self, attempt: DepositAttempt) -> None:
        self.house.outside.provider.pay(
            attempt.provider_payment_id, holder=" ".join(self.names), instrument=CARD
        )

    def deposits(self, amount: str) -> Deposit:
        deposit, attempt = self.asks_to_deposit(amount)
        self.pays(attempt)
        self.house.deliver()
        return Deposit.objects.get(pk=deposit.pk)

    def transfers(self, amount: str, *, direction: str = "TO_ACCOUNT") -> Transfer:
        transfer = transfer_request(
            client_id=self.client_id, account_id=self.account_id, direction=direction,
            amount=Money.of(amount, self.currency), request_key=f"transfer-{next(_numbers)}",
            actor=self.actor,
        )  # fmt: skip
        self.house.deliver()
        return Transfer.objects.get(pk=transfer.pk)

    def orders(self, side: str, lots: str, symbol: str = "EURUSD", **fields: Any) -> OrderReply:
        reply = order_submit(
            account_id=self.account_id, client_order_id=f"order-{next(_numbers)}", symbol=symbol,
            side=side, type="LIMIT" if "limit_price" in fields else "MARKET",
            quantity=Decimal(lots), actor=self.actor, source="PORTAL", **fields,
        )  # fmt: skip
        self.house.deliver()
        return reply

    def asks_to_withdraw(self, amount: str, *, key: str = "") -> Withdrawal:
        card = PaymentInstrument.objects.filter(client_id=self.client_id).order_by("created_at")[0]
        return withdrawal_request(
            client_id=self.client_id, amount=Money.of(amount, self.currency),
            destination_id=card.pk, request_key=key or f"withdrawal-{next(_numbers)}",
            actor=self.actor,
        )  # fmt: skip

    def withdrawal_is_approved(self, withdrawal: Withdrawal, *by: str) -> Withdrawal:
        for who in by:
            withdrawal_approve(
                withdrawal_id=withdrawal.pk, actor=self.house.staff[who], reason="checks are green"
            )
        self.house.deliver()
        return Withdrawal.objects.get(pk=withdrawal.pk)

    @property
    def wallet(self) -> Money:
        return self._available(AccountKind.CLIENT_WALLET, f"client:{self.client_id}")

    @property
    def trading_money(self) -> Money:
        return self._available(AccountKind.CLIENT_TRADING, f"trading:{self.account_id}")

    def _available(self, kind: AccountKind, owner: str) -> Money:
        return balance_of(account_for(kind, self.currency, owner)).available


def proofs_hold() -> None:
    """Ledger, audit trail and engine prove themselves; each command raises when one does not."""
    call_command("verify_ledger", stdout=io.StringIO())
    call_command("verify_audit", stdout=io.StringIO())
    call_command("replay_engine", verify=True, stdout=io.StringIO())
    call_command("verify_engine", stdout=io.StringIO())
