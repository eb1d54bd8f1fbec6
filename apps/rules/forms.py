"""Forms of the rule pages: one row of a draft, and one context to try."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin import ReasonForm
from apps.rules.engine.compile import SCOPES, RuleRow
from apps.rules.engine.schema import Field, Kind, Outcome, Point
from apps.rules.enums import OUTCOMES
from apps.rules.selectors import example_value

_HINTS = {
    Kind.MINOR: _("minor units"),
    Kind.LOTS: _("thousandths of a lot"),
    Kind.TEXTS: _("separated by commas"),
    Kind.INT: _("whole number"),
}
_YES_NO = [("", _("not given")), ("true", _("yes")), ("false", _("no"))]


class RowForm(ReasonForm):
    """One row of a draft. The condition is CEL over the point's inputs."""

    code = forms.SlugField(label=_("Code"), max_length=60, widget=UnfoldAdminTextInputWidget)
    priority = forms.IntegerField(
        label=_("Priority"),
        initial=100,
        min_value=0,
        max_value=999,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    when = forms.CharField(
        label=_("Condition"), max_length=2_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=OUTCOMES, widget=UnfoldAdminSelectWidget
    )
    then = forms.JSONField(
        label=_("Obligations"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    scope = forms.JSONField(
        label=_("Scope"),
        required=False,
        help_text=", ".join(SCOPES),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    reason_code = forms.CharField(
        label=_("Reason code"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget
    )
    text = forms.CharField(
        label=_("Sentence for people"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
    )

    field_order = (
        "code",
        "priority",
        "when",
        "outcome",
        "then",
        "scope",
        "reason_code",
        "text",
        "reason",
    )

    @property
    def row(self) -> RuleRow:
        """Raises nothing: what does not fit its point is refused by the service."""
        data = self.cleaned_data
        return RuleRow(
            code=data["code"],
            when=data["when"],
            outcome=Outcome(data["outcome"]),
            then=data["then"] or {},
            reason=data["reason_code"],
            text=data["text"],
            priority=data["priority"],
            scope={name: tuple(values) for name, values in (data["scope"] or {}).items()},
        )

    def clean_then(self) -> dict[str, Any]:
        return self._object("then")

    def clean_scope(self) -> dict[str, Any]:
        scope = self._object("scope")
        for name, values in scope.items():
            if name not in SCOPES or not isinstance(values, list):
                raise forms.ValidationError(
                    _("A scope is a list for one of: %s.") % ", ".join(SCOPES)
                )
        return scope

    def _object(self, name: str) -> dict[str, Any]:
        value = self.cleaned_data[name] or {}
        if not isinstance(value, dict):
            raise forms.ValidationError(
                _("Write an object, for example {}.").format(json.dumps({}))
            )
        return value


class ContextForm(forms.Form):
    """One context for the tester, a field for each input that the point declares."""

    def __init__(self, point: Point, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.point = point
        for item in point.fields:
            self.fields[item.name] = self._control(point, item)

    @staticmethod
    def _control(point: Point, item: Field) -> forms.Field:
        initial = example_value(point, item.name)
        label = item.label
        if item.kind is Kind.BOOL:
            return forms.ChoiceField(
                label=label, choices=_YES_NO, required=False, initial=initial, help_text=item.name
            )
        hint = f"{item.name} · {_HINTS[item.kind]}" if item.kind in _HINTS else item.name
        return forms.CharField(label=label, required=False, initial=initial, help_text=hint)

    def context(self) -> dict[str, Any]:
        """The inputs as typed; an empty field of a text stays empty, of anything else it is left out.

        What cannot be read stays text, so that the page shows how the point fails.
        """
        values: dict[str, Any] = {}
        for item in self.point.fields:
            written = self.cleaned_data[item.name].strip()
            if item.kind is Kind.TEXTS:
                values[item.name] = [part.strip() for part in written.split(",") if part.strip()]
            elif item.kind is Kind.TEXT:
                if written or item.required:
                    values[item.name] = written
            elif written:
                values[item.name] = _typed(item.kind, written)
        return values


def _typed(kind: Kind, written: str) -> Any:
    if kind is Kind.BOOL:
        return {"true": True, "false": False}.get(written, written)
    try:
        return int(written)
    except ValueError:
        return written
