"""What every page outside the admin needs: its navigation and the company that answers for the client."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from apps.portal.navigation import PARTNER, PORTAL, Item, Section, address, bottom_of, sections
from apps.portal.people import DEMO_PEOPLE, PASSWORD, DemoPerson
from apps.portal.selectors import booking_entity_of


class Shell:
    """The frame around a page. Everything is found when a template first asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._path = request.path
        self._user = getattr(request, "user", None)
        self._actor = getattr(request, "actor", None)
        self.demo = settings.DEMO

    @property
    def portal_home(self) -> str:
        return address("portal:dashboard") or "/"

    @property
    def partner_home(self) -> str:
        return address("partner:dashboard", "partner:home") or "/"

    @property
    def portal_nav(self) -> list[Section]:
        return sections(PORTAL, self._path)

    @property
    def portal_bottom(self) -> list[Item]:
        return bottom_of(self.portal_nav)

    @property
    def partner_nav(self) -> list[Section]:
        return sections(PARTNER, self._path)

    @property
    def partner_bottom(self) -> list[Item]:
        return bottom_of(self.partner_nav)

    @property
    def register_url(self) -> str:
        return address("portal:clients-register")

    @property
    def password_url(self) -> str:
        return address("portal:clients-password-reset")

    @property
    def people(self) -> tuple[DemoPerson, ...]:
        return DEMO_PEOPLE if self.demo else ()

    @property
    def people_password(self) -> str:
        return PASSWORD

    @property
    def logout_url(self) -> str:
        return address("portal:clients-logout", "portal:logout", "admin:logout")

    @property
    def menu(self) -> list[dict[str, Any]]:
        """Other faces that this person may see."""
        lines: list[tuple[Any, str, str]] = []
        if self._user is not None and self._user.is_authenticated:
            if self._user.is_staff:
                lines.append((_("Back office"), "admin_panel_settings", address("admin:index")))
            if self._actor is not None and self._actor.client_ids:
                lines.append((_("Client portal"), "space_dashboard", address("portal:dashboard")))
            if self._actor is not None and self._actor.partner_ids:
                lines.append((_("Partner pages"), "monitoring", self.partner_home))
            lines.append((_("Profile"), "person", address("portal:clients-profile")))
            lines.append((_("Security"), "shield_person", address("mfa_index")))
        if self.demo:
            lines.append((_("Demo mailbox"), "mail", address("mailbox-list")))
        return [{"label": label, "icon": icon, "url": url} for label, icon, url in lines if url]


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` (navigation, menu) and `booking_entity` (risk warning, footer) for the current visitor."""
    return {
        "shell": SimpleLazyObject(lambda: Shell(request)),
        "booking_entity": SimpleLazyObject(
            lambda: booking_entity_of(getattr(request, "actor", None))
        ),
    }
