"""What people may do with orders."""

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_ORDER = "orders.view_order"
VIEW_EXECUTION = "orders.view_execution"
VIEW_POSITION = "orders.view_position"
SUBMIT_ORDER = Permission("orders.submit_order", _("Place orders"))
CANCEL_ORDER = Permission("orders.cancel_order", _("Cancel orders"))
SET_KILL_SWITCH = Permission("orders.set_kill_switch", _("Stop or re-arm trading"))
CONTROL_ENGINE = Permission("orders.control_engine", _("Halt and resume the order engine"))
