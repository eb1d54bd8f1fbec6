"""Addresses below /admin/personal/."""

from django.contrib import admin
from django.urls import path

from apps.core.admin.reveal import reveal_view

urlpatterns = [
    path(
        "<str:label>/<str:pk>/<slug:field>/",
        admin.site.admin_view(reveal_view),
        name="admin-personal-reveal",
    ),
]
