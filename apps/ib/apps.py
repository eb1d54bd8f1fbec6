from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IbConfig(AppConfig):
    name = "apps.ib"
    verbose_name = _("Partners")

    def ready(self) -> None:
        from apps.ib import reactions  # noqa: F401
