"""Secrets of mailed links: made from the row's id and the installation's key, kept as a hash."""

from __future__ import annotations

import base64
import hashlib
from uuid import UUID

from django.utils.crypto import salted_hmac


def confirmation_token(confirmation_id: UUID) -> str:
    """The token of a confirmation. It can be made again for a second try at sending, and cannot be
    guessed without the installation's secret key."""
    digest = salted_hmac(
        "clients.email_confirmation", confirmation_id.bytes, algorithm="sha256"
    ).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
