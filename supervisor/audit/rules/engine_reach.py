"""Engines that are not there, or not under the name that the gateway asks for."""

from collections.abc import Iterable

from supervisor.audit.finding import Audited, AuditFinding, quoted
from supervisor.engine.facts import EngineFacts
from supervisor.engine.flag_advice import name_flag


def engine_unreachable(audited: Audited) -> Iterable[AuditFinding]:
    """A local engine does not answer; only a note where it may be unreachable just from here."""
    for facts in audited.engines:
        if not facts.problem:
            continue
        yield AuditFinding(
            code="engine_unreachable",
            severity="info" if facts.foreign_name else "error",
            subject=facts.group,
            message=f"the engine of {facts.group!r} at {facts.url} cannot be asked: "
            f"{facts.problem}{_by_its_log(facts)}",
            remedy="If the gateway reaches it under another address than this machine does, name "
            f"this machine's:\nengines:\n  {facts.group}: http://127.0.0.1:8000"
            + (
                "" if facts.foreign_name else "\nElse start the engine: a fallback to it fails now."
            ),
        )


def _by_its_log(facts: EngineFacts) -> str:
    log = facts.inside.log if facts.inside else None
    if log is None:
        return ""
    if log.failures:
        return f"; by its log the last start failed: {'; '.join(log.failures)}"
    if log.death:
        return f"; by its log it died: {log.death}"
    return "; by its log it was asked to stop" if log.stopped else ""


def engine_name_mismatch(audited: Audited) -> Iterable[AuditFinding]:
    """An engine answers 404 to the model name that the gateway asks for."""
    for facts in audited.engines:
        if facts.names is None:
            continue
        # Ollama adds the tag that the gateway leaves out.
        served = {*facts.names, *(name.removesuffix(":latest") for name in facts.names)}
        missing = [name for name in facts.asked_for if name not in served]
        if missing:
            first = next(iter(facts.names), missing[0])
            yield AuditFinding(
                code="engine_name_mismatch",
                severity="error",
                subject=facts.group,
                message=f"the gateway asks the engine of {facts.group!r} for {quoted(missing)}, "
                f"and it serves {quoted(facts.names) or 'nothing'}",
                remedy="Write into the deployment's litellm_params:\n"
                f"model: hosted_vllm/{first}\n"
                f"or start vLLM with:\n{name_flag(facts)}",
            )
