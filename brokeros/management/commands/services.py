"""`manage.py services start|stop|status|env|erase`: the embedded PostgreSQL and Redis of a home."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from brokeros import embedded


class Command(BaseCommand):
    help = "Start, stop or show the embedded PostgreSQL and Redis kept under BROKEROS_HOME."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("start", "stop", "status", "env", "erase"))

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, action)()
        except embedded.EmbeddedError as refused:
            raise CommandError(str(refused)) from None

    def start(self) -> None:
        embedded.start(settings.HOME)
        self.status()

    def stop(self) -> None:
        embedded.stop(settings.HOME)
        self.status()

    def erase(self) -> None:
        embedded.erase(settings.HOME)
        self.stdout.write(f"{settings.HOME} is gone.")

    def status(self) -> None:
        for name, pid in (
            ("PostgreSQL", embedded.postgres_pid(settings.HOME)),
            ("Redis", embedded.redis_pid(settings.HOME)),
        ):
            self.stdout.write(f"{name:<11}{f'running, process {pid}' if pid else 'not running'}")

    def env(self) -> None:
        services = embedded.resolve(settings.HOME)
        self.stdout.write(f"export DATABASE_URL='{services.database_url}'")
        self.stdout.write(f"export REDIS_URL='{services.redis_url}'")
