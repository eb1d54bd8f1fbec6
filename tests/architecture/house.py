"""One small brokerage for the sweeps: two funded clients in two companies, with one of everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client as Browser

from apps.clients.models import ClientShare
from apps.clients.services import (
    client_owner_change,
    export_request,
    legal_hold_set,
    restriction_add,
)
from apps.core import clock
from apps.core.actor import Actor
from apps.core.mail.services import message_draft
from apps.ib.services import payout_prepare
from apps.ledger.services import period_close
from apps.portal.seed.office import load_reference_data
from apps.portal.seed.surroundings import outside_world
from apps.risk.services import kill_switch_trip
from apps.rules.compiled import forget_compiled
from apps.users.models import Desk, Role, Team
from apps.users.roles import declared_roles
from tests.flows.brokerage import Brokerage, ClientStory

TUESDAY_MORNING = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
STAFF_ROLES = tuple(code for code in declared_roles() if code not in {"client", "partner"})
HERE, ELSEWHERE = "BOS-EU", "BOS-INT"


class House:
    """`ana` belongs to the European company, `omar` to the other; partner `north` brought her, `south` him."""

    def __init__(self, brokerage: Brokerage) -> None:
        self.brokerage = brokerage
        self.partners = {
            code: brokerage.partner(code, "standard", country=country)
            for code, country in (("north", "DE"), ("south", "AE"))
        }
        self.ana = self._life(country="DE", partner="north")
        self.omar = self._life(country="AE", partner="south")
        self._office()
        self.logins = self._logins()

    def _office(self) -> None:
        """What staff leave behind: restrictions, a draft, a stopped symbol, prepared payouts, closed books."""
        staff = self.brokerage.staff
        for story in (self.ana, self.omar):
            restriction_add(
                client_id=story.client_id, kind="no_new_account", reason="too many", actor=staff["compliance"]
            )  # fmt: skip
            export_request(client_id=story.client_id, actor=story.again(), reason="my right")
            legal_hold_set(
                client_id=story.client_id, actor=staff["compliance"], reason="asked by a court"
            )
        kill_switch_trip(level="symbol", target="XAUUSD", actor=staff["risk"], reason="odd prices")
        for partner in self.partners.values():
            payout_prepare(
                partner_id=partner.pk, cut_off=clock.now() + timedelta(minutes=1), actor=staff["partners"],
                reason="monthly",
            )  # fmt: skip
        period_close(
            closed_through=TUESDAY_MORNING - timedelta(days=6),
            actor=staff["finance"],
            reason="year end",
        )
        for company in (HERE, ELSEWHERE):
            message_draft(
                code="clients.welcome", language="en", entity=company, actor=Actor.system("tests"),
                reason="new words",
            )  # fmt: skip
        self.brokerage.deliver()

    def _life(self, **where: str) -> ClientStory:
        story = self.brokerage.trader(**where)
        story.orders("BUY", "0.10")
        story.orders("BUY", "0.10", limit_price=Decimal("1.05000"))
        story.deposits("800")
        story.asks_to_withdraw("100")
        return story

    def _logins(self) -> dict[str, Any]:
        """Whoever may knock. The visitor has no login; `elsewhere` may do everything, in the other company only."""
        users = get_user_model()._default_manager
        logins = {"anonymous": None, "client": self.ana.user}
        logins["partner"] = users.get(client_logins__client=self.partners["north"].client_id)
        for code in STAFF_ROLES:
            logins[code] = users.filter(is_staff=True, groups__name=code).order_by("pk")[0]
        logins["elsewhere"] = users.create_user(
            "elsewhere@demo.brokeros.example", "x", is_staff=True, scope_level="ENTITY", entities=[ELSEWHERE]
        )  # fmt: skip
        logins["elsewhere"].groups.add(Role.objects.get(name="admin"))
        return logins | self._people_of_every_scope()

    def _people_of_every_scope(self) -> dict[str, Any]:
        """People who may do everything and see `ana` in each way there is, or no longer, or not at all."""
        desk = Desk.objects.create(code="sweep", name="Sweep")
        team = Team.objects.create(code="sweep", name="Sweep", desk=desk)
        people = {
            "own": self._person("own", "OWN", desk=desk, team=team),
            "lead": self._person("lead", "TEAM", desk=desk),
            "desk": self._person("desk", "DESK", desk=desk),
            "country": self._person("country", "JURISDICTION", jurisdictions=["DE"]),
            "company": self._person("company", "ENTITY", entities=[HERE]),
            "guest": self._person("guest", "NONE"),
            "late": self._person("late", "NONE"),
            "nobody": self._person("nobody", "NONE"),
        }
        Team.objects.filter(pk=team.pk).update(lead=people["lead"])
        system = Actor.system("house")
        client_owner_change(
            client_id=self.ana.client_id, owner_id=people["own"].pk, desk_id=desk.pk, actor=system, reason="opening"
        )  # fmt: skip
        for who, from_days, until_days in (("guest", -1, 6), ("late", -7, -1)):
            ClientShare(
                content_object=self.ana.row, user=people[who], granted_by=people["own"], reason="holiday cover",
                permission=Permission.objects.filter(codename="view_client").first(),
                valid_from=clock.now() + timedelta(days=from_days),
                valid_until=clock.now() + timedelta(days=until_days),
            ).save_as(system, "holiday cover")  # fmt: skip
        return people

    def _person(self, name: str, level: str, **fields: Any) -> Any:
        person = get_user_model()._default_manager.create_user(
            f"{name}@sweep.brokeros.example", "x", is_staff=True, scope_level=level, name=f"Sweep {name}", **fields
        )  # fmt: skip
        person.groups.add(Role.objects.get(name="admin"))
        return person

    def thing(self, model: str, who: str) -> Any:
        """One row of this model that concerns `ana` (or her partner, or her company), or `omar`."""
        kind = apps.get_model(model)
        paths = kind._default_manager.all().scope_paths
        story, code = (self.ana, "north") if who == "ana" else (self.omar, "south")
        if "client" in paths:
            lookup = {paths["client"]: story.client_id}
        elif "partner" in paths:
            lookup = {paths["partner"]: self.partners[code].pk}
        elif "entity" in paths:
            lookup = {paths["entity"]: HERE if who == "ana" else ELSEWHERE}
        else:
            lookup = {"entity": HERE if who == "ana" else ELSEWHERE}
        return kind._default_manager.filter(**lookup).order_by("pk").first()

    def any(self, model: str, **lookup: Any) -> Any:
        return apps.get_model(model)._default_manager.filter(**lookup).order_by("pk")[0].pk

    def browser(self, who: str) -> Browser:
        browser = Browser(raise_request_exception=False)
        if self.logins[who] is not None:
            browser.force_login(self.logins[who])
        return browser


@contextmanager
def built_house(folder: Path) -> Iterator[House]:
    """Builds it and holds the clock; what it left is flushed afterwards."""
    forget_compiled()
    try:
        with clock.frozen(TUESDAY_MORNING):
            load_reference_data()
            with outside_world(folder) as outside:
                house = House(Brokerage(outside))
                with clock.frozen(TUESDAY_MORNING + timedelta(minutes=1)):
                    yield house
    finally:
        call_command(
            "flush", interactive=False, verbosity=0, inhibit_post_migrate=False, allow_cascade=False
        )
        forget_compiled()
