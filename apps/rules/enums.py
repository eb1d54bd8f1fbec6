"""What is stored about rule sets; outcomes and hit policies belong to the engine."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.rules.engine.schema import HitPolicy, Outcome


class RuleSetState(models.TextChoices):
    DRAFT = "DRAFT", _("draft")
    TESTING = "TESTING", _("tested")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("waits for approval")
    ACTIVE = "ACTIVE", _("active")
    SUPERSEDED = "SUPERSEDED", _("superseded")
    ROLLED_BACK = "ROLLED_BACK", _("rolled back")


EDITABLE = (RuleSetState.DRAFT, RuleSetState.TESTING)


class RuleSetOrigin(models.TextChoices):
    """A file was reviewed where files are reviewed; a staff version has its approval here."""

    FILE = "FILE", _("rule file")
    STAFF = "STAFF", _("staff")


OUTCOMES = [
    (Outcome.ALLOW.value, _("allow")),
    (Outcome.REQUIRE.value, _("require a step")),
    (Outcome.REVIEW.value, _("review")),
    (Outcome.DENY.value, _("deny")),
]
HIT_POLICIES = [
    (HitPolicy.FIRST.value, _("first row that hits")),
    (HitPolicy.MOST_RESTRICTIVE.value, _("most restrictive row")),
    (HitPolicy.COLLECT.value, _("all rows that hit")),
]
