"""Sign-ins in words."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}
ACTS = {
    "login.sign_in": gettext_lazy("Signed in"),
    "login.failure": gettext_lazy("Wrong password or code"),
    "login.lockout": gettext_lazy("Shut after too many wrong passwords"),
    "login.step_up": gettext_lazy("Confirmed before an act with money or power"),
    "login.sign_out": gettext_lazy("Signed out"),
    "login.password_changed": gettext_lazy("Password changed"),
    "login.password_set": gettext_lazy("New password by mailed link"),
    "login.password_reset": gettext_lazy("New password by mailed link"),
}


@register.filter
def browser_name(agent: str) -> str:
    """A browser and its system, out of what it says of itself."""
    browser = next((NAMES.get(code, code) for code in BROWSERS if f"{code}/" in agent), "")
    system = next((name for code, name in SYSTEMS.items() if code in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or agent[:40] or _("unknown")


@register.filter
def sign_in_act(action: str) -> Any:
    return ACTS.get(action, action)
