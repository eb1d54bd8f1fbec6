from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

RESET_ACCESS = Permission(
    "users.reset_access", _("Reset a lost second factor, together with a colleague"), step_up=True
)
