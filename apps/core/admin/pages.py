from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from apps.core.admin.base import BrokerModelAdmin
from apps.core.models import Mail


def subject_url(subject_type: str, subject_id: str) -> str:
    """The admin page of what a record is about, or nothing when it has none."""
    if not subject_type or not subject_id:
        return ""
    try:
        meta = apps.get_model(subject_type)._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[subject_id])
    except (LookupError, NoReverseMatch):
        return ""


def subject_link(record: Any) -> str:
    url = subject_url(record.subject_type, record.subject_id)
    label = f"{record.subject_type.rpartition('.')[2]} {record.subject_id[-8:]}".strip()
    return format_html('<a href="{}">{}</a>', url, label) if url else label


def paper_response(raw: bytes, name: str) -> HttpResponse:
    """A document to keep: never cached, never guessed to be anything else."""
    answer = HttpResponse(raw, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


class ReadOnlyAdmin(BrokerModelAdmin):
    """Rows that the system writes and people only read."""

    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("sent_at", "to", "subject")
    search_fields = ("to_index__blind",)
