"""A message's words: plain text with named places, turned into text and HTML. Pure; knows neither files nor database.

`{{ name }}` is a place, `{% if name %}…{% endif %}` stays when the value is not empty, a paragraph that is
`[Label]({{ link }})` becomes a button, lines that begin with `- ` a list. There is nothing else: whoever may
edit a message cannot run code, reach an object or read a file. Values are escaped in HTML, always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

PLACE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
CHOICE = re.compile(r"\{%\s*if\s+([a-z][a-z0-9_]*)\s*%\}(.*?)\{%\s*endif\s*%\}", re.DOTALL)
BUTTON = re.compile(r"^\[([^\]\n]+)\]\(\{\{\s*([a-z][a-z0-9_]*)\s*\}\}\)$")
LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
SUBJECT_LENGTH = 150


def places_of(text: str) -> set[str]:
    """The names that a text uses."""
    return set(PLACE.findall(text)) | {name for name, _inside in CHOICE.findall(text)}


def problems_of(text: str) -> list[str]:
    """What is not one of the few forms: an unclosed place, a tag that does not exist, a choice inside a choice."""
    found = [
        f"a choice inside the choice on {name}"
        for name, inside in CHOICE.findall(text)
        if "{%" in inside
    ]
    rest = PLACE.sub("", CHOICE.sub(lambda match: match.group(2), text))
    left = LEFT_OVER.search(rest)
    if left:
        found.append(
            f"something is not closed or not known near “{rest[left.start() : left.start() + 30]}”"
        )
    return found


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled. Raises `KeyError` for a name that has no value."""
    chosen = CHOICE.sub(lambda match: match.group(2) if values[match.group(1)] else "", text)
    return PLACE.sub(lambda match: values[match.group(1)], chosen)


def subject_line(text: str, values: Mapping[str, str]) -> str:
    """One line: whatever a value holds, it cannot begin another header."""
    return re.sub(r"\s+", " ", filled(text, values)).strip()[:SUBJECT_LENGTH]


def paragraphs(body: str, values: Mapping[str, str]) -> list[str]:
    """The paragraphs that remain, their places still open: what a value holds never makes a paragraph or a link."""
    chosen = CHOICE.sub(lambda match: match.group(2) if values[match.group(1)] else "", body)
    blocks = re.split(r"\n\s*\n", chosen.replace("\r\n", "\n"))
    return [block.strip() for block in blocks if block.strip()]


def plain(body: str, values: Mapping[str, str]) -> str:
    """The body as text."""
    return "\n\n".join(_plain_block(block, values) for block in paragraphs(body, values))


def _plain_block(block: str, values: Mapping[str, str]) -> str:
    button = BUTTON.match(block)
    if button:
        return f"{button.group(1)}:\n{values[button.group(2)]}"
    return filled(block, values)


def html(body: str, values: Mapping[str, str]) -> str:
    """The body as simple HTML, every value escaped."""
    return "\n".join(_html_block(block, values) for block in paragraphs(body, values))


def _html_block(block: str, values: Mapping[str, str]) -> str:
    button = BUTTON.match(block)
    if button:
        link = values[button.group(2)]
        if not link.startswith(("https://", "http://")):
            raise ValueError("a button leads to a web address")
        label = escape(button.group(1))
        return f'<p><a class="button" href="{escape(link, quote=True)}">{label}</a></p>'
    lines = [_escaped(line, values) for line in block.split("\n")]
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{line[2:]}</li>" for line in lines) + "</ul>"
    return "<p>" + "<br>".join(lines) + "</p>"


def _escaped(line: str, values: Mapping[str, str]) -> str:
    safe = {name: escape(value, quote=True).replace("\n", "<br>") for name, value in values.items()}
    return filled(escape(line, quote=False), safe)
