"""The LiteLLM that ``sparkrun proxy`` has started, and the configuration that it runs with.

Source: sparkrun's ``proxy/engine.py``, November 2026: the file and the state are below
``~/.cache/sparkrun/proxy``; the state has the proxy's ``port``, and is gone once it was stopped.
"""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

FOLDER = Path(".cache") / "sparkrun" / "proxy"


def proxy_config(home: Path, gateway_url: str) -> Path | None:
    """Find the configuration of the proxy that answers at *gateway_url*; None if it is another."""
    config = home / FOLDER / "litellm_config.yaml"
    try:
        state = yaml.safe_load((home / FOLDER / "state.yaml").read_text("utf-8"))
        there = config.is_file()
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    port = state.get("port") if isinstance(state, dict) else None
    return config if there and port == urlsplit(gateway_url).port else None
