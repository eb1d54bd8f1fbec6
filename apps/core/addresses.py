"""The address a request came from, also behind proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any


def client_address(meta: Mapping[str, Any], trusted: Sequence[str]) -> str:
    """The nearest address that is not one of our own proxies.

    `X-Forwarded-For` counts only when the connection itself comes from a network in `trusted`, and is read from the
    right: what a stranger wrote into it stands further left and is never reached.
    """
    address = str(meta.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    while forwarded and _within(address, trusted):
        nearer = forwarded.pop()
        if not _is_address(nearer):
            return address
        address = nearer
    return address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: Sequence[str]) -> bool:
    if not networks or not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(network) for network in networks)
