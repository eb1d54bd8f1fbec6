"""The WSGI entry, for installations that serve the admin and the API by WSGI workers."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.production")

from brokeros.startup import load_settings

load_settings()

application = get_wsgi_application()
