"""Which rows of this app say something about a person."""

from __future__ import annotations

from apps.core.privacy.exporting import ALL
from apps.core.privacy.registry import not_personal, withhold


def register() -> None:
    not_personal("personal inputs are digests under a secret of the house", "rules.DecisionLog")
    # Suspicion is weighed here as well: Directive (EU) 2015/849 Art. 39 forbids to tell.
    withhold("rules.DecisionLog", ALL)
