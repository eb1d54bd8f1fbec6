"""The newcomer's page behind the mailed link."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from apps.core.errors import DomainError
from apps.users.selectors import request_actor
from apps.users.services import welcome_password_set
from apps.users.services.staff import newcomer_of


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


@never_cache
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """GET shows the form and uses nothing up; a link that does not work says so whatever is wrong with it."""
    form: PasswordForm | None = PasswordForm(request.POST if request.method == "POST" else None)
    status = 200
    if newcomer_of(uid, token) is None:
        form = None
    elif form is not None and request.method == "POST" and form.is_valid():
        try:
            welcome_password_set(
                uid=uid,
                token=token,
                password=form.cleaned_data["password"],
                actor=request_actor(request),
            )
        except DomainError as refused:
            form.add_error("password", str(refused))
            status = 422
        else:
            messages.success(request, _("Your password is set. Sign in with it."))
            return redirect("admin:login")
    response = render(request, "users/welcome.html", {"form": form}, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response
