"""What staff administration asks for in its dialogs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.actor import ScopeLevel
from apps.core.admin import ReasonForm
from apps.users.models import Desk, Role, Team, User
from apps.users.roles import outside_roles


def _moment(label: Any, help_text: Any = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )


def staff_roles() -> list[tuple[str, str]]:
    names = Role.objects.exclude(name__in=outside_roles()).order_by("name")
    return [(name, name) for name in names.values_list("name", flat=True)]


class InviteForm(ReasonForm):
    email = forms.EmailField(label=_("E-mail"), widget=UnfoldAdminTextInputWidget())
    name = forms.CharField(label=_("Name"), max_length=150, widget=UnfoldAdminTextInputWidget())
    field_order = ("email", "name", "reason")


class RoleRequestForm(ReasonForm):
    """Which role, from when until when."""

    needs_obj = True
    role = forms.ChoiceField(label=_("Role"), widget=UnfoldAdminSelectWidget())
    valid_from = _moment(_("From (UTC)"), _("Empty: as soon as it is approved."))
    valid_until = _moment(_("Until (UTC)"), _("Empty: until it is taken away."))
    field_order = ("role", "valid_from", "valid_until", "reason")

    def __init__(self, *args: Any, obj: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = staff_roles()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "role" in values:
            values["roles"] = [values.pop("role")]
        return values


class StaffForm(ReasonForm):
    """How far somebody sees. What widens it waits for a second person."""

    needs_obj = True
    name = forms.CharField(label=_("Name"), max_length=150, widget=UnfoldAdminTextInputWidget())
    scope_level = forms.ChoiceField(
        label=_("Sees"), choices=[(s.value, s.value) for s in ScopeLevel],
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    desk_id = forms.TypedChoiceField(
        label=_("Desk"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    team_id = forms.TypedChoiceField(
        label=_("Team"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    entities = forms.CharField(
        label=_("Companies"), required=False, help_text=_("Codes, separated by spaces."),
        widget=UnfoldAdminTextInputWidget(),
    )  # fmt: skip
    jurisdictions = forms.CharField(
        label=_("Countries"), required=False, help_text=_("ISO codes, separated by spaces."),
        widget=UnfoldAdminTextInputWidget(),
    )  # fmt: skip
    field_order = (
        "name", "scope_level", "desk_id", "team_id", "entities", "jurisdictions", "reason",
    )  # fmt: skip

    def __init__(self, *args: Any, obj: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "scope_level", "desk_id", "team_id"):
            self.fields[name].initial = getattr(obj, name)
        for name in ("entities", "jurisdictions"):
            self.fields[name].initial = " ".join(getattr(obj, name))
        for name, rows in (("desk_id", Desk.objects.all()), ("team_id", Team.objects.all())):
            self.fields[name].choices = [("", "-"), *((row.pk, str(row)) for row in rows)]  # type: ignore[attr-defined]

    def clean_entities(self) -> list[str]:
        return sorted(set(self.cleaned_data["entities"].upper().replace(",", " ").split()))

    def clean_jurisdictions(self) -> list[str]:
        return sorted(set(self.cleaned_data["jurisdictions"].upper().replace(",", " ").split()))


class LookForm(ReasonForm):
    """Why, and for how long."""

    minutes = forms.TypedChoiceField(
        label=_("For"), coerce=int, initial=15, widget=UnfoldAdminSelectWidget(),
        choices=[(5, _("5 minutes")), (15, _("15 minutes")), (30, _("30 minutes")), (60, _("1 hour"))],
    )  # fmt: skip
    field_order = ("minutes", "reason")


class NetworkForm(ReasonForm):
    """Who may come from where."""

    role = forms.ChoiceField(label=_("Role"), required=False, widget=UnfoldAdminSelectWidget())
    user_id = forms.TypedChoiceField(
        label=_("Or one person"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    networks = forms.CharField(
        label=_("Networks"), help_text=_("For example 198.51.100.0/24 2001:db8::/32"),
        widget=UnfoldAdminTextInputWidget(),
    )  # fmt: skip
    field_order = ("role", "user_id", "networks", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.staff().order_by("name")
        self.fields["role"].choices = [("", "-"), *staff_roles()]  # type: ignore[attr-defined]
        self.fields["user_id"].choices = [("", "-"), *((row.pk, str(row)) for row in people)]  # type: ignore[attr-defined]

    def clean_networks(self) -> list[str]:
        return self.cleaned_data["networks"].replace(",", " ").split()
