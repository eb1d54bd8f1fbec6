"""WebSocket addresses of core."""

from django.urls import path

from apps.core.notifications.consumers import NotificationsConsumer

websocket_urlpatterns = [path("ws/notifications/", NotificationsConsumer.as_asgi())]
