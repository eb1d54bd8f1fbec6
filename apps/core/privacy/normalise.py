"""One spelling for each thing that people write in several ways, so that equal things have equal indexes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_IGNORES_DOTS = frozenset({"gmail.com", "googlemail.com"})
PREFIX_FROM, PREFIX_TO = 3, 12


def email(text: str) -> str:
    return text.strip().lower()


def mailbox(text: str) -> str:
    """The mailbox behind an address: lower case, without `+tag`, without the dots that Gmail ignores."""
    local, _, domain = email(text).rpartition("@")
    local = local.partition("+")[0]
    if domain in _IGNORES_DOTS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def phone(text: str) -> str:
    """E.164; a leading 00 is the plus sign."""
    digits = re.sub(r"[^\d+]", "", text)
    return "+" + digits[2:] if digits.startswith("00") else digits


def compact(text: str) -> str:
    """IBANs, document and tax numbers: upper case, without spaces and separators."""
    return re.sub(r"[\s./-]", "", text).upper()


def plain(text: str) -> str:
    """As it stands: what is one exact string already."""
    return text


def folded(text: str) -> str:
    """Without case and without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", folded(text))


def beginnings(text: str) -> set[str]:
    """Every word of a name and its beginnings from three letters on, for search as one types."""
    found: set[str] = set()
    for word in words(text):
        found.add(word)
        found.update(word[:end] for end in range(PREFIX_FROM, min(len(word), PREFIX_TO) + 1))
    return found


NORMALISERS: dict[str, Callable[[str], str]] = {
    "email": email,
    "mailbox": mailbox,
    "phone": phone,
    "compact": compact,
    "plain": plain,
}
