"""The provider is down for a while, and then well again."""

import re

from chaos.faults.fault import Fault, FaultName, Phase, Scene
from chaos.faults.http_error import STATUS_FAULTS, row_of
from chaos.faults.script import Script

USUAL_S = 20.0

_SECONDS = re.compile(r"seconds_(\d+)")
_SERVER_ERROR = next(fault for fault in STATUS_FAULTS if fault.name == "server_error")
_OVERLOADED = next(fault for fault in STATUS_FAULTS if fault.name == "overloaded")


class Outage(Fault):
    """Every attempt fails as at an overloaded provider, until it is over; many requests are sent.

    So do providers in an incident. One request shows what happens in it; only a sequence shows
    what it costs, how hard the gateway knocks meanwhile, and how long it stays away afterwards.
    The variant ``seconds_N`` sets how long it lasts.

    Source: failoverbench, scenario S15, methodology 0.1; LiteLLM 1.106.2's cooldowns, run.
    """

    name = "outage"
    summary = f"The provider is down for {USUAL_S:.0f} s, then well; drilled by many requests."
    taken_for = 500
    phase = Phase.BEFORE_FIRST_BYTE
    variants = ("seconds_N",)

    def lasts_s(self, variant: str | None) -> float:
        """Say how long it lasts, in seconds."""
        named = _SECONDS.fullmatch(variant or "")
        return float(named[1]) if named else USUAL_S

    def script(self, scene: Scene) -> Script:
        """Answer as the provider does that has no capacity, or with an error of its own."""
        overloaded = FaultName(_OVERLOADED.name)
        has_row = row_of(scene.dialect, overloaded)[0] == overloaded
        return (_OVERLOADED if has_row else _SERVER_ERROR).script(scene)
