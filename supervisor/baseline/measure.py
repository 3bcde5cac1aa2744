"""Run a benchmark: warm up, ask, compare what came with what the engine counted, keep every run."""

import asyncio
import secrets
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from chaos.clock import Clock
from chaos.errors import SetupError
from chaos.witness.redaction import without_userinfo
from supervisor.baseline.conditions import look_at
from supervisor.baseline.counters import Counters, between, read_counters
from supervisor.baseline.record import FASTEST_TPS, Benchmark, Method, Run
from supervisor.baseline.stream import NoReplyError, Timed, timed
from supervisor.baseline.text import TEXTS, BenchmarkText
from supervisor.baseline.trust import doubts
from supervisor.engine.facts import EngineFacts, root_of
from supervisor.engine.http import get_metrics
from supervisor.settings.model import EngineSettings

LOOK_EVERY_S = 0.25
SETTLE_WITHIN_S = 3.0
"""Until an engine has counted a request whose reply has ended."""

YIELD_EVERY_S = 1.0


class BusyError(Exception):
    """Somebody uses the engine, and was not to wait."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is measured.

    Attributes:
        engine: Its name in records.
        model: What it is asked for; by default the first name that it serves.
        concurrency: Requests at once; each of these with every text.
        yields: Give way to everybody else: nothing is begun while others use the engine, and
            what runs is broken off when somebody comes.
        idle_within_s: How long to wait for others to finish before each run.
        reply_within_s: How long one reply may take.
    """

    engine: str
    settings: EngineSettings
    model: str | None = None
    texts: Sequence[BenchmarkText] = tuple(TEXTS.values())
    concurrency: Sequence[int] = (1,)
    method: Method = field(default_factory=Method)
    note: str = ""
    taken_by: Literal["command", "daemon"] = "command"
    yields: bool = False
    idle_within_s: float = 60.0
    reply_within_s: float = 600.0

    @property
    def planned(self) -> int:
        """How many runs there will be, with those that warm up."""
        each = self.method.warm_up + self.method.runs
        return len(self.texts) * len(self.concurrency) * each


@dataclass(frozen=True, slots=True)
class Progress:
    """One run begins, or has ended (then *run* is there, but for one that warms up)."""

    done: int
    planned: int
    text: str
    concurrency: int
    run: Run | None = None


