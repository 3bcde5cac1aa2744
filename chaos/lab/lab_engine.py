"""The contract of the lab's engine: simulated or real, it is started from the same flags."""

from typing import Any, Protocol

from chaos.lab.engine_flags import EngineFlags


class LabEngine(Protocol):
    """An engine that serves at one address, whatever happens to it."""

    @property
    def flags(self) -> EngineFlags: ...
    @property
    def url(self) -> str: ...
    @property
    def base_url(self) -> str: ...

    async def restart(self, flags: EngineFlags | None = None, **changes: Any) -> None:
        """Start anew at the same address.

        Args:
            flags: How; by default as it is.
            changes: Fields of ``EngineFlags`` that differ from that.
        """
        ...
