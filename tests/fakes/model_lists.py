"""Gateways whose model list changes while they are drilled."""

from chaos.gateway.client import Gateway


class FakeModelList:
    """A gateway whose model list grows when it is told to."""

    changes = staticmethod(Gateway.changes)

    def __init__(self):
        self.models = frozenset({("claude", "1")})
        self.asked = 0

    async def model_ids(self):
        self.asked += 1
        return self.models


class Left(FakeModelList):
    """A gateway in which something is left behind once it was asked *times* times."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    async def model_ids(self):
        """Answer, with what was left behind."""
        if self.asked >= self.times:
            self.models |= {("claude", "left behind")}
        return await super().model_ids()
