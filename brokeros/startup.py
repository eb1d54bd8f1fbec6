"""The first thing every entry does: read the settings, or end with one sentence about the one that is missing."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured


def load_settings() -> None:
    """Raises `SystemExit` with the sentence, so that no traceback hides it."""
    from django.conf import settings

    try:
        _ = settings.INSTALLED_APPS
    except ImproperlyConfigured as missing:
        raise SystemExit(f"Broker OS cannot start: {missing}") from None
