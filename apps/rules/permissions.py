from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_RULES = Permission("rules.view_ruleset", _("Read the rules"))
VIEW_DECISIONS = Permission("rules.view_decisionlog", _("Read decision receipts"))
TEST_RULES = Permission("rules.test_rules", _("Try rules out"))
EDIT_RULES = Permission("rules.edit_rules", _("Draft rules"))
PUBLISH_RULES = Permission(
    "rules.publish_rules", _("Publish rules and roll them back"), step_up=True
)
