"""Load the rule files: `manage.py load_rules`. Running it again changes nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.rules.files import BadRuleFile
from apps.rules.services import load_rule_files


class Command(BaseCommand):
    help = "Put the rule sets of apps/rules/data into force where their content changed."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_rule_files(actor=Actor.system("load_rules"))
        except (DomainError, BadRuleFile) as error:
            raise CommandError(str(error)) from error
        for ruleset in loaded:
            self.stdout.write(f"{ruleset} in force")
        if not loaded:
            self.stdout.write("Rules are up to date.")
