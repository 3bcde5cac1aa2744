"""Everything that is worth telling, by subject.

To add one: in a file here write a pure function from the snapshot to the conditions that hold, and
an ``AlertRule`` for it in the file's ``RULES``; a new file is listed below. Its section in
docs/alerts.md, its threshold and severity in the settings, and its tests follow.
"""

from supervisor.alerts.rule import AlertRule
from supervisor.alerts.rules import fallbacks, installed, own, parts, real_traffic, speed

RULES: tuple[AlertRule, ...] = (
    *fallbacks.RULES,
    *real_traffic.RULES,
    *parts.RULES,
    *speed.RULES,
    *installed.RULES,
    *own.RULES,
)
