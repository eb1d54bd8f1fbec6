from typing import Any

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


def _tells_of(instance: Any, history_instance: Any, **kwargs: Any) -> None:
    """A history row is sealed under the key of the row that it tells of."""
    history_instance._tells_of = instance


class CoreConfig(AppConfig):
    name = "apps.core"
    verbose_name = _("Control")

    def ready(self) -> None:
        from simple_history.signals import pre_create_historical_record

        from apps.core import checks, config_kinds, inbox, reactions, reveals  # noqa: F401
        from apps.core.admin.doors import close_foreign_pages
        from apps.core.approvals import queues  # noqa: F401
        from apps.core.mail import services  # noqa: F401
        from apps.core.notifications import reactions as notified  # noqa: F401

        pre_create_historical_record.connect(_tells_of, dispatch_uid="core.sealed_history")
        close_foreign_pages()
        autodiscover_modules("search")
