"""Risk in the back office: kill switches, and the way to the live exposure."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.core.errors import DomainError
from apps.orders.permissions import SET_KILL_SWITCH
from apps.risk.enums import SwitchLevel, SwitchState
from apps.risk.models import KillSwitch
from apps.risk.services import kill_switch_rearm_request, kill_switch_trip

STATE_COLORS = {
    SwitchState.TRIPPED: "danger",
    SwitchState.REARM_REQUESTED: "warning",
    SwitchState.REARMED: "success",
}


class TripForm(ReasonForm):
    """What to stop, and why."""

    level = forms.ChoiceField(
        label=_("Stop"), choices=SwitchLevel.choices, widget=UnfoldAdminSelectWidget()
    )
    target = forms.CharField(
        label=_("Which one"),
        required=False,
        help_text=_("Code, symbol, login or id. Empty for the whole firm."),
        widget=UnfoldAdminTextInputWidget(),
    )
    field_order = ("level", "target", "reason")


@admin.register(KillSwitch)
class KillSwitchAdmin(BrokerModelAdmin):
    list_display = ("scope", "current", "trip_reason", "tripped_by", "tripped_at", "rearmed_at")
    list_filter = ("state", "level")
    fields = (
        "level", "target", "state", "tripped_by", "tripped_at", "trip_reason", "rearmed_by",
        "rearmed_at",
    )  # fmt: skip
    transitions = (
        Transition(
            "rearm",
            _("Ask to re-arm"),
            kill_switch_rearm_request,
            SET_KILL_SWITCH,
            target="kill_switch_id",
            tone="primary",
            visible=lambda switch: switch.state == SwitchState.TRIPPED,
            explanation=_("Trading goes on only after a second person agreed."),
            done=_("Asked. A second person decides under Approvals."),
            step_up=True,
        ),
    )
    change_list_template = "risk/kill_switches.html"

    @display(description=_("State"), label=STATE_COLORS)
    def current(self, obj: KillSwitch) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        may_trip = actor_of(request).allows(SET_KILL_SWITCH)
        return super().changelist_view(request, {**(extra_context or {}), "may_trip": may_trip})

    def get_urls(self) -> list[URLPattern]:
        trip = path(
            "trip/", self.admin_site.admin_view(self.trip_view), name="risk_killswitch_trip"
        )
        return [trip, *super().get_urls()]

    def trip_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and changes nothing; POST stops."""
        if not actor_of(request).allows(SET_KILL_SWITCH):
            raise PermissionDenied
        form = TripForm(request.POST or None)
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                switch = kill_switch_trip(actor=actor_of(request), **form.cleaned_data)
            except DomainError as refused:
                error = refused
            else:
                messages.success(request, _("Trading is stopped: {}").format(switch.scope))
                url = reverse("admin:risk_killswitch_change", args=[switch.pk])
                return HttpResponseRedirect(url)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Stop trading"),
            "form": form,
            "error": error,
            "opts": self.opts,
        }
        status = error.status if error else (422 if form.errors else 200)
        return render(request, "risk/trip.html", context, status=status)
