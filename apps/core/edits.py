"""Two people with the same form open: the second one is told what the first one changed."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.errors import StaleBase


class EditedMeanwhile(StaleBase):
    """The row is not what the editor saw. `changed` names each field with what was seen and what it is now."""

    message = _(
        "Somebody changed this while you were editing: {changed}. Nothing of yours was saved."
    )


def values_of(row: models.Model, names: Collection[str]) -> dict[str, Any]:
    """The fields as plain JSON values, equal when the row is equal."""
    found = {name: getattr(row, row._meta.get_field(name).attname) for name in names}  # type: ignore[union-attr]
    return json.loads(json.dumps(found, cls=DjangoJSONEncoder))  # type: ignore[no-any-return]


def refuse_stale(row: models.Model, base: dict[str, Any], values: dict[str, Any]) -> bool:
    """Call it on the locked row. True when there is something to write, False when it was written before.

    Raises `EditedMeanwhile` when the row is neither what the editor saw nor what the editor wants.
    """
    now = values_of(row, values)
    wanted = json.loads(json.dumps(_plain(values), cls=DjangoJSONEncoder))
    if now == wanted:
        return False
    changed = [name for name in values if now[name] != base.get(name)]
    if changed:
        words = ", ".join(
            f"{row._meta.get_field(name).verbose_name}: {base.get(name)} → {now[name]}"  # type: ignore[union-attr]
            for name in changed
        )
        raise EditedMeanwhile(changed=words)
    return True


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v.pk if isinstance(v, models.Model) else v for k, v in values.items()}
