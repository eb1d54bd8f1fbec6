"""Addresses of this app outside the client portal: the partner pages and the referral links."""

from __future__ import annotations

from django.urls import include, path

from apps.ib.portal.public import referral

urlpatterns = [
    path("partner/", include("apps.ib.portal.urls")),
    path("r/<slug:code>/", referral, name="referral"),
]
