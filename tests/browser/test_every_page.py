"""Every page that a client and a partner can reach: readable by all, on a phone, in light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.people import Person

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
CLIENT = ("ana@client.example", "/portal/")
PARTNER = ("ivy@partner.example", "/partner/")
EVERYBODYS = [
    "/account/security/",
    "/account/security/password/",
    "/account/security/authenticator/",
    "/account/security/passkeys/add/",
    "/account/confirm/",
]
PUBLIC = [
    "/",
    "/portal/login/",
    "/admin/login/",
    "/portal/register/",
    "/demo/mailbox/",
    "/no-such-page/",
]

LIGHTNESS_OF_THE_PAGE = """() => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return Math.max(...context.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""

Arrive = Callable[..., Person]


def pages_in_reach(visitor: Person, home: str) -> list[str]:
    """The navigation's pages, and what each of them links to below the same home, one level deep."""
    visitor.visit(home)
    listed = _links(visitor, "nav a[href]", home)
    found = list(listed)
    for path in listed:
        visitor.visit(path)
        for link in _links(visitor, "main a[href]", home):
            if _shape(link) not in {_shape(known) for known in found}:
                found.append(link)
    return found


def _links(visitor: Person, selector: str, home: str) -> list[str]:
    hrefs: list[str] = visitor.page.locator(selector).evaluate_all(
        "links => links.filter(a => !a.hasAttribute('download')).map(a => new URL(a.href).pathname)"
    )
    ours = [href for href in hrefs if href.startswith(home) and not href.endswith((".pdf", ".csv"))]
    return list(dict.fromkeys(ours))


def _shape(path: str) -> str:
    """Two pages of the same kind differ only in an id."""
    return "/".join("*" if any(c.isdigit() for c in part) else part for part in path.split("/"))


def barriers(visitor: Person) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA on the page as it is now."""
    if not visitor.page.evaluate("typeof axe !== 'undefined'"):
        visitor.page.evaluate(AXE.read_text())  # a script tag would break the pages' own policy
    answer = visitor.page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        RULES,
    )
    return [
        f"{found['id']} ({found['impact']}): {node['target']} {node['failureSummary'][:200]}"
        for found in answer["violations"]
        for node in found["nodes"]
    ]


def shortcomings(visitor: Person, pages: list[str]) -> dict[str, list[str]]:
    """By page: what is not accessible, how far it scrolls sideways, script errors, a wrong status."""
    found: dict[str, list[str]] = {}
    visitor.page.emulate_media(reduced_motion="reduce")
    for path in pages:
        visitor.complaints.clear()
        answer = visitor.page.goto(path)
        if answer is not None and "text/html" not in answer.headers.get("content-type", ""):
            continue
        problems = barriers(visitor)
        if (wider := visitor.scrolls_sideways()) > 0:
            problems.append(f"scrolls sideways by {wider} px")
        if answer is None or (answer.status >= 400 and path != "/no-such-page/"):
            problems.append(f"status {answer and answer.status}")
        problems += [f"complaint: {complaint}" for complaint in visitor.complaints]
        if problems:
            found[path] = problems
    return found


def readable(found: dict[str, list[str]]) -> str:
    """Every shortcoming on a line of its own, none cut off."""
    return "\n".join(
        f"{path}: {problem}" for path, problems in found.items() for problem in problems
    )


@pytest.mark.parametrize(
    ("phone", "dark"), [(False, True), (True, False)], ids=["desktop-dark", "phone"]
)
def test_public_pages_have_no_barriers(person: Arrive, phone: bool, dark: bool) -> None:
    visitor = person("visitor", phone=phone, dark=dark)

    found = shortcomings(visitor, PUBLIC)
    assert not found, readable(found)


@pytest.mark.parametrize(("email", "home"), [CLIENT, PARTNER], ids=["client", "partner"])
@pytest.mark.parametrize(
    ("phone", "dark"), [(False, False), (True, True)], ids=["desktop", "phone-dark"]
)
def test_every_page_in_reach_has_no_barriers(
    person: Arrive, email: str, home: str, phone: bool, dark: bool
) -> None:
    visitor = person(email, phone=phone, dark=dark)
    visitor.signs_in(email)
    pages = pages_in_reach(visitor, home)

    assert len(pages) >= 3
    pages += EVERYBODYS if home == CLIENT[1] else EVERYBODYS[:1]
    found = shortcomings(visitor, pages)
    assert not found, readable(found)


def test_the_theme_is_chosen_once_and_kept(person: Arrive) -> None:
    visitor = person("visitor")
    visitor.visit("/")
    assert not _is_dark(visitor)

    visitor.page.get_by_role("button", name="Switch between light and dark").click()
    assert _is_dark(visitor)

    visitor.visit("/portal/login/")
    assert _is_dark(visitor)
    visitor.visit("/admin/login/")
    assert _is_dark(visitor)


def test_a_dark_system_is_dark_before_the_first_paint(person: Arrive) -> None:
    visitor = person("visitor", dark=True)
    visitor.visit("/")

    assert _is_dark(visitor)
    lightness = visitor.page.evaluate(LIGHTNESS_OF_THE_PAGE)
    assert lightness < 60


def test_a_phone_keeps_the_main_pages_within_reach_of_the_thumb(person: Arrive) -> None:
    client = person("ana", phone=True)
    client.signs_in(CLIENT[0])
    client.visit(CLIENT[1])

    bar = client.page.locator(".bo-bottom")
    assert bar.is_visible()
    bar.get_by_role("button", name="More").click()
    assert client.page.locator("#bo-more").is_visible()


def _is_dark(visitor: Person) -> bool:
    return bool(visitor.page.evaluate("document.documentElement.classList.contains('dark')"))
