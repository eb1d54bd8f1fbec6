"""Wiring only: settings, urls, asgi, celery, embedded services. Business rules live in `apps/`."""

from brokeros.celery import app as celery_app

__all__ = ["celery_app"]
