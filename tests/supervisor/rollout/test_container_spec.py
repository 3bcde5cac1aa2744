"""What a rollout file says of a container, in the words of ``docker run``."""

import pytest
import yaml
from pydantic import ValidationError

from supervisor.rollout.container_spec import ContainerSpec, Mount, Port, size_of, size_text


def spec(**keys):
    """Make one from a file's keys."""
    return ContainerSpec.model_validate({"image": "vllm/vllm-openai:v0.11.0", **keys})


def from_yaml(text):
    """Make one from a file's lines, with the types that YAML gives them."""
    return spec(**yaml.safe_load(text))


def refusal(**keys):
    """Say what is wrong, as pydantic tells it."""
    with pytest.raises(ValidationError) as refused:
        spec(**keys)
    (problem,) = refused.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"]


# --- sizes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16g", 16 << 30),
        ("16G", 16 << 30),
        ("25gb", 25 << 30),
        ("8GiB", 8 << 30),
        ("512m", 512 << 20),
        ("64 k", 64 << 10),
        ("1t", 1 << 40),
        ("1.5g", 1536 << 20),
        ("100b", 100),
        (" 7 ", 7),
        (0, 0),
        (17179869184, 16 << 30),
    ],
)
def test_a_size_is_read_as_docker_reads_it(text, size):
    """Units are powers of two, with or without a b."""
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "g", "-1", "16x", "16 g b", "1,5g", "half"])
def test_what_is_no_size_is_refused(text):
    """The message has an example."""
    with pytest.raises(ValueError, match=r"^not a size, such as 16g$"):
        size_of(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (16 << 30, "16g"),
        (1536 << 20, "1536m"),
        (64 << 10, "64k"),
        (2 << 40, "2t"),
        (1001, "1001"),
        (0, "0"),
    ],
)
def test_a_size_is_written_in_the_largest_unit_that_leaves_a_whole_number(size, text):
    """And is the same size when it is read again."""
    assert size_text(size) == text
    assert size_of(text) == size


def test_two_spellings_of_a_size_are_one_configuration():
    """Else a plan would show a difference that is none."""
    assert spec(shm_size="16384m") == spec(shm_size=17179869184) == spec(shm_size="16g")
    assert spec(memory="100GB").memory == "100g"


@pytest.mark.parametrize("value", [True, 1.5, ["16g"], "lots"], ids=str)
def test_a_size_of_another_type_is_refused(value):
    """A truth value is no size of one byte."""
    assert refusal(shm_size=value)[0] == "shm_size"


