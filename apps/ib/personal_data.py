"""Which rows of this app say something about a person."""

from __future__ import annotations

from apps.core.privacy.registry import DataClass, register_personal_data
from apps.ib.models import Partner


def register() -> None:
    register_personal_data(
        "ib.Partner",
        DataClass.IDENTITY,
        ("name",),
        rows=lambda subject: Partner.objects.filter(client_id=subject.client_id),
    )
