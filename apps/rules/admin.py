"""The rules in the back office: versions, rows, a tester, and receipts that people can read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.admin import BrokerModelAdmin, Transition, actor_of
from apps.core.admin.pages import paper_response, subject_link
from apps.core.templatetags.brokeros import badge
from apps.rules.compiled import compile_versions
from apps.rules.engine.compile import CompiledSet
from apps.rules.engine.evaluate import Hit, evaluate
from apps.rules.engine.expressions import BadExpression
from apps.rules.enums import EDITABLE, RuleSetState
from apps.rules.forms import ContextForm, RowForm
from apps.rules.models import DecisionLog, RuleSet
from apps.rules.panels import ReceiptPanel, RowsPanel, VersionsPanel, outcome_tone, point_title
from apps.rules.permissions import EDIT_RULES, PUBLISH_RULES, TEST_RULES
from apps.rules.points import POINTS
from apps.rules.receipts import receipt_print
from apps.rules.services import (
    rule_save,
    ruleset_draft,
    ruleset_roll_back,
    ruleset_submit,
    ruleset_test,
)

STATE_TONES = {
    RuleSetState.ACTIVE: "good",
    RuleSetState.PENDING_APPROVAL: "warn",
    RuleSetState.ROLLED_BACK: "bad",
}


@admin.register(RuleSet)
class RuleSetAdmin(BrokerModelAdmin):
    """Versions of rule sets. Their content is changed by drafts alone, and published by someone else."""

    list_display = (
        "what",
        "entity_name",
        "version",
        "state_badge",
        "hit_policy",
        "author_label",
        "publisher_label",
        "published_at",
    )
    list_filter = ("state", "point", "entity", "origin")
    search_fields = ("point", "title", "entity")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("point", "entity", "version"),
                    ("hit_policy", "state", "origin"),
                    ("author_label", "publisher_label", "published_at"),
                    ("restores", "ended_at", "short_checksum"),
                )
            },
        ),
    )
    readonly_fields = ("short_checksum",)
    panels = (RowsPanel, VersionsPanel)
    transitions = (
        Transition(
            "draft",
            _("New draft from this"),
            ruleset_draft,
            EDIT_RULES,
            explanation=_("A draft with the same rows. What is in force stays as it is."),
        ),
        Transition(
            "row",
            _("Add or change a row"),
            rule_save,
            EDIT_RULES,
            form=RowForm,
            visible=lambda obj: obj.state in EDITABLE,
            explanation=_("A row with the same code is replaced. The draft must be tested again."),
        ),
        Transition(
            "test",
            _("Test"),
            ruleset_test,
            EDIT_RULES,
            tone="primary",
            visible=lambda obj: obj.state == RuleSetState.DRAFT,
            explanation=_("Compiles each row and asks every golden case of this set."),
        ),
        Transition(
            "submit",
            _("Ask for publication"),
            ruleset_submit,
            EDIT_RULES,
            tone="primary",
            visible=lambda obj: obj.state == RuleSetState.TESTING,
            explanation=_("Someone else publishes it from the approval queue."),
        ),
        Transition(
            "roll-back",
            _("Roll back"),
            ruleset_roll_back,
            PUBLISH_RULES,
            tone="danger",
            visible=lambda obj: obj.state == RuleSetState.ACTIVE and obj.version > 1,
            explanation=_("The content of the version before this one is in force again at once."),
        ),
    )

    def run_transition(
        self, request: HttpRequest, transition: Transition, obj: Any, form: Any
    ) -> None:
        if isinstance(form, RowForm):
            rule_save(
                ruleset_id=obj.pk,
                row=form.row,
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
            )
            return
        super().run_transition(request, transition, obj, form)

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:object_id>/tester/",
                self.admin_site.admin_view(self.tester_view),
                name="rules_ruleset_tester",
            ),
            *super().get_urls(),
        ]

    def tester_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Ask one context; nothing is decided and nothing is kept."""
        actor = actor_of(request)
        ruleset = self.get_queryset(request).filter(pk=object_id).prefetch_related("rules").first()
        if ruleset is None:
            raise Http404
        if not actor.allows(TEST_RULES):
            raise PermissionDenied
        point = POINTS[ruleset.point]
        form = ContextForm(point, request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try: {title}").format(title=ruleset.title),
            "opts": self.opts,
            "ruleset": ruleset,
            "form": form,
            "back_url": reverse("admin:rules_ruleset_change", args=[ruleset.pk]),
        }
        if request.method == "POST" and form.is_valid():
            context |= tried(ruleset, form.context())
        return render(request, "rules/tester.html", context)

    @admin.display(description=_("decision"), ordering="point")
    def what(self, obj: RuleSet) -> Any:
        return format_html("{}<br><small>{}</small>", obj.title, obj.point)

    @admin.display(description=_("entity"), ordering="entity")
    def entity_name(self, obj: RuleSet) -> Any:
        return obj.entity or _("all entities")

    @admin.display(description=_("checksum"))
    def short_checksum(self, obj: RuleSet) -> str:
        return obj.checksum[:16]

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, obj: RuleSet) -> Any:
        return badge(obj.state, obj.get_state_display(), STATE_TONES.get(obj.state, "plain"))