# --- mounts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/models:/models", Mount(source="/models", target="/models")),
        ("/a:/b:ro", Mount(source="/a", target="/b", read_only=True)),
        ("/a:/b:rw", Mount(source="/a", target="/b")),
        ("hf:/cache/", Mount(source="hf", target="/cache")),
        ("/a:/", Mount(source="/a", target="/")),
        (
            "/a:/b:ro,z,rshared",
            Mount(source="/a", target="/b", read_only=True, options=("z", "rshared")),
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_mount_is_read_as_docker_reads_it(text, mount):
    """What is written of it is read as the same."""
    assert Mount.parse(text) == mount
    assert Mount.parse(str(mount)) == mount


@pytest.mark.parametrize("text", ["", "/models", ":/models", "/models:", "/models:models"])
def test_what_is_no_mount_is_refused(text):
    """A target begins at the container's root."""
    with pytest.raises(ValueError, match="not SOURCE:TARGET, such as /models:/models:ro"):
        Mount.parse(text)
    assert refusal(mounts=[text]) == (
        "mounts.0",
        "Value error, not SOURCE:TARGET, such as /models:/models:ro",
    )


def test_a_path_is_told_from_a_volume():
    """Only a path can be looked at from outside."""
    assert Mount.parse("/models:/models").is_path
    assert not Mount.parse("models:/models").is_path


@pytest.mark.parametrize(
    ("path", "source", "below"),
    [
        ("/models", "/srv", ""),
        ("/models/", "/srv", ""),
        ("/models/a/b", "/srv", "a/b"),
        ("/models/hub", "hub", ""),
        ("/models/hub/x", "hub", "x"),
        ("/models/hubble", "/srv", "hubble"),
    ],
)
def test_a_path_is_found_in_the_innermost_mount(path, source, below):
    """A name that only begins like a mount's is not in it."""
    found = spec(mounts=["/srv:/models", "hub:/models/hub"]).mount_at(path)
    assert found is not None
    assert (found[0].source, found[1]) == (source, below)


@pytest.mark.parametrize("path", ["/model", "/modelsx", "/", "models", ""])
def test_a_path_outside_every_mount_is_in_none(path):
    """It is the image's own, or a name at Hugging Face."""
    assert spec(mounts=["/srv:/models"]).mount_at(path) is None


def test_a_mount_at_the_root_holds_everything():
    """The path below it has no slash at its beginning."""
    found = spec(mounts=["/:/"]).mount_at("/a/b")
    assert found is not None
    assert found[1] == "a/b"


# --- ports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8000", Port(inside=8000)),
        ("8000:80", Port(inside=80, host=8000)),
        ("127.0.0.1:8001:8000", Port(inside=8000, host=8001, address="127.0.0.1")),
        ("127.0.0.1::8000", Port(inside=8000, address="127.0.0.1")),
        ("[::1]:8001:8000", Port(inside=8000, host=8001, address="::1")),
        ("53:53/udp", Port(inside=53, host=53, protocol="udp")),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_port_is_read_as_docker_reads_it(text, port):
    """What is written of it is read as the same."""
    assert Port.parse(text) == port
    assert str(port) == text


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_port_that_is_open_everywhere_is_written_without_an_address(address):
    """So it is by itself."""
    assert str(Port(inside=80, host=8000, address=address)) == "8000:80"


def test_tcp_is_what_a_port_is_by_itself():
    """Compose writes it out."""
    assert Port.parse("127.0.0.1:1:2/tcp") == Port.parse("127.0.0.1:1:2")


def test_a_number_alone_is_a_port_of_the_container():
    """YAML reads it as a number; Docker chooses the other one."""
    assert from_yaml("ports: [8000]").ports == (Port(inside=8000),)


@pytest.mark.parametrize("text", ["", "http", "8000:", "localhost:1:2", "1:2/sctp", "1-3:1-3"])
def test_what_is_no_port_is_refused(text):
    """The message has an example."""
    assert refusal(ports=[text]) == (
        "ports.0",
        "Value error, not [ADDRESS:]PORT:PORT, such as 127.0.0.1:8000:8000",
    )


@pytest.mark.parametrize("text", ["0", "65536", "127.0.0.1:65536:8000", "127.0.0.1:8000:0"])
def test_a_port_that_no_machine_has_is_refused(text):
    """There are 65535."""
    assert refusal(ports=[text])[0].startswith("ports.0")


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "vllm serve 'a b' --x 1 --y 0.5",
        "vllm serve\n  'a b'\n  --x 1\n  --y 0.5\n",
        ["vllm", "serve", "a b", "--x", 1, "--y", 0.5],
    ],
    ids=["one line", "several lines", "a list"],
)
def test_a_command_is_a_line_or_a_list(command):
    """Numbers in a list are words too."""
    assert spec(command=command).command == ("vllm", "serve", "a b", "--x", "1", "--y", "0.5")


def test_json_in_a_command_keeps_its_quotes():
    """A list is not read as a shell reads it."""
    words = ("--speculative-config", '{"method": "mtp"}')
    assert spec(command=list(words)).command == words
    assert spec(command="""--speculative-config '{"method": "mtp"}'""").command == words


def test_no_command_is_not_an_empty_one():
    """Without one the image's own counts."""
    assert spec().command is None
    assert spec(command=[]).command == ()
    assert spec(entrypoint="").entrypoint == ()


def test_a_command_with_an_open_quote_is_refused():
    """It names what is open."""
    assert refusal(command="vllm serve 'a") == ("command", "Value error, No closing quotation")


@pytest.mark.parametrize("command", [8, {"a": 1}, [["a"]], [None]], ids=str)
def test_what_is_no_command_is_refused(command):
    """Neither a line nor words."""
    assert refusal(command=command)[0].startswith("command")


