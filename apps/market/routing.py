"""WebSocket addresses of the market."""

from django.urls import path

from apps.market.consumers import QuotesConsumer

websocket_urlpatterns = [path("ws/quotes/", QuotesConsumer.as_asgi())]
