"""From what was seen to how the engine stands. Pure.

The order is that of certainty: what is surely dead, what cannot be told, what surely stands
still, and only then what is less than well.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise

from supervisor.engine.facts import EngineFacts
from supervisor.engine.metrics import Vitals
from supervisor.probes.depths.ask import Asked, Trouble
from supervisor.probes.depths.drift import drift
from supervisor.probes.depths.seen import Generation, Limits, Seen
from supervisor.probes.probe import State

Found = tuple[State, str]

DEAD = "EngineCore encountered an issue"
"""What vLLM answers when its engine has died; other errors of a server may pass.

Source: vLLM 0.32.0, ``v1/engine/exceptions.py``: EngineDeadError, not EngineGenerateError.
"""


def judge(seen: Seen, previous: EngineFacts | None, limits: Limits) -> Found:
    """Say how the engine stands, and why.

    Args:
        previous: What it was when it was seen before; None at the first time.
    """
    return (
        _dead(seen)
        or _unreadable(seen)
        or _stuck(seen)
        or _refused(seen)
        or _changed(seen, previous)
        or _queued(seen)
        or _late(seen, limits)
        or _well(seen)
    )


def _dead(seen: Seen) -> Found | None:
    answers = [one for one in (seen.health, seen.models, seen.metrics) if one is not None]
    if all(one.trouble is Trouble.REFUSED for one in answers):
        return State.DOWN, f"nobody listens: it {seen.health.problem}"
    # A page comes from something in front of it, which knows less.
    if seen.health.status == 503 and not seen.health.is_page:
        return State.DOWN, "its health is 503: the process that answers says that its engine died"
    asked = seen.generation.asked if seen.generation else None
    if asked is not None and asked.trouble is Trouble.REFUSED:
        return State.DOWN, f"it went away while it was looked at: it {asked.problem}"
    if asked is not None and asked.status is not None and DEAD in asked.text:
        return State.DOWN, f"it answers {asked.status} to a request of one token: {_error(asked)}"
    return None


def _unreadable(seen: Seen) -> Found | None:
    if seen.health.trouble is Trouble.NAMELESS:
        return State.UNKNOWN, f"{seen.health.problem}; others may know it under this name"
    if several := _several(seen):
        return State.UNKNOWN, f"at least two engines answer at this address in turn: {several}"
    if all(
        one is None or one.status is None for one in (seen.health, seen.models, seen.metrics)
    ) and (seen.generation is None or seen.generation.asked.status is None):
        return State.UNKNOWN, f"it takes connections and answers nothing: {seen.health.problem}"
    if seen.models is None:
        if seen.health.ok and not seen.health.is_page:
            return None
        return State.UNKNOWN, f"GET /health: {seen.health.told}; nothing else was asked"
    if seen.models.status in (401, 403):
        wants = "a key, and not the one it was given" if seen.keyed else "a key"
        return State.UNKNOWN, (
            f"it wants {wants}: status {seen.models.status} to GET /v1/models; "
            "name it below engines"
        )
    if seen.models.status is not None and seen.facts.names is None:
        return State.UNKNOWN, f"GET /v1/models does not return a list of models: {seen.models.told}"
    if seen.facts.names == ():
        return State.UNKNOWN, "its list of models is empty"
    return _without_heartbeat(seen)


def _several(seen: Seen) -> str:
    """Say by what more than one engine shows; empty if there is but one.

    A restart leads from one process to a later one, with whatever it now serves, and never back.
    """
    starts, identities = seen.starts, seen.identities
    if any(later < earlier for earlier, later in pairwise(starts)):
        return f"{len({*starts})} start times in {len(starts)} answers"
    restarted = len({*starts}) > 1
    if _goes_back(identities) or (len({*identities}) > 1 and not restarted):
        return f"{len({*identities})} lists of models in {len(identities)} answers"
    return ""


def _goes_back(values: Sequence[object]) -> bool:
    """Tell whether a value comes again after another one."""
    return len(list(groupby(values))) > len({*values})


def _without_heartbeat(seen: Seen) -> Found | None:
    """Metrics in words that this version does not know hide whether the engine works."""
    metrics = seen.metrics
    if metrics is None or metrics.status in (None, 404) or seen.vitals.readable:
        return None
    if not metrics.ok:
        return State.UNKNOWN, f"GET /metrics cannot be read: {metrics.told}"
    named = "vllm:" in metrics.text
    return State.UNKNOWN, (
        "its metrics have no heartbeat (vllm:iteration_tokens_total): "
        + ("another version names them otherwise" if named else "they are not vLLM's")
    )


def _stuck(seen: Seen) -> Found | None:
    """Tell the one rule for hung: no byte in time, no step of the engine, something to do.

    Source: vLLM 0.32.0, run: a frozen engine answers everything but requests, and its metrics
    say that nothing runs and nothing waits.
    """
    generation = seen.generation
    if generation is None and seen.moved is False:
        return State.UNKNOWN, (
            f"{_in_hand(seen.vitals)}, and the engine made no step while it was watched; whether "
            "it hangs, only a request of one token can tell"
        )
    if generation is None or generation.asked.trouble is not Trouble.SILENT:
        return None
    if generation.moved is None:
        return State.UNKNOWN, (
            f"no token came ({generation.asked.problem}), and without a heartbeat nothing tells "
            "whether it is slow or stands still"
        )
    if generation.moved:
        return None
    load = "" if not generation.load else f", {generation.load:g} request(s) in its hands"
    return State.HUNG, (
        f"no token came ({generation.asked.problem}) and the engine made no step meanwhile{load}; "
        f"its health: {seen.health.told}"
    )


def _refused(seen: Seen) -> Found | None:
    """Tell what came instead of a token: then it is not known to work, whatever else is well."""
    generation = seen.generation
    if generation is None or generation.answered or _silent(generation):
        return None
    asked = generation.asked
    if asked.ok:
        return State.UNKNOWN, f"no reply of a model to a request of one token: {_error(asked)}"
    if asked.status is not None:
        return State.UNKNOWN, (
            f"it refuses a request of one token: status {asked.status}, {_error(asked)}"
        )
    if not generation.moved:
        return State.UNKNOWN, f"a request of one token failed: {asked.problem}"
    return None


def _changed(seen: Seen, previous: EngineFacts | None) -> Found | None:
    facts = seen.facts
    told = list(drift(previous, facts)) if previous is not None else []
    missing = [name for name in facts.asked_for if name not in (facts.names or ())]
    if missing and facts.names is not None:
        served = ", ".join(facts.names) or "nothing"
        told.append(f"the gateway asks for {', '.join(missing)}, and it serves {served}")
    return (State.DRIFTED, "; ".join(told)) if told else None


def _queued(seen: Seen) -> Found | None:
    generation = seen.generation
    vitals = generation.after if generation else seen.vitals
    if not vitals.waiting:
        return None
    return State.BUSY, (
        _in_hand(vitals)
        + (
            f"; our own did not come through: {generation.asked.problem}"
            if _silent(generation) and generation
            else ""
        )
    )


def _in_hand(vitals: Vitals) -> str:
    return f"{vitals.waiting or 0:g} request(s) wait, {vitals.running or 0:g} run"


def _late(seen: Seen, limits: Limits) -> Found | None:
    generation = seen.generation
    if generation is not None and _silent(generation):
        return State.SLOW, f"no token yet ({generation.asked.problem}), but the engine works"
    if generation is not None and generation.asked.status is None:
        return State.SLOW, f"a request of one token failed once: {generation.asked.problem}"
    if generation is not None and generation.asked.took_s > limits.slow_s:
        return State.SLOW, f"one token took {generation.asked.took_s:.1f} s"
    for name, asked in (("/health", seen.health), ("/v1/models", seen.models)):
        if asked is not None and not asked.ok:
            return State.SLOW, f"GET {name}: {asked.told}; what else was asked was answered"
    for name, asked in (("GET /metrics", seen.metrics), ("a request with tools", seen.tools)):
        if asked is not None and asked.status is None:
            return State.SLOW, f"{name}: {asked.told}; what else was asked was answered"
    return None


def _well(seen: Seen) -> Found:
    generation = seen.generation
    if generation is None:
        return State.UP, "it answers; whether it generates was not asked"
    return State.UP, f"it generates: one token after {generation.asked.took_s:.2f} s"


def _silent(generation: Generation | None) -> bool:
    return generation is not None and generation.asked.trouble is Trouble.SILENT


def _error(asked: Asked) -> str:
    body = asked.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return str(message)[:200] if message else asked.told
