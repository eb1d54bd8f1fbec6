"""The back office's pages of access: grants, reviews, networks, looks as a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from apps.core.admin import BrokerModelAdmin, Transition, actor_of
from apps.core.errors import DomainError
from apps.core.permissions import Permission
from apps.users.access_forms import InviteForm, LookForm, NetworkForm
from apps.users.gates import LOOK
from apps.users.models import (
    AccessReview,
    AccessReviewLine,
    Impersonation,
    NetworkRule,
    RoleGrant,
    User,
)
from apps.users.panels import ReviewLines
from apps.users.permissions import (
    IMPERSONATE,
    MANAGE_NETWORKS,
    MANAGE_STAFF,
    REVIEW_ACCESS,
    REVOKE_ACCESS,
)
from apps.users.selectors import request_actor
from apps.users.services import (
    access_review_sign,
    impersonation_end,
    impersonation_start,
    network_rule_add,
    network_rule_end,
    review_line_keep,
    review_line_revoke,
    role_revoke,
    staff_invite,
)

Done = Callable[[Any], str]


def form_page(
    request: HttpRequest,
    *,
    title: Any,
    permission: Permission,
    form_class: type[forms.Form],
    service: Callable[..., Any],
    done: Done,
    explanation: Any = "",
    back_url: str = "",
) -> HttpResponse:
    """One form, one service: GET shows it and changes nothing; a refusal is told in words above the form."""
    if not actor_of(request).allows(permission):
        raise PermissionDenied
    form = form_class(request.POST if request.method == "POST" else None)
    error: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            result = service(actor=request_actor(request), **form.cleaned_data)
        except DomainError as refused:
            error = refused
        else:
            return HttpResponseRedirect(done(result))
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "error": error,
        "explanation": explanation,
        "back_url": back_url,
    }
    status = error.status if error else (422 if form.errors else 200)
    return render(request, "users/admin/form_page.html", context, status=status)


def invite_view(request: HttpRequest) -> HttpResponse:
    return form_page(
        request,
        title=_("Invite a member of staff"),
        permission=MANAGE_STAFF,
        form_class=InviteForm,
        service=staff_invite,
        done=lambda user: reverse("admin:users_user_change", args=[user.pk]),
        explanation=_(
            "They get a link to choose a password. Roles and what they see are asked for afterwards, and a second "
            "person agrees."
        ),
        back_url=reverse("admin:users_user_changelist"),
    )


def network_view(request: HttpRequest) -> HttpResponse:
    return form_page(
        request,
        title=_("Limit networks"),
        permission=MANAGE_NETWORKS,
        form_class=NetworkForm,
        service=network_rule_add,
        done=lambda rule: reverse("admin:users_networkrule_changelist"),
        explanation=_("From the next request on, whoever comes from elsewhere is signed out."),
        back_url=reverse("admin:users_networkrule_changelist"),
    )


def look_view(request: HttpRequest, user_id: int) -> HttpResponse:
    """Begin to look as a client; the session remembers which look it is."""
    get_object_or_404(User.objects.all(), pk=user_id, is_staff=False)

    def begin(**values: Any) -> Impersonation:
        look = impersonation_start(user_id=user_id, **values)
        request.session[LOOK] = str(look.pk)
        return look

    return form_page(
        request,
        title=_("See the portal as this client"),
        permission=IMPERSONATE,
        form_class=LookForm,
        service=begin,
        done=lambda look: reverse("portal:dashboard"),
        explanation=_(
            "Reading only. The client's trail says who looked, when, at which pages and why."
        ),
        back_url=reverse("admin:index"),
    )


def look_end_view(request: HttpRequest) -> HttpResponse:
    """POST ends the look; a link to here changes nothing."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:index"))
    look_id = request.session.pop(LOOK, None)
    if look_id:
        impersonation_end(
            impersonation_id=look_id, actor=request_actor(request), reason="ended by hand"
        )
        messages.success(request, _("You are yourself again."))
    return HttpResponseRedirect(reverse("admin:index"))


