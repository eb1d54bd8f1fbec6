"""What can be wrong with a sealed value. Nothing here ever carries the value itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class SealBroken(DomainError):
    """The stored bytes were altered, or belong to another row, column or table."""

    code = "SEAL_BROKEN"
    message = _(
        "The stored value of {column} was altered or does not belong to this row. It is not shown."
    )
    status = 500


class KeyLost(DomainError):
    """The key is not there, or the key that wraps it is not in the keyring."""

    code = "KEY_LOST"
    message = _(
        "{what} cannot be read: its key {key} is not here. Restore the keyring that this "
        "database was written with."
    )
    status = 500


class KeyDestroyed(DomainError):
    """The key was destroyed when its person was erased; nobody can read what it sealed."""

    code = "KEY_DESTROYED"
    message = _("This was erased with its key and cannot be read by anybody.")
    status = 410
