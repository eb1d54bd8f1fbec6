"""An application's questions and answers in words, for the client's review and for staff."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.clients.models import OnboardingSession
from apps.clients.onboarding.schema import Field
from apps.clients.selectors import onboarding_steps


def answers_in_words(session: OnboardingSession, *, tests: bool = True) -> list[dict[str, Any]]:
    """One section a step with its asked questions; without test steps for the client's own eyes."""
    sections = []
    for step in onboarding_steps(session):
        fields = step.visible_fields(session.answers, session.client.country)
        rows = [
            (_(item.label), _words(item, session.answers.get(item.name, ""))) for item in fields
        ]
        if rows and (tests or step.kind != "test"):
            sections.append({"code": step.code, "title": _(step.title), "rows": rows})
    return sections


def _words(item: Field, value: Any) -> str:
    labels = {option.value: _(option.label) for option in item.options}
    if isinstance(value, list):
        return ", ".join(str(labels.get(entry, entry)) for entry in value)
    if item.type in ("yesno", "accept"):
        return _("Yes") if value == "yes" else _("No")
    return str(labels.get(value, value) or "—")
