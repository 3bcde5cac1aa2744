"""Databases for daemons, as the tests of the store have them."""

from tests.supervisor.conftest import server, url

__all__ = ["server", "url"]
