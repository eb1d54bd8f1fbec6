"""The Celery application: reactions and periodic work on `default`, one queue for each order engine."""

import os

from celery import Celery
from celery.signals import setup_logging

from apps.orders.host.bootstep import install as host_engines
from brokeros.logs import use_django_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.demo")

app = Celery("brokeros")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
host_engines(app)
setup_logging.connect(use_django_logging, weak=False)
