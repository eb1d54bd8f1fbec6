"""Commands of the rules layer: decide, and change what decides."""

from apps.rules.services.decisions import Decision, DecisionBatch, decide, decide_again
from apps.rules.services.publication import (
    load_rule_files,
    rule_remove,
    rule_save,
    ruleset_draft,
    ruleset_reopen,
    ruleset_roll_back,
    ruleset_submit,
    ruleset_test,
)

__all__ = [
    "Decision",
    "DecisionBatch",
    "decide",
    "decide_again",
    "load_rule_files",
    "rule_remove",
    "rule_save",
    "ruleset_draft",
    "ruleset_reopen",
    "ruleset_roll_back",
    "ruleset_submit",
    "ruleset_test",
]
