"""What a page with passwords and keys on it may load: its own files and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponseBase

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def sealed_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answers with a strict content policy: no inline script, no foreign file, no frame."""

    @wraps(view)
    def page(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return page
