"""Addresses outside `/portal/`: the front door, and in the demo the mailbox."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from apps.portal.views import SignIn, api_docs, home, landing, mailbox, mailbox_message

urlpatterns = [
    path("", landing, name="landing"),
    path("home/", home, name="home"),
    path("portal/login/", SignIn.as_view(), name="account_login"),
    path("api/docs/", api_docs, name="api-docs"),
]

if settings.DEMO:
    urlpatterns += [
        path("demo/mailbox/", mailbox, name="mailbox-list"),
        path("demo/mailbox/<int:mail_id>/", mailbox_message, name="mailbox-message"),
    ]
