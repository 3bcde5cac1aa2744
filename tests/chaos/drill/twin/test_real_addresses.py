"""A twin's hops are where its user's configuration has them, not where the witness listens."""

from chaos.drill.twin.config import rewrite
from chaos.drill.twin.real_addresses import with_real_addresses
from chaos.gateway.locality import Locality
from tests.fakes.topologies import deployment, group, topology

ENGINE = "http://vllm:8000/v1"
MADE = rewrite(
    {
        "model_list": [
            {"model_name": "paid", "litellm_params": {"model": "anthropic/x"}},
            {
                "model_name": "local",
                "litellm_params": {"model": "hosted_vllm/g", "api_base": ENGINE},
            },
        ]
    },
    base_url=lambda index: f"http://127.0.0.1:1/twin/{index}",
    canary="canary",
    variables={},
)
PAID_ID, LOCAL_ID = (made.id for made in MADE.deployments)


def as_the_twin_says(**changes):
    """Everything is on loopback, and so everything looks local and free."""
    witness = "http://127.0.0.1:1/twin/0"
    values = {"base_url": witness, "local": True}
    return topology(
        {"paid": ["local"]},
        groups={
            "paid": group("paid", **{"id": PAID_ID, **values, **changes}),
            "local": group("local", id=LOCAL_ID, litellm_model="hosted_vllm/g", **values),
        },
    )


def only(found, name):
    """Look at the one deployment of a group."""
    return found.groups[name].deployments[0]


def test_a_paid_hop_stays_paid_and_an_engine_stays_an_engine():
    """The witness is local; whoever believed it would spend money as if it were none."""
    defaults = {"anthropic": "https://provider.example"}
    found = with_real_addresses(as_the_twin_says(), MADE, Locality(), defaults)
    paid, local = only(found, "paid"), only(found, "local")
    assert (paid.base_url, paid.local) == ("https://provider.example", False)
    assert (local.base_url, local.local) == (ENGINE, True)


def test_an_engines_name_that_is_known_only_in_compose_is_said_to_be_unknown():
    """It is judged as for the running gateway: what has no address here is not forwarded to."""
    elsewhere = Locality(addresses={"vllm": ()})
    found = with_real_addresses(as_the_twin_says(), MADE, elsewhere, {})
    assert only(found, "local").resolves is False


def test_the_users_word_on_an_engine_is_kept():
    """``engines`` names an address that works from here."""
    named = Locality(engines={"local": "http://127.0.0.1:8000/v1"}, addresses={"vllm": ()})
    found = with_real_addresses(as_the_twin_says(), MADE, named, {})
    assert only(found, "local").base_url == "http://127.0.0.1:8000/v1"


def test_a_deployment_that_is_not_in_the_file_is_left_alone():
    """There is nothing to put back."""
    strange = deployment("paid", id="another", base_url="http://somewhere")
    seen = as_the_twin_says(id="another", base_url="http://somewhere", local=strange.local)
    assert only(with_real_addresses(seen, MADE, Locality(), {}), "paid") == strange
