from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RiskConfig(AppConfig):
    name = "apps.risk"
    verbose_name = _("Risk")

    def ready(self) -> None:
        from apps.risk import panels, services  # noqa: F401