def compiled_beside_common(ruleset: RuleSet) -> CompiledSet:
    """This version joined with what is in force for every entity."""
    versions = [ruleset]
    if ruleset.entity:
        versions += RuleSet.objects.filter(
            point=ruleset.point, entity="", state=RuleSetState.ACTIVE
        ).prefetch_related("rules")
    return compile_versions(ruleset.point, versions)


def tried(ruleset: RuleSet, values: dict[str, Any]) -> dict[str, Any]:
    """What the tester shows: the answer, and what each row said."""
    try:
        compiled = compiled_beside_common(ruleset)
    except BadExpression as error:
        return {"broken": str(error)}
    verdict = evaluate(compiled, values, at=clock.now())
    rows = {rule.row.code: rule for rule in compiled.rules}
    return {
        "verdict": verdict,
        "obligations": list(verdict.obligations.items()),
        "trace": [
            {
                "rule": rows[result.rule].row,
                "source": rows[result.rule].source,
                "result": result,
                "hit": result.result is Hit.HIT,
            }
            for result in verdict.results
        ],
    }


@admin.register(DecisionLog)
class DecisionLogAdmin(BrokerModelAdmin):
    """Receipts: what was asked, which version answered, what each row said."""

    list_display = (
        "decided_at",
        "what",
        "outcome_badge",
        "why",
        "entity",
        "about",
        "actor_label",
        "duration_us",
    )
    list_filter = ("outcome", "point", "entity")
    search_fields = ("=client_id", "=subject_id", "=id", "actor_label")
    fieldsets: Any = ()
    panels = (ReceiptPanel,)
    show_timeline = False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:decision_id>/receipt.pdf",
                self.admin_site.admin_view(self.receipt_view),
                name="rules_decisionlog_receipt",
            ),
            *super().get_urls(),
        ]

    def receipt_view(self, request: HttpRequest, decision_id: UUID) -> HttpResponse:
        """The signed document."""
        raw = receipt_print(decision_id=decision_id, actor=actor_of(request))
        return paper_response(raw, f"receipt-{decision_id}.pdf")

    @admin.display(description=_("decision"), ordering="point")
    def what(self, obj: DecisionLog) -> Any:
        return point_title(obj.point)

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_badge(self, obj: DecisionLog) -> Any:
        return badge(obj.outcome, obj.get_outcome_display(), outcome_tone(obj.outcome))

    @admin.display(description=_("why"))
    def why(self, obj: DecisionLog) -> str:
        return ", ".join(reason["code"] for reason in obj.reasons[:3])

    @admin.display(description=_("about"))
    def about(self, obj: DecisionLog) -> Any:
        return subject_link(obj)
