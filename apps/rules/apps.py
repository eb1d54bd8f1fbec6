from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "apps.rules"
    verbose_name = _("Rules")

    def ready(self) -> None:
        from apps.rules import config, panels, personal_data  # noqa: F401

        personal_data.register()
