from django.contrib import admin
from django.urls import path

from apps.clients.leavers import hand_on_view

urlpatterns = [
    path(
        "hand-on/<int:user_id>/",
        admin.site.admin_view(hand_on_view),
        name="admin-clients-hand-on",
    )
]
