"""Engines that are not there, or not under the name that the gateway asks for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from supervisor.audit.advice import deployment_config
from supervisor.audit.finding import Audited, AuditFinding, is_own, quoted, yaml_value
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
            f"this machine's:\nengines:\n  {yaml_value(facts.group)}: http://127.0.0.1:8000"
            + (
                "" if facts.foreign_name else "\nElse start the engine: a fallback to it fails now."
            ),
            cause=facts.url,
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
    """An engine serves its model under another name than the gateway asks for.

    An error where the engine is known to answer 404 to it, a note where it may serve any name.
    Source: vLLM 0.32.0, run. Ollama answers "model not found"; llama.cpp and llamafile read no
    name while they serve one model.
    """
    for facts in audited.engines:
        if facts.names is None:
            continue
        # Ollama adds the tag that the gateway leaves out.
        served = {*facts.names, *(name.removesuffix(":latest") for name in facts.names)}
        missing = [name for name in facts.asked_for if name not in served]
        if not missing or (facts.owned_by == "llamacpp" and len(facts.names) == 1):
            continue
        refuses = _is_vllm(facts) or facts.owned_by == "library"
        remedy, config = _right_name(audited, facts, missing)
        yield AuditFinding(
            code="engine_name_mismatch",
            severity="error" if refuses else "info",
            subject=facts.group,
            message=f"the gateway asks the engine of {facts.group!r} for {quoted(missing)}, "
            f"and it serves {quoted(facts.names) or 'nothing'}"
            + ("" if refuses else "; some engines answer to any name, others refuse it"),
            remedy=remedy,
            config=config,
            cause=f"{facts.url} {remedy}",
        )


def _is_vllm(facts: EngineFacts) -> bool:
    return facts.owned_by == "vllm" or facts.has_tool_parser is not None


def _right_name(
    audited: Audited, facts: EngineFacts, missing: Sequence[str]
) -> tuple[str, Mapping[str, Any] | None]:
    """Write the name that the engine serves, with the provider that the deployment has."""
    group = audited.topology.groups.get(facts.group)
    deployments = group.deployments if group is not None else ()
    wrong = [d for d in deployments if d.upstream_model in missing] or [
        d for d in deployments if is_own(d)
    ]
    provider = next((d.provider for d in wrong if d.provider), "hosted_vllm")
    if not facts.names:
        return "Load the model into the engine: it serves none.", None
    model = f"{provider}/{facts.names[0]}"
    lines = f"Write into the deployment's litellm_params:\nmodel: {yaml_value(model)}"
    if _is_vllm(facts):
        lines += f"\nor start vLLM with:\n{name_flag(facts)}"
    config = deployment_config(facts.group, litellm_params={"model": model})
    return lines, config if len(deployments) == 1 else None
