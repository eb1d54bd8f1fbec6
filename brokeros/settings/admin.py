"""How the back office looks: title, colours, navigation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from brokeros.settings.sidebar import SIDEBAR


def asset(path: str) -> Any:
    """The address of a static file, asked for at each request because the manifest is not there at start."""
    return lambda request: static(path)


def environment(request: HttpRequest) -> list[Any] | None:
    """The badge that keeps anybody from taking a demo for the real thing."""
    return [_("Demo: no real money"), "warning"] if settings.DEMO else None


# The same values as static/brokeros/tokens.css; tests/portal/test_tokens.py keeps the two equal.
COLORS = {
    "base": {
        "50": "oklch(98.5% .002 247.839)",
        "100": "oklch(96.7% .003 264.542)",
        "200": "oklch(92.8% .006 264.531)",
        "300": "oklch(87.2% .01 258.338)",
        "400": "oklch(70.7% .022 261.325)",
        "500": "oklch(55.1% .027 264.364)",
        "600": "oklch(44.6% .03 256.802)",
        "700": "oklch(37.3% .034 259.733)",
        "800": "oklch(27.8% .033 256.848)",
        "900": "oklch(21% .034 264.665)",
        "950": "oklch(13% .028 261.692)",
    },
    "primary": {
        "50": "oklch(97% .014 265)",
        "100": "oklch(93.5% .03 265)",
        "200": "oklch(88% .058 265)",
        "300": "oklch(80% .1 265)",
        "400": "oklch(70% .155 265)",
        "500": "oklch(61% .205 265)",
        "600": "oklch(53% .225 265)",
        "700": "oklch(46.5% .205 265)",
        "800": "oklch(40% .165 266)",
        "900": "oklch(35.5% .125 266)",
        "950": "oklch(26% .085 267)",
    },
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Broker OS",
    "SITE_HEADER": "Broker OS",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": "/",
    "SITE_ICON": asset("brokeros/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": asset("brokeros/favicon.svg")}
    ],
    "COLORS": COLORS,
    "ENVIRONMENT": "brokeros.settings.admin.environment",
    "STYLES": [asset("brokeros/components.css"), asset("brokeros/admin.css")],
    "SCRIPTS": [
        asset("brokeros/forms.js"),
        asset("brokeros/live.js"),
        asset("brokeros/bell.js"),
        asset("brokeros/charts.js"),
        asset("brokeros/admin.js"),
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ACCOUNT": {"navigation": [{"title": _("Security"), "link": reverse_lazy("mfa_index")}]},
    "COMMAND": {"search_models": False, "show_history": True},
    "SIDEBAR": SIDEBAR,
}
