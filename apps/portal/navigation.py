"""The navigation of the portal and of the partner pages: a page is in it when its address exists."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Page:
    """A page that may be in the navigation. `names` are the addresses it may have, the first that exists counts."""

    label: str | Promise
    icon: str
    names: tuple[str, ...]
    short: str | Promise = ""
    bottom: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    label: str | Promise
    short: str | Promise
    icon: str
    url: str
    bottom: bool
    current: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str | Promise
    items: tuple[Item, ...]


PORTAL: tuple[tuple[str | Promise, tuple[Page, ...]], ...] = (
    (
        "",
        (
            Page(
                _("Overview"), "space_dashboard", ("portal:dashboard",), _("Overview"), bottom=True
            ),
            Page(
                _("Trade"),
                "candlestick_chart",
                ("portal:orders-ticket", "portal:orders-trade"),
                bottom=True,
            ),
            Page(
                _("Positions and orders"),
                "list_alt",
                ("portal:orders-positions", "portal:orders-list"),
            ),
            Page(_("Trading history"), "history", ("portal:orders-history",)),
            Page(
                _("Trading accounts"),
                "account_balance",
                ("portal:accounts-list", "portal:accounts-index"),
                _("Accounts"),
                bottom=True,
            ),
        ),
    ),
    (
        _("Money"),
        (
            Page(
                _("Wallets"),
                "account_balance_wallet",
                ("portal:payments-wallets", "portal:payments-home", "portal:payments-list"),
                bottom=True,
            ),
            Page(_("Deposit"), "south_west", ("portal:payments-deposit",)),
            Page(
                _("Withdraw"),
                "north_east",
                ("portal:payments-withdraw", "portal:payments-withdrawal"),
            ),
            Page(_("Transfer"), "swap_horiz", ("portal:payments-transfer",)),
            Page(_("Money history"), "receipt_long", ("portal:payments-history",)),
        ),
    ),
    (
        _("You"),
        (
            Page(_("Application"), "assignment", ("portal:clients-onboarding",)),
            Page(_("Verification"), "verified_user", ("portal:kyc-status", "portal:kyc-documents")),
            Page(_("Agreements"), "gavel", ("portal:clients-agreements",)),
            Page(_("Profile"), "person", ("portal:clients-profile",)),
            Page(_("Your data"), "folder_shared", ("portal:clients-privacy",)),
            Page(_("Security"), "shield_person", ("mfa_index",)),
            Page(_("Become a partner"), "handshake", ("partner:apply",)),
        ),
    ),
)

PARTNER: tuple[tuple[str | Promise, tuple[Page, ...]], ...] = (
    (
        "",
        (
            Page(
                _("Performance"), "monitoring", ("partner:dashboard", "partner:home"), bottom=True
            ),
            Page(_("Partner tree"), "account_tree", ("partner:tree",), _("Tree"), bottom=True),
            Page(_("Clients"), "groups", ("partner:clients",), bottom=True),
        ),
    ),
    (
        _("Earnings"),
        (
            Page(
                _("Commission lines"),
                "receipt_long",
                ("partner:accruals", "partner:lines"),
                _("Lines"),
                bottom=True,
            ),
            Page(_("Statement"), "description", ("partner:statement",)),
            Page(_("Payouts"), "payments", ("partner:payouts",)),
        ),
    ),
    (
        _("Promotion"),
        (
            Page(_("Links"), "link", ("partner:links",)),
            Page(_("Invite a sub-partner"), "person_add", ("partner:invite",)),
        ),
    ),
    (_("You"), (Page(_("Security"), "shield_person", ("mfa_index",)),)),
)


def address(*names: str) -> str:
    """The first of `names` that leads somewhere, or nothing."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


def sections(
    layout: tuple[tuple[str | Promise, tuple[Page, ...]], ...], path: str
) -> list[Section]:
    """What exists of `layout`, with the page that `path` belongs to marked: the longest address that begins it."""
    found = [
        (title, [(page, url) for page in pages if (url := address(*page.names))])
        for title, pages in layout
    ]
    home = min((url for _title, pages in found for _page, url in pages), key=len, default="")
    current = max(
        (url for _title, pages in found for _page, url in pages if _leads_to(url, path, home)),
        key=len,
        default="",
    )
    return [
        Section(
            title,
            tuple(
                Item(
                    page.label,
                    page.short or page.label,
                    page.icon,
                    url,
                    page.bottom,
                    url == current,
                )
                for page, url in pages
            ),
        )
        for title, pages in found
        if pages
    ]


def bottom_of(listed: list[Section]) -> list[Item]:
    """The few pages that a phone keeps within reach of the thumb."""
    return [item for section in listed for item in section.items if item.bottom][:4]


def _leads_to(url: str, path: str, home: str) -> bool:
    """The home page is current only on its own address; everything lies below it."""
    return path == url if url == home else path.startswith(url)
