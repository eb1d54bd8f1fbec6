from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketConfig(AppConfig):
    name = "apps.market"
    verbose_name = _("Market")

    def ready(self) -> None:
        from apps.core.approvals import register_converter
        from apps.market import config  # noqa: F401
        from apps.market.selectors import convert

        register_converter(convert)
