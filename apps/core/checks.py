"""Settings that close a door of an admin package: the start fails when one is opened again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

NEEDED = {
    "IMPORT_EXPORT_IMPORT_PERMISSION_CODE": "unset, any member of staff may import",
    "IMPORT_EXPORT_EXPORT_PERMISSION_CODE": "unset, any member of staff may export",
    "IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT": "unset, a file may run formulas",
    "SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS": "unset, history is open to whoever sees the row",
    "SIMPLE_HISTORY_REVERT_DISABLED": "unset, an old state can be written back",
}


@register()
def doors_are_closed(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Each setting must be there and true."""
    return [
        Error(f"{name} must be set: {why}.", id=f"core.E{number:03d}")
        for number, (name, why) in enumerate(NEEDED.items(), start=1)
        if not getattr(settings, name, None)
    ]
