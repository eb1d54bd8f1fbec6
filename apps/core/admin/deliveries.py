"""Events and what became of them: the deliveries, and the page where dead letters are retried or skipped."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core.admin.base import BulkTransition, ReasonForm, Transition, actor_of
from apps.core.admin.pages import ReadOnlyAdmin
from apps.core.dead_letters import (
    MOST_AT_ONCE,
    dead_letters,
    deliveries_retry,
    deliveries_skip,
    delivery_retry,
    delivery_skip,
)
from apps.core.events import HANDLERS, WhenDead
from apps.core.models import Delivery, OutboxEvent
from apps.core.permissions import RETRY_DELIVERY, SKIP_DELIVERY

GONE = _("What this reaction would have done never happens. Later events of the same subject move on.")  # fmt: skip


class DeadLettersForm(ReasonForm):
    """Which handler's dead letters, and what to do about them."""

    handler = forms.CharField(max_length=120, widget=forms.HiddenInput())
    act = forms.ChoiceField(
        choices=[("retry", _("Retry")), ("skip", _("Go on without them"))],
        widget=forms.HiddenInput(),
    )


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "aggregate", "dispatched_at")
    list_filter = ("name",)
    search_fields = ("=aggregate", "name")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    bulk = (BulkTransition("retry"), BulkTransition("skip"))
    list_display = ("id", "event", "handler", "state", "attempts", "next_at", "done_at")
    list_filter = ("state", "handler")
    list_select_related = ("event",)
    search_fields = ("handler", "=aggregate")
    transitions = (
        Transition(
            "retry", _("Retry"), delivery_retry, RETRY_DELIVERY, form=ReasonForm,
            visible=lambda obj: obj.state == Delivery.State.DEAD,
        ),
        Transition(
            "skip", _("Go on without it"), delivery_skip, SKIP_DELIVERY, form=ReasonForm, tone="danger",
            visible=lambda obj: obj.state == Delivery.State.DEAD, explanation=GONE,
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        dead = path("dead/", self.admin_site.admin_view(self.dead_view), name="core_delivery_dead")
        return [dead, *super().get_urls()]

    def dead_view(self, request: HttpRequest) -> HttpResponse:
        """Dead letters by handler. GET changes nothing; POST retries or skips those of one handler."""
        actor = actor_of(request)
        if not actor.allows(RETRY_DELIVERY):
            raise PermissionDenied
        form = DeadLettersForm(request.POST or None, auto_id=False)
        if request.method == "POST" and form.is_valid():
            return self._act(request, **form.cleaned_data)
        lines = dead_letters(actor)
        holding = {
            line.handler: line.handler not in HANDLERS
            or HANDLERS[line.handler].when_dead is WhenDead.HOLD
            for line in lines
        }
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dead letters"),
            "opts": self.opts,
            "lines": [(line, holding[line.handler]) for line in lines],
            "may_skip": actor.allows(SKIP_DELIVERY),
            "form": form,
            "most": MOST_AT_ONCE,
        }
        return render(
            request, "admin/dead_letters.html", context, status=422 if form.errors else 200
        )

    def _act(self, request: HttpRequest, *, handler: str, act: str, reason: str) -> HttpResponse:
        if not any(line.handler == handler for line in dead_letters(actor_of(request))):
            raise Http404
        service = deliveries_retry if act == "retry" else deliveries_skip
        count = service(handler=handler, actor=actor_of(request), reason=reason)
        messages.success(request, ngettext("%(n)d letter.", "%(n)d letters.", count) % {"n": count})
        return HttpResponseRedirect(reverse("admin:core_delivery_dead"))
