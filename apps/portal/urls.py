"""`/portal/`: the pages that the apps below provide, behind one namespace, and the portal's own."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

from apps.portal.overview import dashboard
from apps.portal.views import SignIn, SignOut

app_name = "portal"

PROVIDERS = ("clients", "kyc", "accounts", "orders", "payments")


def provided() -> list[URLPattern | URLResolver]:
    """Client pages of every installed app that has any; an app that is switched off has none."""
    found: list[Any] = []
    for label in PROVIDERS:
        if not apps.is_installed(f"apps.{label}"):
            continue
        package = f"apps.{label}.portal"
        if find_spec(package) and find_spec(f"{package}.urls"):
            found.append(path("", include(import_module(f"{package}.urls").urlpatterns)))
    return found


urlpatterns = [
    path("", dashboard, name="dashboard"),
    *provided(),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", SignOut.as_view(), name="logout"),
]
