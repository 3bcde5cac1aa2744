"""Times as people say them: how long ago, how soon."""

from datetime import datetime, timedelta

from supervisor.settings.values import duration_text


def ago(at: datetime | None, now: datetime, *, units: int = 2) -> str:
    """Say how long ago *at* was, such as ``3h12m ago``, in the largest *units*."""
    if at is None:
        return "never"
    if at > now:
        return f"in {duration_text(at - now, units=units)}"
    if now - at < timedelta(seconds=1):
        return "now"
    return f"{duration_text(now - at, units=units)} ago"
