"""One adapter for each kind of platform, behind one protocol."""

from __future__ import annotations

import os

from apps.accounts.adapters.protocol import Capability, PlatformAdapter
from apps.accounts.adapters.simulated import SimulatedPlatform
from apps.accounts.adapters.simulator import DEFAULT_KEY, KEY_ENVIRONMENT
from apps.accounts.enums import PlatformKind
from apps.accounts.models import PlatformServer

__all__ = ["adapter_for", "capabilities_of"]

CAPABILITIES: dict[str, frozenset[Capability]] = {
    PlatformKind.SIMULATED: SimulatedPlatform.capabilities,
}


def capabilities_of(server: PlatformServer) -> frozenset[Capability]:
    """What the server's platform can do by itself."""
    return CAPABILITIES[server.platform.kind]


def adapter_for(server: PlatformServer) -> PlatformAdapter:
    """The adapter that speaks to this server. The demo key opens simulators and nothing else."""
    return SimulatedPlatform(
        address=server.address,
        key=os.environ.get(KEY_ENVIRONMENT, DEFAULT_KEY),
        timeout_seconds=server.timeout_ms / 1000,
    )
