from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KycConfig(AppConfig):
    name = "apps.kyc"
    verbose_name = _("KYC")

    def ready(self) -> None:
        from apps.kyc import panels, personal_data, reactions  # noqa: F401

        personal_data.register()
