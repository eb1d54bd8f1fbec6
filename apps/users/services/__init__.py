"""Commands about logins and the people behind them."""

from apps.users.services.sessions import session_end, sessions_end

__all__ = ["session_end", "sessions_end"]
