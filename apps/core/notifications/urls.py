"""`/notifications/`: everybody's own."""

from __future__ import annotations

from django.urls import path

from apps.core.mail.views import unsubscribe
from apps.core.notifications import views

urlpatterns = [
    path("notifications/", views.history, name="notifications"),
    path("notifications/feed/", views.feed, name="notifications-feed"),
    path("notifications/read/", views.read_all, name="notifications-read"),
    path("notifications/choices/", views.choices, name="notifications-choices"),
    path("notifications/<int:notification_id>/open/", views.open_one, name="notifications-open"),
    path("mail/unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
]
