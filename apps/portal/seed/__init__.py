"""The demo's past: fifty clients whose history was made by the services themselves, with the clock set back."""

from apps.portal.seed.run import seed_demo

__all__ = ["seed_demo"]
