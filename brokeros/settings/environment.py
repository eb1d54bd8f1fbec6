"""Twelve-factor input: everything that differs between installations is read here, from the environment."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from brokeros import embedded

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()


def required(name: str, purpose: str) -> str:
    """The value of a setting that has no safe default. Raises `ImproperlyConfigured` with one clear sentence."""
    value = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {purpose}.")
    return value


def home() -> Path:
    """Where the embedded servers, uploaded documents and the simulators keep their files."""
    return embedded.default_home()
