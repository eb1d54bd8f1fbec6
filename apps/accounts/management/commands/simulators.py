from __future__ import annotations

import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from brokeros.simulators import SIMULATORS, Running, simulator_bind, simulator_home


class Command(BaseCommand):
    help = (
        "Run the outside world: every simulated platform, provider and venue, each on its own port."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", action="append", help="name of one simulator; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        running: list[Running] = []
        bind = simulator_bind()
        for simulator in SIMULATORS:
            if options["only"] and simulator.name not in options["only"]:
                continue
            port = int(os.environ.get(simulator.port_setting, "") or simulator.default_port)
            try:
                home = simulator_home(settings.HOME, simulator.name)
                running.append(simulator.load()(port=port, home=home, bind=bind))
            except OSError as error:
                raise CommandError(
                    f"{simulator.name}: port {port} cannot be used: {error}"
                ) from error
            self.stdout.write(f"{simulator.name} on {bind}:{port}")
        ended = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: ended.set())
        ended.wait()
        for server in running:
            server.shutdown()
