"""What a client says about a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.clients.portal.forms import country_choices
from apps.kyc.enums import PROVES, TWO_SIDED, DocumentKind, Evidence, Side

ACCEPT = "image/jpeg,image/png,image/webp,application/pdf"


class UploadForm(forms.Form):
    """One document: the whole of it, or front and back."""

    kind = forms.ChoiceField(label=_("Which document?"), widget=forms.RadioSelect)
    country = forms.ChoiceField(label=_("Issued in"), choices=country_choices, required=False)
    number = forms.CharField(label=_("Number"), max_length=40, required=False)
    expires_on = forms.DateField(
        label=_("Valid until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    issued_on = forms.DateField(
        label=_("Date on the document"),
        help_text=_("Not older than three months."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    front = forms.FileField(
        label=_("File or photo"),
        help_text=_("JPEG, PNG, WebP or PDF, up to 10 MB. All four corners visible."),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPT, "data-camera": "environment"}),
    )
    back = forms.FileField(
        label=_("Back side"),
        help_text=_("Cards and driving licences have one."),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPT, "data-camera": "environment"}),
    )

    def __init__(self, evidence: Evidence, *args: Any, **kwargs: Any) -> None:
        kwargs["prefix"] = str(evidence)
        super().__init__(*args, **kwargs)
        self.evidence = evidence
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.value, kind.label) for kind in DocumentKind if PROVES[kind] == evidence
        ]
        for name in _NOT_ASKED[evidence]:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("front") and not values.get("back"):
            self.add_error("front", _("Choose a file or take a photo."))
        if values.get("back") and values.get("kind") not in TWO_SIDED and not values.get("front"):
            self.add_error("front", _("This document has one side; choose it here."))
        return values

    def uploads(self) -> Iterator[tuple[str, UploadedFile]]:
        """Sides and their files, as the service takes them."""
        values = self.cleaned_data
        two_sided = values["kind"] in TWO_SIDED
        if values.get("front"):
            is_pdf = values["front"].name.lower().endswith(".pdf")
            whole = not two_sided or (is_pdf and not values.get("back"))
            yield (Side.WHOLE if whole else Side.FRONT), values["front"]
        if two_sided and values.get("back"):
            yield Side.BACK, values["back"]

    def description(self) -> dict[str, Any]:
        """What is the same for both sides."""
        values = self.cleaned_data
        return {
            "kind": values["kind"],
            "country": values.get("country", ""),
            "number": values.get("number", ""),
            "issued_on": values.get("issued_on"),
            "expires_on": values.get("expires_on"),
        }


_NOT_ASKED = {
    Evidence.POI: ("issued_on",),
    Evidence.POA: ("country", "number", "expires_on", "back"),
    Evidence.SOF: ("country", "number", "expires_on", "back"),
}