# --- single values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "restart"),
    [
        ("no", "no"),
        ("'no'", "no"),
        ("off", "no"),
        ("always", "always"),
        ("unless-stopped", "unless-stopped"),
        ("on-failure", "on-failure"),
        ("on-failure:3", "on-failure:3"),
    ],
)
def test_a_restart_policy_is_dockers(written, restart):
    """A bare no, which YAML reads as false, too."""
    assert from_yaml(f"restart: {written}").restart == restart


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("sometimes", "not one of: no, always, unless-stopped, on-failure[:TIMES]"),
        ("always:3", "not one of: no, always, unless-stopped, on-failure[:TIMES]"),
        ("on-failure:often", "not one of: no, always, unless-stopped, on-failure[:TIMES]"),
        ("on-failure:-1", "not one of: no, always, unless-stopped, on-failure[:TIMES]"),
        ("on-failure:", "not one of: no, always, unless-stopped, on-failure[:TIMES]"),
    ],
)
def test_another_restart_policy_is_refused(written, why):
    """The message says which there are."""
    assert refusal(restart=written) == ("restart", f"Value error, {why}")


def test_true_is_no_restart_policy():
    """Only false has a meaning."""
    assert refusal(restart=True)[0] == "restart"


@pytest.mark.parametrize(
    ("written", "gpus"),
    [("all", "all"), ("2", "2"), ("device=0,1", "device=0,1"), ("'1'", "1")],
)
def test_gpus_are_all_a_number_or_named(written, gpus):
    """As after docker run --gpus."""
    assert from_yaml(f"gpus: {written}").gpus == gpus


@pytest.mark.parametrize("value", ["some", "-1", "0,1", "", -1])
def test_other_gpus_are_refused(value):
    """The message says what there is."""
    assert refusal(gpus=value) == (
        "gpus",
        "Value error, not one of: all, a number of them, device=0,1",
    )


def test_true_is_no_number_of_gpus():
    """Though Python takes it for one."""
    assert refusal(gpus=True)[0] == "gpus"


def test_limits_are_soft_and_hard():
    """Numbers stay what they say."""
    limits = from_yaml("ulimits: {memlock: -1, stack: 67108864, nofile: '1024:-1'}").ulimits
    assert limits == {"memlock": "-1", "stack": "67108864", "nofile": "1024:-1"}


@pytest.mark.parametrize("value", ["all", "1:2:3", "1:x", "", ":1"])
def test_another_limit_is_refused_by_its_name(value):
    """One file may have several."""
    assert refusal(ulimits={"memlock": value}) == (
        "ulimits",
        f"Value error, memlock: {value!r} is not SOFT[:HARD]",
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("off", "false"),
        ("''", ""),
        ("null", None),
        ("'007'", "007"),
    ],
)
def test_a_variable_has_a_text_whatever_yaml_makes_of_it(written, value):
    """Only null is none: it is taken from what runs."""
    assert from_yaml(f"environment: {{NAME: {written}}}").environment == {"NAME": value}


def test_a_variable_is_no_list():
    """It is told by its name."""
    assert refusal(environment={"NAME": ["a"]})[0] == "environment.NAME"
    assert refusal(environment=["NAME=a"])[0] == "environment"


def test_labels_and_log_options_take_numbers_too():
    """And names that YAML takes for numbers."""
    read = from_yaml("labels: {1: 2, a: true}\nlog_options: {max-file: 3}")
    assert read.labels == {"1": "2", "a": "true"}
    assert read.log_options == {"max-file": "3"}


def test_a_group_may_be_a_number():
    """As Docker takes them."""
    assert from_yaml("groups: [44, video]").groups == ("44", "video")


@pytest.mark.parametrize("key", ["imag", "volumes", "cpus"])
def test_an_unknown_key_is_refused(key):
    """What is not understood would be missing in the container."""
    assert refusal(**{key: "x"}) == (key, "Extra inputs are not permitted")


@pytest.mark.parametrize("keys", [{}, {"image": ""}], ids=["none", "empty"])
def test_an_image_is_needed(keys):
    """Everything else is as Docker has it."""
    with pytest.raises(ValidationError, match="image"):
        ContainerSpec.model_validate(keys)


def test_a_spec_comes_back_from_its_json():
    """Mounts and ports are written as people write them."""
    one = spec(
        command="vllm serve /m",
        mounts=["/m:/m:ro,z", "hf:/cache"],
        ports=["127.0.0.1:8000:8000"],
        environment={"A": 1, "HF_TOKEN": None},
        gpus=1,
        shm_size="16gb",
    )
    raw = one.model_dump(mode="json")
    assert (raw["mounts"], raw["ports"]) == (
        ["/m:/m:ro,z", "hf:/cache"],
        ["127.0.0.1:8000:8000"],
    )
    assert ContainerSpec.model_validate(raw) == one
