"""WebSocket addresses, gathered from every app that has a `routing` module."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings

websocket_urlpatterns: list[Any] = []
for _app in settings.LOCAL_APPS:
    if find_spec(f"{_app}.routing"):
        _module = import_module(f"{_app}.routing")
        websocket_urlpatterns += getattr(_module, "websocket_urlpatterns", [])
