"""What an account's holder may do: the stricter of what staff decided and what the client's restrictions say."""

from __future__ import annotations

from collections.abc import Collection

from apps.accounts.enums import AccountState, RightsLevel

STRICTNESS = (
    RightsLevel.FULL,
    RightsLevel.CLOSE_ONLY,
    RightsLevel.READ_ONLY,
    RightsLevel.DISABLED,
)
_BY_STATE = {
    AccountState.CLOSE_ONLY: RightsLevel.CLOSE_ONLY,
    AccountState.READ_ONLY: RightsLevel.READ_ONLY,
    AccountState.DISABLED: RightsLevel.DISABLED,
    AccountState.DORMANT: RightsLevel.READ_ONLY,
    AccountState.ARCHIVED: RightsLevel.DISABLED,
    AccountState.CLOSED: RightsLevel.DISABLED,
}
_BY_RESTRICTION = {
    "close_only": RightsLevel.CLOSE_ONLY,
    "no_trading": RightsLevel.READ_ONLY,
}
PASSED_ON = frozenset(_BY_RESTRICTION)


def rights_due(state: str, restrictions: Collection[str]) -> RightsLevel:
    """The strictest of all that apply; lifting one of several leaves the others in force."""
    levels = [_BY_STATE.get(AccountState(state), RightsLevel.FULL)]
    levels += [_BY_RESTRICTION[kind] for kind in restrictions if kind in _BY_RESTRICTION]
    return max(levels, key=STRICTNESS.index)
