"""The audit trail: who did what, each record with what it changed, and whether the whole trail proves itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter

from apps.core import clock, signing
from apps.core.actor import Actor
from apps.core.admin.base import actor_of
from apps.core.admin.pages import ReadOnlyAdmin, subject_link, subject_url
from apps.core.errors import DomainError
from apps.core.extracts import ExtractFilter, audit_extract
from apps.core.heads import head_of
from apps.core.integrity import integrity_status
from apps.core.models import AuditHead, AuditRecord, AuditSeal
from apps.core.panels import Panel, QueueRow, receipt_url, register_queue
from apps.core.permissions import EXPORT_AUDIT, VIEW_AUDIT
from apps.core.signing import SigningKeyMissing
from apps.core.timeline import KINDS, Window, timeline_of

PAGE = 50


def trail_filter(parameter: str, label: Any, lookup: str) -> type[TextFilter]:
    """A filter by one exact value (or the beginning of one), so that each is answered by an index."""

    class Filter(TextFilter):
        title = label
        parameter_name = parameter

        def queryset(self, request: HttpRequest, queryset: Any) -> Any:
            value = (self.value() or "").strip()
            if not value:
                return queryset
            if lookup.endswith("_id") and lookup in ("client_id", "approval_id", "decision_id"):
                try:
                    return queryset.filter(**{lookup: UUID(value)})
                except ValueError:
                    return queryset.none()
            return queryset.filter(**{lookup: value})

    return Filter


class RecordPanel(Panel):
    """One record as a person reads it: what changed, on what grounds, and its place in the chain."""

    title = _("What was written down")
    template = "admin/panels/audit_record.html"

    def context(self, obj: AuditRecord, actor: Actor) -> dict[str, Any]:
        names = dict.fromkeys((*obj.before, *obj.after))
        return {
            "changes": [
                (name, obj.before.get(name), obj.after.get(name), name in obj.before)
                for name in names
            ],
            "subject_url": subject_url(obj.subject_type, obj.subject_id),
            "client_url": subject_url("clients.Client", str(obj.client_id or "")),
            "approval_url": subject_url("core.Approval", str(obj.approval_id or "")),
            "receipt_url": receipt_url(obj.decision_id),
            "list_url": reverse("admin:core_auditrecord_changelist"),
            "seal": AuditSeal.objects.filter(record_id=obj.pk).first(),
        }


class ExtractForm(forms.Form):
    client_id = forms.UUIDField(label=_("Client"), required=False)
    subject_id = forms.CharField(label=_("About (id)"), required=False, max_length=64)
    actor_id = forms.CharField(
        label=_("Who acted (id)"), required=False, max_length=64, help_text=_("For example user:7")
    )
    action = forms.CharField(label=_("Action"), required=False, max_length=80)
    request_id = forms.CharField(label=_("Request"), required=False, max_length=64)
    since = forms.DateTimeField(
        label=_("From"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        label=_("Before"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("Goes on record with what was taken.")
    )


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin):
    """Everything that was done, newest first, with the state of the chain above it."""

    list_display = ("at", "actor_label", "action", "about", "reason", "grounds", "request_id")
    list_filter = (
        ("at", RangeDateTimeFilter),
        trail_filter("actor", _("who acted (id)"), "actor_id"),
        trail_filter("behalf", _("on behalf of (id)"), "on_behalf_of"),
        trail_filter("action", _("action"), "action__startswith"),
        trail_filter("subject", _("about (id)"), "subject_id"),
        trail_filter("client", _("client (id)"), "client_id"),
        trail_filter("approval", _("approval (id)"), "approval_id"),
        trail_filter("decision", _("decision (id)"), "decision_id"),
        trail_filter("request", _("request"), "request_id"),
        "actor_kind",
    )
    search_fields = ("=subject_id", "=client_id", "actor_label", "=request_id", "action")
    fieldsets: Any = ()
    panels = (RecordPanel,)
    list_before_template = "admin/audit_integrity.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    @admin.display(description=_("about"))
    def about(self, obj: AuditRecord) -> str:
        return subject_link(obj)

    @admin.display(description=_("under"))
    def grounds(self, obj: AuditRecord) -> str:
        return ", ".join(obj.rule_versions)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        actor = actor_of(request)
        try:
            key_id = signing.active_key_id()
            key = signing.public_text(signing.public_keys()[key_id])
        except SigningKeyMissing:
            key_id = key = ""
        extra = {
            "integrity": integrity_status(),
            "signing_key_id": key_id,
            "signing_key": key,
            "may_extract": actor.allows(EXPORT_AUDIT),
        }
        return super().changelist_view(request, {**(extra_context or {}), **extra})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("extract/", view(self.extract_view), name="core_auditrecord_extract"),
            path("of/<str:label>/<str:object_id>/", view(self.timeline_view), name="core_timeline"),
            *super().get_urls(),
        ]

    def timeline_view(self, request: HttpRequest, label: str, object_id: str) -> HttpResponse:
        """Everything about one row, page by page: for those who may open the row's own page."""
        try:
            model = apps.get_model(label)
            page = self.admin_site.get_model_admin(model)
            before = (
                datetime.fromisoformat(request.GET["before"]) if "before" in request.GET else None
            )
        except (LookupError, ValueError, NotRegistered) as error:
            raise Http404 from error
        obj = page.get_object(request, object_id)
        if not page.has_view_permission(request):
            raise PermissionDenied
        if obj is None:
            raise Http404
        kind = request.GET.get("kind", "")
        entries = timeline_of(obj, actor_of(request), kind=kind, window=Window(PAGE, before))
        opts = model._meta
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timeline of %(what)s") % {"what": obj},
            "opts": opts,
            "entries": entries,
            "kinds": [(code, known.label) for code, known in KINDS.items()],
            "kind": kind,
            "older": entries[-1].at.isoformat() if len(entries) >= PAGE else "",
            "back_url": reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk]),
        }
        return render(request, "admin/timeline.html", context)

    def extract_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks what for; POST answers with the signed lines."""
        if not actor_of(request).allows(EXPORT_AUDIT):
            raise PermissionDenied
        posted = request.method == "POST"
        known = {
            name: value for name, value in request.GET.items() if name in ExtractForm.base_fields
        }
        form = ExtractForm(request.POST) if posted else ExtractForm(initial=known)
        error: DomainError | None = None
        if posted and form.is_valid():
            reason = form.cleaned_data.pop("reason")
            try:
                text = audit_extract(
                    wanted=ExtractFilter(**form.cleaned_data),
                    actor=actor_of(request),
                    reason=reason,
                )
            except DomainError as refused:
                error = refused
            else:
                return _file(text, f"audit-extract-{clock.now():%Y%m%d-%H%M%S}.jsonl")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Signed extract of the audit trail"),
            "opts": self.opts,
            "form": form,
            "error": error,
            "back_url": reverse("admin:core_auditrecord_changelist"),
        }
        status = error.status if error else (422 if form.errors else 200)
        return render(request, "admin/audit_extract.html", context, status=status)


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    """Signed heads, each to be taken along as one line and kept where nobody of this house writes."""

    list_display = ("at", "position", "short_digest", "key_id")
    fieldsets = ((None, {"fields": (("position", "record_id", "at"), "digest", "key_id", "line")}),)
    readonly_fields = ("line",)

    @admin.display(description=_("digest"))
    def short_digest(self, obj: AuditHead) -> str:
        return obj.digest[:16]

    @admin.display(description=_("line to keep elsewhere"))
    def line(self, obj: AuditHead) -> str:
        return head_of(obj).line()


def _file(text: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="application/x-ndjson; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def broken_trail(actor: Actor) -> Iterable[QueueRow]:
    """One row while the last proof found something."""
    status = integrity_status()
    if not status.breaks or status.last_verified is None:
        return []
    return [
        QueueRow(
            label=str(_("The audit trail does not prove itself: {n} findings")).format(
                n=status.breaks
            ),
            url=reverse("admin:core_auditrecord_changelist"),
            since=status.last_verified,
            sla_due=status.last_verified,
            severity="critical",
            next_action=str(_("Find out who touched the database; keep the signed heads")),
        )
    ]


register_queue("audit_trail", _("Audit trail"), VIEW_AUDIT, broken_trail)
