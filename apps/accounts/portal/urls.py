from __future__ import annotations

from django.urls import path

from apps.accounts.portal import views

urlpatterns = [
    path("accounts/", views.accounts, name="accounts-list"),
    path("accounts/open/", views.choose, name="accounts-open"),
    path("accounts/open/<slug:code>/", views.open_account, name="accounts-open-type"),
    path("accounts/<uuid:account_id>/", views.account, name="accounts-account"),
    path("accounts/<uuid:account_id>/leverage/", views.change_leverage, name="accounts-leverage"),
]
