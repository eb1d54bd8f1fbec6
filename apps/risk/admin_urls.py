"""Addresses below /admin/risk/exposure/."""

from django.contrib import admin
from django.urls import path

from apps.risk.admin_views import exposure_page, symbol_page

urlpatterns = [
    path("", admin.site.admin_view(exposure_page), name="admin-risk-exposure"),
    path("<str:symbol>/", admin.site.admin_view(symbol_page), name="admin-risk-exposure-symbol"),
]
