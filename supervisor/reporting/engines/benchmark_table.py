"""Draw benchmarks for people: one, a list of them, and two compared."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from supervisor.age import ago
from supervisor.baseline.compare import Comparison, Ratio, Row, Verdict
from supervisor.baseline.record import Benchmark, Boot, Key
from supervisor.engine.capacity import shown
from supervisor.web.answers.benchmarks import EngineSpeedAnswer

STYLES = {Verdict.FASTER: "green", Verdict.SLOWER: "bold red", Verdict.SAME: ""}


def draw(one: Benchmark) -> RenderableType:
    """Draw one benchmark: what it ran on, every text, and what was not counted."""
    table = _table("text", "at once", "tok/s", "engine says", "spread")
    table.columns[2].no_wrap = True
    for name in ("to 1st token", "between tokens", "whole", "runs"):
        table.add_column(name, justify="right")
    for key in dict.fromkeys((run.text, run.concurrency) for run in one.runs):
        table.add_row(*_figures(one, key))
    parts: list[RenderableType] = [Text(_headline(one), style="bold"), Text(_conditions(one))]
    parts += [Text(""), table]
    doubts = [run for run in one.runs if run.doubts]
    if doubts:
        parts.append(Text(""))
        parts.append(Text(f"Not counted ({len(doubts)} of {len(one.runs)} runs):", style="yellow"))
        reasons = Counter(f"{run.text}: {'; '.join(run.doubts)}" for run in doubts)
        for reason, times in reasons.items():
            many = f" ({times} times)" if times > 1 else ""
            parts.append(Padding(Text(f"{reason}{many}"), (0, 0, 0, 2)))
    return Group(*parts)


def _figures(one: Benchmark, key: Key) -> Iterator[RenderableType]:
    text, many = key
    runs = [run for run in one.runs if (run.text, run.concurrency) == key]
    counted = f"{sum(run.counts for run in runs)} of {len(runs)}"
    known = one.figures.get(key)
    if known is None:
        return iter((Text(text), str(many), "-", "-", "-", "-", "-", "-", counted))
    speed = f"{known.decode_tps:.1f}"
    if many > 1 and known.total_tps is not None:
        speed = f"{known.total_tps:.1f}, {known.decode_tps:.1f} each"
    return iter(
        (
            Text(text),
            str(many),
            speed,
            "-" if known.engine_tps is None else f"{known.engine_tps:.1f}",
            f"{known.spread_ratio:.1%}",
            _time(known.ttft_s),
            _time(known.itl_s),
            _time(known.e2e_s),
            counted,
        )
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def _headline(one: Benchmark) -> str:
    model = one.conditions.served_name or one.conditions.model
    of = f", {model}" if model and model != one.engine else ""
    return f"{one.id}: {one.engine}{of}"


def _conditions(one: Benchmark) -> str:
    """Write what is known of what it ran on, in one line."""
    known = one.conditions
    words = [
        f"{word} {shown(name, value)}"
        for name, word in _WORDS.items()
        if (value := getattr(known, name)) is not None
    ]
    return "; ".join([*words, _boot(one.boot), *([one.note] if one.note else [])])


_WORDS = {
    "version": "version",
    "image": "image",
    "quantization": "quantization",
    "moe_backend": "MoE backend",
    "weights_gib": "weights",
    "kv_cache_tokens": "KV cache",
    "max_model_len": "context",
    "driver": "driver",
}


def _boot(boot: Boot | None) -> str:
    if boot is None:
        return "nobody knows when it was started"
    return f"started {boot.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def draw_list(engines: Sequence[EngineSpeedAnswer], now: datetime) -> RenderableType:
    """Draw a line for each benchmark, the newest first."""
    if not any(engine.benchmarks for engine in engines):
        return Text("No engine was measured yet. To begin: understudy bench run ENGINE")
    table = _table("id", "engine", "taken", "by", "tok/s", "boot", "version", "note")
    table.columns[0].no_wrap = True
    for engine in engines:
        for answer in reversed(engine.benchmarks):
            one = answer.record
            mark = " *" if one.id == engine.baseline else ""
            speed = one.decode_tps
            table.add_row(
                one.id,
                Text(one.engine + mark),
                ago(one.taken_at, now),
                one.taken_by,
                "-" if speed is None else f"{speed:.1f}",
                "-" if one.boot is None else _day_or_time(one.boot.started_at, one.taken_at),
                Text(one.conditions.version or "-"),
                Text(one.note),
            )
    if not any(engine.baseline for engine in engines):
        return table
    return Group(table, Text("* the baseline of its engine", style="dim"))


def _day_or_time(started_at: datetime, taken_at: datetime) -> str:
    started_at, taken_at = started_at.astimezone(UTC), taken_at.astimezone(UTC)
    return f"{started_at:%H:%M}" if started_at.date() == taken_at.date() else f"{started_at:%b %d}"


def draw_comparison(known: Comparison) -> RenderableType:
    """Draw two benchmarks side by side, and how sure the difference is."""
    table = _table("text", "A tok/s", "B tok/s", "speed", "first token", "verdict")
    for row in known.rows:
        table.add_row(*_compared(row))
    parts: list[RenderableType] = [
        Text(f"A  {_headline(known.before)}", style="bold"),
        Padding(Text(_conditions(known.before)), (0, 0, 0, 3)),
        Text(f"B  {_headline(known.after)}", style="bold"),
        Padding(Text(_conditions(known.after)), (0, 0, 0, 3)),
        Text(""),
    ]
    if not known.rows:
        parts.append(Text("They have no text in common that both have figures of."))
    else:
        parts += [table, Text(""), Text(_spread(known)), _verdict(known)]
    if known.changed:
        changes = _table("changed", "A", "B")
        for change in known.changed:
            changes.add_row(*map(Text, change))
        parts += [Text(""), changes]
    parts += [Text(f"note: {remark}", style="yellow") for remark in known.remarks]
    return Group(*parts)


def _compared(row: Row) -> Iterator[RenderableType]:
    yield Text(row.text if row.concurrency == 1 else f"{row.text}, {row.concurrency} at once")
    yield f"{row.before_tps:.1f}"
    yield f"{row.after_tps:.1f}"
    yield _ratio(row.speed)
    if row.first_token is None:
        yield "-"
    else:
        yield Text(str(row.first_token), STYLES[Verdict.SLOWER] if row.waits_longer else "")
    verdict = row.verdict
    yield Text("not shown" if verdict is Verdict.SAME else verdict.value, STYLES[verdict])


def _ratio(ratio: Ratio) -> Text:
    return Text(str(ratio), STYLES[ratio.verdict])


def _spread(known: Comparison) -> str:
    one, other = known.boots
    boots = f"{one} boot{'s' * (one != 1)} of A, {other} of B"
    width = f"{known.boot_spread_ratio:.0%}"
    if known.assumed:
        return (
            f"Boots of one configuration are assumed to differ by up to {width}, because no more "
            f"than one is known ({boots}): start the engine anew and measure again to narrow it."
        )
    return f"Boots of one configuration differ by up to {width}, as measured ({boots})."


def _verdict(known: Comparison) -> Text:
    verdict = known.verdict
    words = {
        Verdict.FASTER: "B is faster.",
        Verdict.SLOWER: "B is slower: a regression.",
        Verdict.SAME: "No difference is shown: it is smaller than what chance and boots explain.",
    }
    return Text(words[verdict], STYLES[verdict] or "bold")


_NUMBERS = frozenset({"at once", "tok/s", "A tok/s", "B tok/s", "engine says", "spread", "runs"})
_TIMES = frozenset({"to 1st token", "between tokens", "whole"})


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        right = name in _NUMBERS | _TIMES
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table
