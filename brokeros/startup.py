"""The first thing every entry does: read the settings, or end with one sentence about the one that is missing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured


def load_settings(arguments: Sequence[str] = ()) -> None:
    """Raises `SystemExit` with the sentence, so that no traceback hides it. `--settings` among the arguments counts."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    named = parser.parse_known_args(list(arguments))[0].settings
    if named:
        os.environ["DJANGO_SETTINGS_MODULE"] = named
    from django.conf import settings

    try:
        _ = settings.INSTALLED_APPS
    except ImproperlyConfigured as missing:
        raise SystemExit(f"Broker OS cannot start: {missing}") from None
