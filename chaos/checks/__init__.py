"""The registry of checks, in the order in which their findings are shown.

To add one: write ``chaos/checks/x.py`` with a pure ``judge(plan, seen)`` and a ``Check`` named
after the file in capitals, list it here, and test it in ``tests/chaos/checks/test_x.py``. The
order only sorts output; which finding decides is the order of ``chaos.check.Kind``.
"""

from collections.abc import Mapping

from chaos.check import Check
from chaos.checks.answer_kept import ANSWER_KEPT
from chaos.checks.attempts import ATTEMPTS
from chaos.checks.chain_walked import CHAIN_WALKED
from chaos.checks.error_told import ERROR_TOLD
from chaos.checks.fault_hit import FAULT_HIT
from chaos.checks.hop_held import HOP_HELD
from chaos.checks.in_time import IN_TIME
from chaos.checks.no_inband_error import NO_INBAND_ERROR
from chaos.checks.not_empty import NOT_EMPTY
from chaos.checks.one_reply import ONE_REPLY
from chaos.checks.reasoning_apart import REASONING_APART
from chaos.checks.request_kept import REQUEST_KEPT
from chaos.checks.served_by import SERVED_BY
from chaos.checks.story import STORY
from chaos.checks.token_budget import TOKEN_BUDGET
from chaos.checks.tool_calls import TOOL_CALLS
from chaos.checks.untouched import UNTOUCHED
from chaos.checks.whole_reply import WHOLE_REPLY
from chaos.registry import index, lookup

CHECKS: tuple[Check, ...] = (
    FAULT_HIT,
    CHAIN_WALKED,
    HOP_HELD,
    SERVED_BY,
    IN_TIME,
    ATTEMPTS,
    NOT_EMPTY,
    ONE_REPLY,
    WHOLE_REPLY,
    NO_INBAND_ERROR,
    ERROR_TOLD,
    REQUEST_KEPT,
    TOOL_CALLS,
    ANSWER_KEPT,
    REASONING_APART,
    TOKEN_BUDGET,
    STORY,
    UNTOUCHED,
)

CHECKS_BY_NAME: Mapping[str, Check] = index(*CHECKS)


def find(name: str) -> Check:
    """Find the check called *name*.

    Raises:
        UsageError: There is none; the remedy suggests the nearest.
    """
    return lookup("check", name, CHECKS_BY_NAME)
