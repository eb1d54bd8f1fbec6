"""What staff may see and do about risk."""

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_EXPOSURE = Permission("risk.view_exposure", _("See the live exposure of the house"))
