"""The daemon itself: its name, where it remembers, and where it answers."""

import socket

import pytest
from pydantic import ValidationError

from supervisor.settings.daemon import DaemonSettings, StoreSettings, WebSettings


def test_a_daemon_is_called_after_its_host():
    """Unless it has a name of its own."""
    assert DaemonSettings().name == socket.gethostname()
    assert DaemonSettings(name="spark-1").name == "spark-1"


def test_the_stores_url_is_not_printed():
    """It may hold a password."""
    settings = StoreSettings.model_validate({"url": "postgresql://me:hunter22@host/db"})
    assert "hunter22" not in repr(settings) + str(settings.model_dump())


def test_the_api_listens_on_loopback():
    """And somewhere at all."""
    assert WebSettings().listen == ("127.0.0.1:8940",)
    with pytest.raises(ValidationError):
        WebSettings(listen=())
