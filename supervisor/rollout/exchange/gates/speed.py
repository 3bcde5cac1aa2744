"""It is not slower than the old engine was, by more than one boot differs from another."""

from collections.abc import Sequence

from chaos.errors import UnderstudyError
from supervisor.baseline.compare import Verdict, compare
from supervisor.baseline.measure import Order, measure
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Measure it as the baseline was measured, and compare."""
    asked = "it is as fast as its baseline"
    baseline = swap.baseline
    if baseline is None:
        why = swap.row.get("without_baseline") or "there is none"
        return [Finding("speed", Answer.UNKNOWN, asked, f"no baseline: {why}")]
    order = Order(swap.file.engine, swap.engine, model=swap.model, method=baseline.method)
    swap.quiet(True)
    try:
        taken = await measure(swap.session, swap.clock, order)
    except UnderstudyError as error:
        return [Finding("speed", Answer.REFUSED, asked, error.message)]
    finally:
        swap.quiet(False)
    found = compare(baseline, taken, [baseline])
    if not found.rows or found.speed_ratio is None:
        doubts = sorted({doubt for run in taken.runs for doubt in run.doubts})
        came = f"no run can be trusted: {'; '.join(doubts[:2]) or 'none was taken'}"
        return [Finding("speed", Answer.UNKNOWN, asked, came)]
    answer = Answer.REFUSED if found.verdict is Verdict.SLOWER else Answer.OK
    came = f"{found.speed_ratio:.2f} of the speed of {baseline.id}, {found.verdict}"
    return [Finding("speed", answer, asked, came)]
