"""Which upstreams are local: asked for real, never stood in for, and free."""

import pytest

from chaos.gateway.locality import Locality, hosts_of, look_up

HERE = Locality(
    engines={"gemma": "http://8.8.4.5:8000"},
    paid=("hosted",),
    addresses={
        "gpu.example": ("192.168.1.7",),
        "tailnet.example": ("100.101.102.103",),
        "half.example": ("10.0.0.1", "8.8.4.4"),
        "public.example": ("8.8.4.4",),
        "gone.example": (),
    },
)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000", True),
        ("http://192.168.1.7:8000/v1", True),
        ("http://100.64.0.9:8000/v1", True),
        ("http://[::1]:8000", True),
        ("http://[fe80::1%25eth0]:8000", True),
        ("http://[::ffff:10.0.0.1]:8000", True),
        ("http://169.254.1.1:8000", True),
        ("http://host.docker.internal:8000/v1", True),
        ("http://vllm:8000/v1", True),
        ("http://gemma.internal:8000/v1", True),
        ("http://box.lan:8000", True),
        ("http://gpu.example:8000/v1", True),
        ("http://tailnet.example:8000/v1", True),
        ("http://8.8.4.5:8000/v1", True),
        ("http://half.example:8000/v1", False),
        ("http://public.example:8000/v1", False),
        ("http://gone.example:8000/v1", False),
        ("http://100.128.0.1/v1", False),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
        (None, False),
    ],
)
def test_an_address_tells_what_is_local(url, local):
    """Loopback, private, tailnet, by name or by number; a named engine; a neighbour."""
    assert HERE.is_local("some-group", "openai", url) is local


@pytest.mark.parametrize("provider", ["hosted_vllm", "ollama", "ollama_chat", "lm_studio"])
def test_what_only_a_local_server_speaks_is_local(provider):
    """Also behind a name that this machine cannot resolve, or that it takes for public."""
    assert HERE.is_local("gemma-2", provider, None)
    assert HERE.is_local("gemma-2", provider, "http://public.example:8000/v1")


def test_the_settings_have_the_last_word():
    """A hosted vLLM costs money; a named engine does not."""
    assert not HERE.is_local("hosted", "hosted_vllm", "http://127.0.0.1:8000/v1")
    assert HERE.is_local("gemma", "openai", None)


def test_a_name_resolves_unless_it_was_found_not_to():
    """What was never looked up is not called unreachable."""
    assert HERE.resolves("http://gpu.example:1")
    assert HERE.resolves("http://never-asked.example:1")
    assert HERE.resolves(None)
    assert not HERE.resolves("http://gone.example:1")


def test_only_names_are_looked_up():
    """An address is one already."""
    urls = ["http://127.0.0.1:1", "http://[::1]:1", "http://vllm:8000/v1", None, "", "http://"]
    assert hosts_of(urls) == {"vllm"}


async def test_this_machine_s_resolver_is_asked():
    """A name without an address is empty, and one that it knows has some."""
    found = await look_up({"localhost", "no-such-host.invalid"})
    assert found["no-such-host.invalid"] == ()
    assert set(found["localhost"]) & {"127.0.0.1", "::1"}


def test_what_is_said_of_a_wildcard_holds_for_its_model():
    """An engine or a paid group may be named by its pattern."""
    known = Locality(engines={"a/*": "http://8.8.4.5:8000"}, paid=("b/*",))
    also = known.also_called({"a/*": "a/x", "b/*": "b/x", "c/*": "c/x"})
    assert also.is_local("a/x", "openai", None)
    assert not also.is_local("b/x", "openai", "http://127.0.0.1:8000")
    assert not also.is_local("c/x", "openai", None)
