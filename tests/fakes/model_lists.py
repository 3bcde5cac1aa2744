"""Gateways whose model list changes while they are drilled."""

from chaos.gateway.other_traffic import Listed, OtherTraffic


class FakeModelList:
    """A gateway that loses a deployment of others when it is told to."""

    def __init__(self):
        self.asked = 0
        self.loses = False

    async def other_traffic(self) -> OtherTraffic:
        """Tell the list as it is now."""
        self.asked += 1
        groups = {"1": "claude"} if self.loses else {"1": "claude", "2": "gpt"}
        return OtherTraffic({identity: Listed(group) for identity, group in groups.items()})

    async def model_ids(self):
        """List what callers can be routed to."""
        return frozenset({("claude", "1")})


class Losing(FakeModelList):
    """A gateway that loses a deployment once it was asked *times* times."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    async def other_traffic(self) -> OtherTraffic:
        """Answer, without what was lost."""
        self.loses = self.loses or self.asked >= self.times
        return await super().other_traffic()
