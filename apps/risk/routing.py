"""WebSocket addresses of risk."""

from django.urls import path

from apps.risk.consumers import ExposureConsumer

websocket_urlpatterns = [path("ws/exposure/", ExposureConsumer.as_asgi())]
