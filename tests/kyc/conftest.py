from tests.clients.conftest import house

__all__ = ["house"]
