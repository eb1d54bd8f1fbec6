from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_LEDGER = Permission("ledger.view_ledger", _("See ledger accounts and entries"))
CORRECT_ENTRY = Permission("ledger.correct_entry", _("Post correction entries"), step_up=True)
CLOSE_PERIOD = Permission("ledger.close_period", _("Close accounting periods"), step_up=True)
