"""As many tokens fit into its KV cache as are expected."""

from collections.abc import Sequence

from supervisor.engine.capacity import from_log, from_metrics, merge
from supervisor.engine.http import get_metrics
from supervisor.engine.log import read_log
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Ask its metrics, and its log."""
    wanted = swap.file.expect.kv_tokens
    if wanted is None:
        return []
    page = await get_metrics(swap.session, swap.url)
    told = merge(from_metrics(page or ""), from_log(read_log(swap.log)))
    asked = f"{wanted:,} tokens in its KV cache"
    if told.kv_cache_tokens is None:
        return [Finding("kv cache", Answer.UNKNOWN, asked, "nothing tells")]
    answer = Answer.OK if told.kv_cache_tokens >= wanted else Answer.REFUSED
    return [Finding("kv cache", answer, asked, f"{told.kv_cache_tokens:,} tokens")]
