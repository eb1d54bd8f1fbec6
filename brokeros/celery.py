"""The Celery application: reactions and periodic work on `default`, one `engine.<shard>` queue for each order engine."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.demo")

app = Celery("brokeros")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
