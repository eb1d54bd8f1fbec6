"""The order engine's pure core: no Django, no clock, no randomness, no input or output, integers only.

Prices are points (10^-digits of the instrument), quantities are lot steps, money is minor units of the account's
currency, time is microseconds since 1970 stamped by whoever sent the command. `decide(state, command)` is the one
door; the same commands in the same order always leave the same state, which `manage.py replay_engine` proves.
"""

from apps.orders.engine.decide import decide
from apps.orders.engine.state import State

__all__ = ["State", "decide"]
