from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.clients.portal.forms import GuardedSignInForm


class SignInForm(GuardedSignInForm):
    """E-mail and password, with what password keepers need to fill them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs |= {
            "autocomplete": "username",
            "autocapitalize": "none",
        }
        self.fields["password"].widget.attrs["autocomplete"] = "current-password"
