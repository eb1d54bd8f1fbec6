"""Personal fields on pages: `{% personal person "email" %}` shows what the viewer reads, with a way to ask for more."""

from __future__ import annotations

from typing import Any

from django import template
from django.db import models
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core.masks import HIDDEN, FieldMask, mask_for, personal_fields, shown, viewer
from apps.core.permissions import REVEAL_PERSONAL

register = template.Library()


@register.simple_tag
def personal(obj: models.Model, name: str, empty: str = "—") -> SafeString | str:
    """One personal field as the viewer reads it, and the button that shows the whole of it to whoever may ask."""
    value = getattr(obj, name)
    if value is None or value == "":
        return empty
    who = viewer()
    if who is None:
        return HIDDEN
    text = localize(shown(who, obj, name))
    field = f"{obj._meta.label}.{name}"
    if field not in personal_fields() or mask_for(who, field) is FieldMask.FULL:
        return format_html("{}", text)
    if not who.allows(REVEAL_PERSONAL):
        return format_html("{}", text)
    return format_html(
        '{} <a class="bo-btn bo-btn-s bo-btn-quiet" data-dialog href="{}" aria-label="{}">{}</a>',
        text, reverse("admin-personal-reveal", args=[obj._meta.label_lower, obj.pk, name]),
        _("Show {field}").format(field=_verbose(obj, name)), _("Show"),
    )  # fmt: skip


def _verbose(obj: models.Model, name: str) -> Any:
    return obj._meta.get_field(name).verbose_name  # type: ignore[union-attr]
