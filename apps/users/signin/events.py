"""What happened to somebody's way in. Whoever mails reads what it may see."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SignInShut(Event):
    """Too many wrong passwords: the password door of this login is shut for a while."""

    name = "users.SignInShut"
    aggregate = "user_id"

    user_id: int
    minutes: int


@dataclass(frozen=True, kw_only=True)
class NewDeviceSignedIn(Event):
    """Somebody signed in with a browser that was never used for this login."""

    name = "users.NewDeviceSignedIn"
    aggregate = "user_id"

    user_id: int
    device_id: int


@dataclass(frozen=True, kw_only=True)
class CredentialsChanged(Event):
    """A password or a second factor changed. `what` is e.g. `password_changed`, `totp_added`, `webauthn_removed`."""

    name = "users.CredentialsChanged"
    aggregate = "user_id"

    user_id: int
    what: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event):
    """A link to choose a password goes out. The token itself is never in an event."""

    name = "users.PasswordResetRequested"
    aggregate = "user_id"

    user_id: int