@admin.register(RoleGrant)
class RoleGrantAdmin(BrokerModelAdmin):
    """Who holds, held or will hold which role."""

    list_display = ("user", "role", "valid_from", "valid_until", "granted_by_label", "standing")
    list_filter = ("role",)
    list_select_related = ("user", "role")
    search_fields = ("user__name", "user__email", "role__name")
    fields = (
        "user", "role", "valid_from", "valid_until", "reason", "granted_by_label", "approval_id",
        "revoked_at", "revoked_by_label", "revoke_reason",
    )  # fmt: skip
    transitions = (
        Transition(
            "revoke", _("Take away"), role_revoke, REVOKE_ACCESS, tone="danger",
            visible=lambda grant: grant.state in ("ACTIVE", "PLANNED"),
            explanation=_("The role is lost at this moment."),
        ),
    )  # fmt: skip

    @admin.display(description=_("state"))
    def standing(self, obj: RoleGrant) -> Any:
        return {
            "ACTIVE": _("held"), "PLANNED": _("planned"), "REVOKED": _("revoked"), "ENDED": _("over"),
        }[obj.state]  # fmt: skip


@admin.register(AccessReview)
class AccessReviewAdmin(BrokerModelAdmin):
    list_display = ("code", "state", "due_at", "signed_by_label", "signed_at")
    list_filter = ("state",)
    fields = (("code", "state"), ("due_at", "signed_at"), "signed_by_label", "digest")
    panels = (ReviewLines,)
    transitions = (
        Transition(
            "sign", _("Sign"), access_review_sign, REVIEW_ACCESS, tone="primary",
            visible=lambda review: review.state == AccessReview.State.OPEN,
            explanation=_("Every line is decided. After this nothing in it can change."),
        ),
    )  # fmt: skip


@admin.register(AccessReviewLine)
class AccessReviewLineAdmin(BrokerModelAdmin):
    list_display = (
        "review",
        "user",
        "role",
        "held_since",
        "last_sign_in",
        "decision",
        "decided_by",
    )
    list_filter = ("review", "decision", "role")
    list_select_related = ("review", "user", "decided_by")
    search_fields = ("user__name", "role")
    fields = (
        ("review", "decision"), ("user", "role"), ("held_since", "sees"), "last_sign_in", "unused",
        ("decided_by", "decided_at"), "reason",
    )  # fmt: skip
    transitions = (
        Transition(
            "keep", _("Keep"), review_line_keep, REVIEW_ACCESS, tone="primary",
            visible=lambda line: line.decision == "OPEN",
        ),
        Transition(
            "revoke", _("Revoke"), review_line_revoke, REVIEW_ACCESS, tone="danger",
            visible=lambda line: line.decision != "REVOKE",
            explanation=_("The role is lost at this moment; a login without any role is cut off."),
        ),
    )  # fmt: skip

    def after_transition_url(self, request: HttpRequest, obj: AccessReviewLine) -> str:
        return reverse("admin:users_accessreview_change", args=[obj.review_id])


@admin.register(NetworkRule)
class NetworkRuleAdmin(BrokerModelAdmin):
    list_display = ("created_at", "role", "user", "networks", "active", "reason")
    list_filter = ("active",)
    list_select_related = ("role", "user")
    change_list_template = "users/admin/networks.html"
    transitions = (
        Transition(
            "end", _("End"), network_rule_end, MANAGE_NETWORKS, tone="danger",
            visible=lambda rule: rule.active,
        ),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        add = path(
            "limit/", self.admin_site.admin_view(network_view), name="users_networkrule_limit"
        )
        return [add, *super().get_urls()]


@admin.register(Impersonation)
class ImpersonationAdmin(BrokerModelAdmin):
    list_display = ("started_at", "user", "login", "purpose", "expires_at", "ended_at")
    list_select_related = ("user", "login")
    search_fields = ("user__name", "purpose")
    fields = (("user", "login"), "purpose", ("started_at", "expires_at", "ended_at"), "client_ids")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("begin/<int:user_id>/", wrap(look_view), name="users_impersonation_begin"),
            path("stop/", wrap(look_end_view), name="users_impersonation_stop"),
            *super().get_urls(),
        ]
