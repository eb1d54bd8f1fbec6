"""The back office's pages of clients: the whole client on one page, restrictions, applications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.clients import privacy_admin  # noqa: F401
from apps.clients.enums import DuplicateState, Lifecycle, LiftBy, RestrictionKind
from apps.clients.exports import CLIENTS
from apps.clients.models import (
    Agreement,
    Client,
    ClientShare,
    DuplicateFlag,
    LegalEntity,
    OnboardingSession,
    Restriction,
)
from apps.clients.panels import (
    AgreementsPanel,
    AnswersPanel,
    IdentityPanel,
    OnboardingPanel,
    RestrictionsPanel,
    SharesPanel,
)
from apps.clients.permissions import (
    ACTIVATE_CLIENT,
    ADD_RESTRICTION,
    CHANGE_LIFECYCLE,
    CHANGE_OWNER,
    LIFT_RESTRICTION,
    MANAGE_PRIVACY,
    REJECT_CLIENT,
    RESOLVE_DUPLICATE,
    SET_HOLD,
    SHARE_CLIENT,
)
from apps.clients.search import clients_named
from apps.clients.selectors import login_of, onboarding_progress, restrictions_in_force
from apps.clients.services import (
    client_activate,
    client_close,
    client_make_dormant,
    client_offboard,
    client_owner_change,
    client_reject,
    client_share,
    client_share_revoke,
    client_wake,
    duplicate_confirm,
    duplicate_dismiss,
    erasure_request,
    export_request,
    legal_hold_set,
    restriction_add,
    restriction_lift,
)
from apps.core import clock
from apps.core.admin import BrokerModelAdmin, BulkTransition, ReasonForm, Transition, actor_of
from apps.core.admin.doors import LONGEST_SEARCH
from apps.core.templatetags.brokeros import badge, duration
from apps.users.models import Desk

L = Lifecycle


class RestrictForm(ReasonForm):
    """One more restriction, with its end and who may end it sooner."""

    kind = forms.ChoiceField(
        label=_("Restriction"), choices=RestrictionKind.choices, widget=UnfoldAdminSelectWidget
    )
    lift_by = forms.ChoiceField(
        label=_("Who may lift it"), choices=LiftBy.choices, widget=UnfoldAdminSelectWidget
    )
    expires_at = forms.DateTimeField(
        label=_("Ends by itself (UTC)"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    field_order = ("kind", "lift_by", "expires_at", "reason")


class OwnerForm(ReasonForm):
    needs_obj = True
    owner_id = forms.TypedChoiceField(
        label=_("Owner"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    desk_id = forms.TypedChoiceField(
        label=_("Desk"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    field_order = ("owner_id", "desk_id", "reason")

    def __init__(self, *args: Any, obj: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
        self._offer("owner_id", staff, obj.owner_id)
        self._offer("desk_id", Desk.objects.all(), obj.desk_id)

    def _offer(self, name: str, rows: Any, chosen: Any) -> None:
        self.fields[name].choices = [("", "—"), *((row.pk, str(row)) for row in rows)]  # type: ignore[attr-defined]
        self.fields[name].initial = chosen


class ShareForm(ReasonForm):
    """To whom, until when, why."""

    needs_obj = True
    user_id = forms.TypedChoiceField(
        label=_("Colleague"), coerce=int, widget=UnfoldAdminSelectWidget
    )
    until = forms.DateTimeField(
        label=_("Until (UTC)"),
        help_text=_("At most 90 days. It ends by itself."),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    field_order = ("user_id", "until", "reason")

    def __init__(self, *args: Any, obj: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
        self.fields["user_id"].choices = [("", "—"), *((row.pk, str(row)) for row in staff)]  # type: ignore[attr-defined]


class OwnersForm(ReasonForm):
    """The owner and the desk of many clients."""

    owner_id = forms.TypedChoiceField(
        label=_("Owner"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    desk_id = forms.TypedChoiceField(
        label=_("Desk"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    field_order = ("owner_id", "desk_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
        for name, rows in (("owner_id", staff), ("desk_id", Desk.objects.all())):
            self.fields[name].choices = [("", "—"), *((row.pk, str(row)) for row in rows)]  # type: ignore[attr-defined]


@admin.register(Client)
class ClientAdmin(BrokerModelAdmin):
    """Client 360."""

    export = CLIENTS
    bulk = (
        BulkTransition("owner", form=OwnersForm),
        BulkTransition("dormant"),
        BulkTransition("wake"),
    )
    change_form_template = "clients/admin/client_360.html"
    show_timeline = False
    list_display = (
        "number", "name", "entity", "country", "axis_lifecycle", "axis_kyc", "held", "owner",
        "created_at",
    )  # fmt: skip
    list_display_links = ("number", "name")
    list_filter = ("lifecycle", "kyc_status", "entity", "category", "risk_rating")
    list_select_related = ("person", "entity", "owner", "desk")
    search_fields = (
        "number", "person__names__blind", "person__email_index__blind",
        "person__phone_index__blind", "person__tax_id_index__blind",
    )  # fmt: skip
    ordering = ("-created_at",)
    fieldsets = (
        (
            _("Record"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("number", "entity", "kind"),
                    ("country", "language", "category"),
                    ("owner", "desk", "partner_code"),
                    ("pep_declared", "us_person", "appropriateness", "appropriateness_score"),
                    ("created_at", "email_confirmed_at", "activated_at", "closed_at"),
                ),
            },
        ),
    )
    panels = (IdentityPanel, RestrictionsPanel, OnboardingPanel, AgreementsPanel, SharesPanel)
    transitions = (
        Transition(
            "restrict", _("Restrict"), restriction_add, ADD_RESTRICTION, RestrictForm,
            visible=lambda obj: obj.lifecycle not in (L.CLOSED, L.MERGED),
            explanation=_("Each restriction stands by itself: lifting one leaves the others."),
        ),
        Transition(
            "activate", _("Activate"), client_activate, ACTIVATE_CLIENT, tone="primary",
            visible=lambda obj: obj.lifecycle == L.ONBOARDING and obj.verified,
        ),
        Transition(
            "reject", _("Reject application"), client_reject, REJECT_CLIENT, tone="danger",
            visible=lambda obj: obj.lifecycle in (L.REGISTERED, L.ONBOARDING),
        ),
        Transition(
            "dormant", _("Make dormant"), client_make_dormant, CHANGE_LIFECYCLE,
            visible=lambda obj: obj.lifecycle == L.ACTIVE,
        ),
        Transition(
            "wake", _("Wake"), client_wake, CHANGE_LIFECYCLE, tone="primary",
            visible=lambda obj: obj.lifecycle == L.DORMANT,
        ),
        Transition(
            "offboard", _("Begin offboarding"), client_offboard, CHANGE_LIFECYCLE,
            visible=lambda obj: obj.lifecycle in (L.ACTIVE, L.DORMANT),
        ),
        Transition(
            "close", _("Close"), client_close, CHANGE_LIFECYCLE, tone="danger",
            visible=lambda obj: obj.lifecycle == L.OFFBOARDING,
        ),
        Transition("owner", _("Change owner"), client_owner_change, CHANGE_OWNER, OwnerForm),
        Transition("hold", _("Legal hold"), legal_hold_set, SET_HOLD),
        Transition("copy", _("Copy of the data"), export_request, MANAGE_PRIVACY),
        Transition("forget", _("Erase"), erasure_request, MANAGE_PRIVACY, tone="danger"),
        Transition(
            "share", _("Share with a colleague until…"), client_share, SHARE_CLIENT, ShareForm,
            explanation=_("They see this client with its accounts, money and cases; "
                          "what they may do stays with their role."),
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("restrictions")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """As everywhere clients are searched, by what this person reads in full."""
        text = " ".join(search_term.split())[:LONGEST_SEARCH]
        if not text:
            return queryset, False
        return queryset.filter(pk__in=clients_named(actor_of(request), text).values("pk")), False

    @display(description=_("Name"))
    def name(self, obj: Client) -> str:
        return str(obj.person)

    @display(description=_("Lifecycle"), ordering="lifecycle")
    def axis_lifecycle(self, obj: Client) -> str:
        return badge(obj.lifecycle, obj.get_lifecycle_display())

    @display(description=_("Verification"), ordering="kyc_status")
    def axis_kyc(self, obj: Client) -> str:
        return badge(obj.kyc_status, obj.get_kyc_status_display())

    @display(description=_("Restrictions"))
    def held(self, obj: Client) -> str:
        at = clock.now()
        kinds = {row.get_kind_display() for row in obj.restrictions.all() if row.binds(at)}
        return ", ".join(sorted(map(str, kinds))) or "—"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra = {**(extra_context or {})}
        obj = self.get_object(request, object_id)
        if obj is not None:
            extra["binding"] = list(restrictions_in_force(obj.pk))
            extra["look_login"] = login_of(obj)
        return super().change_view(request, object_id, form_url, extra)


@admin.register(Restriction)
class RestrictionAdmin(BrokerModelAdmin):
    list_display = (
        "client", "kind", "source", "lift_by", "reason", "created_at", "expires_at", "lifted_at",
    )  # fmt: skip
    list_filter = ("kind", "source", "lift_by", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("client__person",)
    search_fields = ("client__number", "client__person__names__blind", "source_ref")
    fieldsets = (
        (None, {"fields": (("client", "kind"), ("source", "source_ref", "lift_by"), "reason")}),
        (_("When"), {"fields": (("created_at", "added_by", "expires_at"),)}),
        (_("End"), {"fields": (("lifted_at", "lifted_by"), "lift_reason")}),
    )
    transitions = (
        Transition(
            "lift", _("Lift"), restriction_lift, LIFT_RESTRICTION, tone="primary",
            visible=lambda obj: obj.binds(clock.now()),
            explanation=_("Only this one ends. Others of the same kind go on."),
        ),
    )  # fmt: skip

    def after_transition_url(self, request: HttpRequest, obj: Restriction) -> str:
        return reverse("admin:clients_client_change", args=[obj.client_id])


@admin.register(ClientShare)
class ClientShareAdmin(BrokerModelAdmin):
    """Every dated exception: who sees whose client, until when, why, and by whom."""

    list_display = (
        "client", "user", "stands", "valid_from", "valid_until", "granted_by", "reason",
    )  # fmt: skip
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "valid_until")
    list_select_related = ("content_object__person", "user", "granted_by")
    search_fields = ("content_object__number", "user__name", "granted_by__name")
    fieldsets = (
        (None, {"fields": (("content_object", "user"), ("valid_from", "valid_until"), "reason",
                           "granted_by")}),
        (_("Taken back"), {"fields": (("revoked_at", "revoked_by"), "revoke_reason")}),
    )  # fmt: skip
    transitions = (
        Transition(
            "revoke", _("Take back"), client_share_revoke, SHARE_CLIENT, target="share_id",
            tone="danger", visible=lambda obj: obj.revoked_at is None and not obj.over,
        ),
    )  # fmt: skip

    @display(description=_("Client"), ordering="content_object__number")
    def client(self, obj: ClientShare) -> str:
        return str(obj.content_object)

    @display(description=_("State"))
    def stands(self, obj: ClientShare) -> str:
        if obj.in_force:
            return badge("ACTIVE", _("in force"))
        return badge("CLOSED", _("taken back") if obj.revoked_at else _("over"))


@admin.register(OnboardingSession)
class OnboardingSessionAdmin(BrokerModelAdmin):
    """Who is stuck where, since when, and at what."""

    list_display = (
        "client", "entity", "state", "stands_at", "waiting", "progress", "failed_attempts",
        "last_problem",
    )  # fmt: skip
    list_filter = ("state", "client__entity", "current_step", "schema_code")
    list_select_related = ("client__person", "client__entity")
    search_fields = ("client__number", "client__person__names__blind")
    ordering = ("state", "step_entered_at")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("client", "state"),
                    ("schema_code", "schema_version"),
                    ("current_step", "step_entered_at"),
                    ("failed_attempts", "last_problem"),
                    ("created_at", "submitted_at"),
                )
            },
        ),
    )
    panels = (AnswersPanel,)

    @display(description=_("Entity"), ordering="client__entity__code")
    def entity(self, obj: OnboardingSession) -> str:
        return obj.client.entity.code

    @display(description=_("Stands at"), ordering="current_step")
    def stands_at(self, obj: OnboardingSession) -> str:
        return "—" if obj.submitted_at else obj.current_step

    @display(description=_("For"), ordering="step_entered_at")
    def waiting(self, obj: OnboardingSession) -> str:
        return "—" if obj.submitted_at else duration(clock.now() - obj.step_entered_at)

    @display(description=_("Progress"))
    def progress(self, obj: OnboardingSession) -> str:
        done = onboarding_progress(obj)
        return f"{done['done']}/{done['total']}"


@admin.register(DuplicateFlag)
class DuplicateFlagAdmin(BrokerModelAdmin):
    bulk = (BulkTransition("dismiss"),)
    list_display = ("client", "other", "signal", "state", "created_at")
    list_filter = ("state", "signal")
    list_select_related = ("client__person", "other__person")
    search_fields = ("client__number", "other__number")
    fieldsets = ((None, {"fields": (("client", "other"), ("signal", "state"), "created_at")}),)
    transitions = (
        Transition(
            "dismiss", _("Two people"), duplicate_dismiss, RESOLVE_DUPLICATE, target="flag_id",
            visible=lambda obj: obj.state == DuplicateState.OPEN,
        ),
        Transition(
            "confirm", _("One person"), duplicate_confirm, RESOLVE_DUPLICATE, target="flag_id",
            tone="danger", visible=lambda obj: obj.state == DuplicateState.OPEN,
        ),
    )  # fmt: skip


@admin.register(LegalEntity)
class LegalEntityAdmin(BrokerModelAdmin):
    list_display = ("code", "name", "regime", "base_currency", "regulator", "active")
    search_fields = ("code", "name")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("regime", "regulator"), ("base_currency", "active"))}),
        (
            _("What clients read"),
            {
                "fields": (
                    "licence_text", "risk_warning", "losing_accounts_percent", "footer",
                    "support_email",
                )
            },
        ),
    )  # fmt: skip


@admin.register(Agreement)
class AgreementAdmin(BrokerModelAdmin):
    list_display = ("title", "entity", "code", "version", "language", "required", "in_force_from")
    list_filter = ("entity", "code", "language")
    list_select_related = ("entity",)
    search_fields = ("title", "code")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("entity", "code", "version", "language"),
                    ("title", "required", "in_force_from"),
                )
            },
        ),
        (_("Text"), {"fields": ("body", "body_sha256")}),
    )
