"""Small gateways, as the topology stage would read them."""

from chaos.gateway.locality import Locality
from chaos.gateway.topology import Chain, Deployment, ModelGroup, RouterSettings, Topology, Trigger

PAID_AT = "https://api.example/v1"
PERMISSION = r"^http://127\.0\.0\.1:8941/lane/[0-3]\Z"


def deployment(group, *, litellm_model="anthropic/claude-x", **changes):
    """Make one deployment; by default a paid Anthropic one that may be redirected."""
    provider, _, model = litellm_model.partition("/")
    dialect = {"hosted_vllm": "vllm"}.get(provider, provider)
    engine = provider == "hosted_vllm"
    base_url = changes.get("base_url", "http://127.0.0.1:8000/v1" if engine else PAID_AT)
    values = {
        "id": f"{group}-id",
        "group": group,
        "litellm_model": litellm_model,
        "provider": provider,
        "dialect": dialect,
        "upstream_model": model,
        "base_url": base_url,
        "local": Locality().is_local(group, provider, base_url),
        "redirect_permission": PERMISSION,
        **changes,
    }
    return Deployment(**values)


def group(name, **changes):
    """Make a model group with one deployment."""
    return ModelGroup(name, (deployment(name, **changes),))


def topology(chains, groups=None, **changes):
    """Make a gateway from ``{group: [fallbacks]}``; the last hop is local by default."""
    names = dict.fromkeys(name for hop, hops in chains.items() for name in (hop, *hops))
    made = {}
    for name in names:
        local = name.startswith("local")
        model = f"hosted_vllm/{name}" if local else f"anthropic/{name}"
        made[name] = group(name, litellm_model=model)
    made.update(groups or {})
    return Topology(
        litellm_version=changes.pop("litellm_version", "1.106.2"),
        groups=made,
        chains=tuple(
            Chain(name, Trigger.GENERAL, (name, *hops)) for name, hops in chains.items() if hops
        ),
        settings=changes.pop("settings", RouterSettings(num_retries=0)),
        **changes,
    )
