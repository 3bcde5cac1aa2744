"""The lab's receiver of alerts."""

import aiohttp

from chaos.lab.webhook_receiver import ReceivedAlert, webhook_receiver

LABELS = {"alertname": "FallbackBroken", "group": "claude-opus"}


def message(*statuses: str) -> dict[str, object]:
    """Write a message as Alertmanager does."""
    alerts = [{"status": s, "labels": LABELS, "annotations": {"summary": "x"}} for s in statuses]
    return {"version": "4", "alerts": alerts}


async def test_every_alert_is_handed_on_as_it_arrives():
    """In order, also two of one message; whoever waits for them is woken."""
    came: list[ReceivedAlert] = []
    async with webhook_receiver(came.append) as receiver, aiohttp.ClientSession() as session:
        async with session.post(receiver.url, json=message("firing", "resolved")) as reply:
            assert reply.status == 200
        await receiver.until(lambda seen: len(seen) == 2)
        assert [(one.name, one.firing, one.labels["group"]) for one in came] == [
            ("FallbackBroken", True, "claude-opus"),
            ("FallbackBroken", False, "claude-opus"),
        ]
