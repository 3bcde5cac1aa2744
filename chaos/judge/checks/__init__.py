"""The registry of checks, in the order in which their findings are shown.

To add one: write ``chaos/judge/checks/x.py`` with a pure ``judge(plan, seen)`` and a ``Check``
named after the file in capitals, list it here, and test it in
``tests/chaos/judge/checks/test_x.py``. The order only sorts output; which finding decides is the
order of ``chaos.judge.check.Kind``.
"""

from collections.abc import Mapping

from chaos.judge.check import Check
from chaos.judge.checks.alive_after import ALIVE_AFTER
from chaos.judge.checks.answer_kept import ANSWER_KEPT
from chaos.judge.checks.attempts import ATTEMPTS
from chaos.judge.checks.chain_walked import CHAIN_WALKED
from chaos.judge.checks.error_told import ERROR_TOLD
from chaos.judge.checks.fault_hit import FAULT_HIT
from chaos.judge.checks.hop_held import HOP_HELD
from chaos.judge.checks.in_time import IN_TIME
from chaos.judge.checks.keys_kept import KEYS_KEPT
from chaos.judge.checks.no_inband_error import NO_INBAND_ERROR
from chaos.judge.checks.not_empty import NOT_EMPTY
from chaos.judge.checks.one_reply import ONE_REPLY
from chaos.judge.checks.reasoning_apart import REASONING_APART
from chaos.judge.checks.reply_kept import REPLY_KEPT
from chaos.judge.checks.request_kept import REQUEST_KEPT
from chaos.judge.checks.served_by import SERVED_BY
from chaos.judge.checks.spacing import SPACING
from chaos.judge.checks.story import STORY
from chaos.judge.checks.token_budget import TOKEN_BUDGET
from chaos.judge.checks.tool_calls import TOOL_CALLS
from chaos.judge.checks.untouched import UNTOUCHED
from chaos.judge.checks.whole_reply import WHOLE_REPLY
from chaos.registry import index, lookup

CHECKS: tuple[Check, ...] = (
    FAULT_HIT,
    CHAIN_WALKED,
    HOP_HELD,
    SERVED_BY,
    IN_TIME,
    ATTEMPTS,
    SPACING,
    NOT_EMPTY,
    ONE_REPLY,
    WHOLE_REPLY,
    NO_INBAND_ERROR,
    ERROR_TOLD,
    REQUEST_KEPT,
    REPLY_KEPT,
    TOOL_CALLS,
    ANSWER_KEPT,
    REASONING_APART,
    TOKEN_BUDGET,
    KEYS_KEPT,
    STORY,
    UNTOUCHED,
    ALIVE_AFTER,
)

CHECKS_BY_NAME: Mapping[str, Check] = index(*CHECKS)


def find(name: str) -> Check:
    """Find the check called *name*.

    Raises:
        UsageError: There is none; the remedy suggests the nearest.
    """
    return lookup("check", name, CHECKS_BY_NAME)
