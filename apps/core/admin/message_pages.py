"""What messages say, version by version, with a preview; and what was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.actor import Actor
from apps.core.admin.base import BrokerModelAdmin, ReasonForm, Transition, actor_of
from apps.core.admin.pages import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.core.mail.kinds import MAIL_KINDS
from apps.core.mail.sending import Addressee, composed, house_letterhead
from apps.core.mail.services import (
    message_draft,
    message_edit,
    message_propose,
    message_retire,
)
from apps.core.mail.texts import Words, languages, problems
from apps.core.models import MessageTemplate, SentMail
from apps.core.panels import Panel
from apps.core.permissions import EDIT_MESSAGE, PUBLISH_MESSAGE

State = MessageTemplate.State


class WordsForm(ReasonForm):
    """Subject and text, checked as they are saved."""

    needs_obj = True
    subject = forms.CharField(
        label=_("Subject"), max_length=150, widget=UnfoldAdminTextInputWidget()
    )
    body = forms.CharField(
        label=_("Text"), max_length=8000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 16})
    )
    field_order = ("subject", "body", "reason")

    def __init__(self, *args: Any, obj: MessageTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.obj = obj
        self.initial.update(subject=obj.subject, body=obj.body)
        places = ", ".join(f"{{{{ {name} }}}}" for name in sorted(MAIL_KINDS[obj.code].places))
        self.fields["body"].help_text = _("Places: %(places)s. A paragraph [Label]({{ link }}) is a button.") % {
            "places": places
        }  # fmt: skip

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for problem in problems(
            MAIL_KINDS[self.obj.code],
            subject=values.get("subject", ""),
            body=values.get("body", ""),
        ):
            self.add_error("body", problem)
        return values


class DraftForm(ReasonForm):
    """Which message, in which language, for which company."""

    code = forms.ChoiceField(label=_("Message"), widget=UnfoldAdminSelectWidget())
    language = forms.ChoiceField(label=_("Language"), widget=UnfoldAdminSelectWidget())
    entity = forms.CharField(
        label=_("Company"), required=False, max_length=20, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Its code; empty for all companies."),
    )  # fmt: skip
    field_order = ("code", "language", "entity", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = sorted(MAIL_KINDS.values(), key=lambda kind: kind.code)
        self.fields["code"].choices = [(kind.code, f"{kind.code}: {kind.label}") for kind in kinds]  # type: ignore[attr-defined]
        self.fields["language"].choices = [(code, code) for code in languages()]  # type: ignore[attr-defined]


def previewed(obj: MessageTemplate) -> Any:
    """The whole message as a reader would get it, with the kind's example values."""
    kind = MAIL_KINDS[obj.code]
    reader = Addressee("reader@client.example", obj.language, house_letterhead())
    return composed(kind, reader, Words(obj.language, obj.subject, obj.body), kind.sample)


class PreviewPanel(Panel):
    """What the reader gets, with example values."""

    title = _("Preview")
    template = "admin/panels/message_preview.html"

    def context(self, obj: MessageTemplate, actor: Actor) -> dict[str, Any] | None:
        if obj.code not in MAIL_KINDS:
            return None
        try:
            message = previewed(obj)
        except (KeyError, ValueError) as broken:
            return {"problem": str(broken)}
        return {
            "subject": message.subject,
            "text": message.body,
            "url": reverse("admin:core_messagetemplate_preview", args=[obj.pk]),
        }


@admin.register(MessageTemplate)
class MessageTemplateAdmin(BrokerModelAdmin):
    list_display = ("code", "entity", "language", "version", "state", "subject", "updated_at")
    list_filter = ("state", "language", "code")
    search_fields = ("code", "subject", "body")
    fieldsets = (
        (
            None,
            {"fields": (("code", "state"), ("entity", "language", "version"), "subject", "body")},
        ),
    )
    panels = (PreviewPanel,)
    change_list_template = "admin/message_list.html"
    transitions = (
        Transition(
            "edit", _("Edit the words"), message_edit, EDIT_MESSAGE, form=WordsForm, tone="primary",
            visible=lambda obj: obj.state == State.DRAFT,
        ),
        Transition(
            "propose", _("Ask for approval"), message_propose, EDIT_MESSAGE,
            visible=lambda obj: obj.state == State.DRAFT,
        ),
        Transition(
            "retire", _("Retire"), message_retire, EDIT_MESSAGE, tone="danger",
            visible=lambda obj: obj.state in (State.DRAFT, State.ACTIVE),
            explanation=_("What shipped with the release, or the company's other version, is used from then on."),
        ),
    )  # fmt: skip

    def transition_buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        buttons = super().transition_buttons(request, obj)
        if obj.state == State.ACTIVE and not actor_of(request).allows(PUBLISH_MESSAGE):
            return []
        return buttons

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("draft/", wrap(self.draft_view), name="core_messagetemplate_draft"),
            path(
                "<uuid:template_id>/preview/",
                wrap(self.preview),
                name="core_messagetemplate_preview",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        may_draft = actor_of(request).allows(EDIT_MESSAGE)
        return super().changelist_view(request, {**(extra_context or {}), "may_draft": may_draft})

    def preview(self, request: HttpRequest, template_id: UUID) -> HttpResponse:
        """The HTML that a reader gets, alone on a page that may load and run nothing."""
        obj = self.get_object(request, str(template_id))
        if obj is None or obj.code not in MAIL_KINDS:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        response = HttpResponse(previewed(obj).alternatives[0][0])
        response["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        return response

    def draft_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and changes nothing; POST begins a draft."""
        if not actor_of(request).allows(EDIT_MESSAGE):
            raise PermissionDenied
        form = DraftForm(request.POST or None)
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                draft = message_draft(actor=actor_of(request), **form.cleaned_data)
            except DomainError as refused:
                error = refused
            else:
                messages.success(request, _("The draft holds the words in use. Edit them."))
                url = reverse("admin:core_messagetemplate_change", args=[draft.pk])
                return HttpResponseRedirect(url)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Draft a message"),
            "opts": self.opts,
            "form": form,
            "error": error,
        }
        status = error.status if error else (422 if form.errors else 200)
        return render(request, "admin/message_draft.html", context, status=status)


@admin.register(SentMail)
class SentMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "code", "state", "entity", "language", "version", "sent_at")
    list_filter = ("state", "code", "language")
    search_fields = ("=client_id", "=key", "=message_id")
