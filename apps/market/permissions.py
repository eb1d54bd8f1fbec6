"""What staff may do with the instrument master."""

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

EDIT_INSTRUMENT = Permission("market.edit_instrument", _("Change instruments, sessions and venues"))
HALT_INSTRUMENT = Permission("market.halt_instrument", _("Halt and resume instruments"))
