"""One adapter for each kind of platform, behind one protocol."""

from __future__ import annotations

import os

from apps.accounts.adapters.protocol import Capability, PlatformAdapter
from apps.accounts.adapters.simulated import SimulatedPlatform
from apps.accounts.adapters.simulator import DEFAULT_KEY, KEY_ENVIRONMENT
from apps.accounts.enums import PlatformKind
from apps.accounts.models import PlatformServer

__all__ = ["adapter_for", "address_of", "capabilities_of"]

SIMULATED_ADDRESS = "simulator://platform"

CAPABILITIES: dict[str, frozenset[Capability]] = {
    PlatformKind.SIMULATED: SimulatedPlatform.capabilities,
}


def capabilities_of(server: PlatformServer) -> frozenset[Capability]:
    """What the server's platform can do by itself."""
    return CAPABILITIES[server.platform.kind]


def address_of(server: PlatformServer) -> str:
    """Where the server answers. The simulator's place is the running installation's business, not the database's."""
    if server.address != SIMULATED_ADDRESS:
        return server.address
    port = os.environ.get("SIMULATOR_PLATFORM_PORT", "") or "8101"
    return os.environ.get("SIMULATOR_PLATFORM_URL", "") or f"http://127.0.0.1:{port}"


def adapter_for(server: PlatformServer) -> PlatformAdapter:
    """The adapter that speaks to this server. The demo key opens simulators and nothing else."""
    return SimulatedPlatform(
        address=address_of(server),
        key=os.environ.get(KEY_ENVIRONMENT, DEFAULT_KEY),
        timeout_seconds=server.timeout_ms / 1000,
    )
