from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core import clock
from apps.core.admin import BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.core.masks import FieldMask, mask_for
from apps.users.access_forms import RoleRequestForm, StaffForm
from apps.users.access_pages import invite_view
from apps.users.models import Desk, Role, RoleGrant, RoleMask, Team, User
from apps.users.panels import (
    DifferencePanel,
    GrantsPanel,
    HoldersPanel,
    LeftoversPanel,
    PermissionsPanel,
    role_difference,
)
from apps.users.permissions import CUT_OFF, MANAGE_STAFF, REQUEST_ACCESS
from apps.users.services import (
    access_request,
    staff_change,
    staff_invite_again,
    staff_readmit,
    user_cut_off,
)
from apps.users.signin.permissions import RESET_ACCESS
from apps.users.signin.services import access_reset_request
from apps.users.signin.views import StaffSignInView

# The pages of allauth's own tables would let staff edit sessions and second factors past every service.
for table in (EmailAddress, EmailConfirmation, Authenticator, UserSession):
    if admin.site.is_registered(table):
        admin.site.unregister(table)
admin.site.unregister(Group)
# One sign-in for the whole house: the back office's door is a page of it.
admin.site.login = StaffSignInView.as_view()  # type: ignore[assignment]
admin.site.password_change = RedirectView.as_view(  # type: ignore[assignment]
    pattern_name="account_change_password"
)


CLIENTS_ADDRESS = "clients.Person.email"


def grants_now() -> Prefetch[Any, Any, Any]:
    """What each login holds at this moment, under `grants_now`: one query for a whole list."""
    held = RoleGrant.objects.in_force().select_related("role")
    return Prefetch("grants", held, to_attr="grants_now")


class AccessResetForm(ReasonForm):
    """How it was made sure who asks goes before the colleague who decides, and into the trail."""

    evidence = forms.CharField(
        label=_("How did you make sure that it is them?"),
        min_length=10,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    field_order = ("evidence", "reason")


@admin.register(User)
class UserAdmin(BrokerModelAdmin):
    list_display = (
        "email",
        "name",
        "is_staff",
        "is_active",
        "role_names",
        "scope_level",
        "desk",
        "last_login",
    )
    list_filter = ("is_staff", "is_active")
    list_select_related = ("desk",)
    search_fields = ("email", "name")
    fieldsets = (
        (None, {"fields": (("email", "name"), ("is_active", "is_staff"), ("scope_level", "desk", "team"),
                           ("entities", "jurisdictions"),
                           ("last_login", "date_joined"))}),
    )  # fmt: skip
    show_timeline = True
    change_list_template = "users/admin/staff.html"
    panels = (GrantsPanel, LeftoversPanel)
    transitions = (
        Transition(
            "role", _("Ask for a role"), access_request, REQUEST_ACCESS, RoleRequestForm,
            tone="primary", visible=lambda obj: obj.is_staff and obj.is_active,
            done=_("Asked. A second person decides under Approvals."),
        ),
        Transition(
            "change", _("Change"), staff_change, MANAGE_STAFF, StaffForm,
            visible=lambda obj: obj.is_staff and obj.is_active,
            explanation=_("What narrows the view counts now; what widens it waits for a second person."),
            done=_("Done. What widens the view waits for a second person."),
        ),
        Transition(
            "invite", _("Send the link again"), staff_invite_again, MANAGE_STAFF,
            visible=lambda obj: obj.is_staff and obj.is_active and not obj.has_usable_password(),
        ),
        Transition(
            "readmit", _("Let back in"), staff_readmit, MANAGE_STAFF,
            visible=lambda obj: obj.is_staff and obj.left_at is not None,
            explanation=_("Without roles and without a view; both are asked for again."),
        ),
        Transition(
            "reset_access",
            _("Reset second factor"),
            access_reset_request,
            RESET_ACCESS,
            form=AccessResetForm,
            tone="danger",
            visible=lambda user: user.is_active,
            explanation=_(
                "For somebody who lost it. A colleague has to agree; then every second factor and session ends,"
                " and a link for a new password goes to the login's mailbox."
            ),
            done=_("Asked. A colleague decides under Approvals."),
        ),
        Transition(
            "cut_off", _("Cut off"), user_cut_off, CUT_OFF, tone="danger",
            visible=lambda obj: obj.left_at is None,
            explanation=_("Sessions, open pages, roles and stand-ins end at this moment."),
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        invite = path("invite/", self.admin_site.admin_view(invite_view), name="users_user_invite")
        return [invite, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """A client's login is named by their address, so those alone see it who read the address in full."""
        users = super().get_queryset(request).prefetch_related(grants_now())
        reads = mask_for(actor_of(request), CLIENTS_ADDRESS) is FieldMask.FULL
        return users if reads else users.filter(is_staff=True)

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("roles"))
    def role_names(self, obj: User) -> str:
        held = obj.grants_now  # type: ignore[attr-defined]
        return ", ".join(sorted(grant.role.name for grant in held))


@admin.register(Role)
class RoleAdmin(BrokerModelAdmin):
    """Roles come from the data file; the page says what each may do, who holds it, and where the two differ."""

    list_display = ("name", "holders", "as_declared")
    search_fields = ("name",)
    fields = ("name",)
    panels = (PermissionsPanel, HoldersPanel, DifferencePanel)
    show_timeline = False

    def get_queryset(self, request: HttpRequest) -> Any:
        at = clock.now()
        held = Q(grants__valid_from__lte=at, grants__user__is_active=True) & (
            Q(grants__valid_until=None) | Q(grants__valid_until__gt=at)
        )
        rows = super().get_queryset(request).annotate(held=Count("grants", filter=held))
        return rows.prefetch_related("permissions__content_type")

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("held by"), ordering="held")
    def holders(self, obj: Any) -> int:
        return int(obj.held)

    @admin.display(description=_("as the data file says"), boolean=True)
    def as_declared(self, obj: Role) -> bool:
        return role_difference(obj) == ([], [])


@admin.register(Desk)
class DeskAdmin(BrokerModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name",)
    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(BrokerModelAdmin):
    """Who works on one book; the lead and whoever sees as far as the team see all of it."""

    list_display = ("name", "code", "desk", "lead", "people")
    list_filter = ("desk",)
    list_select_related = ("desk", "lead")
    search_fields = ("name", "code")
    show_timeline = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(member_count=Count("members"))

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("people"), ordering="member_count")
    def people(self, obj: Any) -> int:
        return int(obj.member_count)


@admin.register(RoleMask)
class RoleMaskAdmin(BrokerModelAdmin):
    """What each role reads of personal fields. The data file is where it is changed."""

    list_display = ("role", "field", "mask")
    list_filter = ("role", "mask")
    list_select_related = ("role",)
    search_fields = ("field", "role__name")
    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
