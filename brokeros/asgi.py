"""The ASGI entry: HTTP to Django, WebSockets to the apps' consumers."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.demo")

from brokeros.startup import load_settings

load_settings()

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from brokeros.routing import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
