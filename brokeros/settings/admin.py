"""How the back office looks: title, colours, navigation."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def item(title: str, icon: str, url_name: str, permission: str = "") -> dict[str, Any]:
    """One line of the sidebar, shown only to those who hold the permission."""
    line: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url_name)}
    if permission:
        line["permission"] = lambda request: request.user.has_perm(permission)
    return line


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Broker OS",
    "SITE_HEADER": "Broker OS",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "account_balance",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COMMAND": {"search_models": False, "show_history": True},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": _("Work"),
                "items": [
                    item(_("Home"), "home", "admin:index"),
                    item(_("Approvals"), "how_to_reg", "admin:core_approval_changelist", "core.view_approval"),
                ],
            },
        ],
    },
}