async def measure(
    session: aiohttp.ClientSession,
    clock: Clock,
    order: Order,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Benchmark:
    """Measure one engine.

    Raises:
        SetupError: It cannot be asked, or gives no reply that could be timed.
        BusyError: It is used by somebody, and *order* yields.
    """
    key = order.settings.key.reveal().get_secret_value() if order.settings.key else None
    taken_at, began_s = clock.now(), clock.monotonic()
    facts, conditions, boot = await look_at(session, order.settings, asked_for=order.model, key=key)
    model = order.model or _model_of(facts, order)
    bench = _Bench(session, clock, order, root_of(order.settings.url), model, key)
    runs: list[Run] = []
    done = 0
    for text in order.texts:
        for many in order.concurrency:
            for turn in range(order.method.warm_up + order.method.runs):
                tell(Progress(done, order.planned, text.name, many))
                warm_up = turn < order.method.warm_up
                run = await bench.run(text, many, must=warm_up and not runs)
                if not warm_up:
                    runs.append(run)
                done += 1
                tell(Progress(done, order.planned, text.name, many, None if warm_up else run))
    return Benchmark(
        id=f"{taken_at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        engine=order.engine,
        url=without_userinfo(bench.root),
        taken_at=taken_at,
        took_s=clock.monotonic() - began_s,
        taken_by=order.taken_by,
        note=order.note,
        boot=boot,
        conditions=conditions.model_copy(update={"fingerprint": bench.fingerprint}),
        method=order.method,
        runs=tuple(runs),
    )


def _model_of(facts: EngineFacts, order: Order) -> str:
    where = f"the engine {order.engine!r} at {without_userinfo(facts.url)}"
    if facts.problem:
        raise SetupError(
            f"{where} cannot be asked: {facts.problem}",
            remedy="Start it, or name another address: understudy bench run NAME=URL",
        )
    if not facts.names:
        raise SetupError(
            f"{where} does not say which models it serves",
            remedy="Name the model with --model, and give its key, if it asks for one, as key "
            "below engines in the configuration.",
        )
    return facts.names[0]


@dataclass(slots=True)
class _Bench:
    """One engine on the bench; *fingerprint* is what its last reply carried."""

    session: aiohttp.ClientSession
    clock: Clock
    order: Order
    root: str
    model: str
    key: str | None
    fingerprint: str | None = None
    boot_s: float | None = None

    async def run(self, text: BenchmarkText, many: int, *, must: bool) -> Run:
        """Ask once, *many* requests at a time.

        Args:
            must: Without a reply there is no point in going on.
        """
        before = await self._idle()
        self.boot_s = before.started_at_s if self.boot_s is None else self.boot_s
        began_s = self.clock.monotonic()
        try:
            replies = await self._asked(text, many)
        except NoReplyError as error:
            why = str(error)
            if must:
                where = f"{self.model!r} at {without_userinfo(self.root)}"
                raise SetupError(
                    f"{where} gives no reply that can be timed: {why}",
                    remedy="Try it by hand, or name the model with --model.",
                ) from None
            return Run(text=text.name, concurrency=many, doubts=(f"no reply: {why}",))
        took_s = self.clock.monotonic() - began_s
        after = await self._settled(before, many)
        engine = between(before, after)
        self.fingerprint = replies[-1].fingerprint
        return Run(
            text=text.name,
            concurrency=many,
            tokens=_sum([one.tokens for one in replies]),
            prompt_tokens=replies[0].prompt_tokens,
            decode_tps=_believable(_median([1 / one.itl_s for one in replies if one.itl_s])),
            total_tps=_believable(_rate(_sum([one.tokens for one in replies]), took_s)),
            ttft_s=_median([one.ttft_s for one in replies if one.ttft_s is not None]),
            itl_s=_median([one.itl_s for one in replies if one.itl_s]),
            gap_p99_s=max((one.gap_p99_s or 0.0 for one in replies), default=None),
            e2e_s=_median([one.end_s for one in replies]),
            chunks=sum(len(one.arrivals_s) for one in replies),
            engine=engine,
            doubts=doubts(replies, before, after, engine, self.boot_s),
        )

    async def _asked(self, text: BenchmarkText, many: int) -> list[Timed]:
        """Ask, until every reply has ended, one could not be timed, or somebody else comes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._give_way(many))
                asked = [tasks.create_task(self._timed(text)) for _ in range(many)]
                await asyncio.wait(asked)
                watching.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        return [one.result() for one in asked]

    async def _timed(self, text: BenchmarkText) -> Timed:
        return await timed(
            self.session,
            self.clock,
            self.root,
            self._body(text),
            key=self.key,
            within_s=self.order.reply_within_s,
        )

    def _body(self, text: BenchmarkText) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": text.prompt}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0,
            "max_tokens": self.order.method.max_tokens,
            # vLLM's: a prompt that it has seen is not computed again, which no user is like.
            "cache_salt": secrets.token_hex(8),
        }
        if self.order.method.ignore_eos:
            body["ignore_eos"] = True
        return body

    async def _counters(self) -> Counters:
        return read_counters(await get_metrics(self.session, self.root))

    async def _idle(self) -> Counters:
        """Wait until nobody else uses the engine, and give its counters of then.

        Raises:
            BusyError: Somebody does, and the order yields.
        """
        until_s = self.clock.monotonic() + self.order.idle_within_s
        while (known := await self._counters()).others:
            if self.order.yields:
                raise BusyError(f"{known.others} requests are there")
            if self.clock.monotonic() >= until_s:
                break
            await self.clock.sleep(LOOK_EVERY_S)
        return known

    async def _give_way(self, own: int) -> None:
        """Break the run off when somebody else comes, if the order yields."""
        while self.order.yields:
            await self.clock.sleep(YIELD_EVERY_S)
            others = (await self._counters()).others - own
            if others > 0:
                raise BusyError(f"{others} requests came meanwhile")

    async def _settled(self, before: Counters, many: int) -> Counters:
        """Read the counters once they know of our requests; an engine may not publish any."""
        until_s = self.clock.monotonic() + SETTLE_WITHIN_S
        while True:
            after = await self._counters()
            ended = (between(before, after).requests or 0) >= many and not after.others
            if ended or not before.readable or self.clock.monotonic() >= until_s:
                return after
            await self.clock.sleep(LOOK_EVERY_S)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _believable(speed: float | None) -> float | None:
    """Leave out what chunks that came within microseconds make of a speed: it is doubted anyway."""
    return speed if speed is not None and 0 < speed <= FASTEST_TPS else None


def _rate(tokens: int | None, took_s: float) -> float | None:
    return tokens / took_s if tokens is not None and took_s > 0 else None
