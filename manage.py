#!/usr/bin/env python
"""Broker OS from the command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brokeros.settings.demo")
    from django.core.management import execute_from_command_line

    from brokeros.startup import load_settings

    load_settings(sys.argv[1:])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
