"""The new image is here, and made for this machine."""

import pytest

from supervisor.rollout.checks.image import check, digest_of, short
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import DOCKER, NEW_NAME, facts, image, rollout_file

REGISTRY = f"vllm/vllm-openai@sha256:{'ab' * 32}"


def test_one_that_is_here_is_fine():
    """It is named by what cannot change."""
    (found,) = check(facts())
    assert (found.check, found.answer) == ("image", Answer.OK)
    assert found.came == f"{NEW_NAME} is sha256:222222222222…"


def test_one_that_is_not_here_is_refused():
    """It is fetched while the old one serves, not while nobody does."""
    (found,) = check(facts(image=None, images=()))
    assert (found.answer, found.came) == (Answer.REFUSED, f"the image {NEW_NAME} is not here")
    assert found.remedy == f"Fetch it while the old engine serves: docker pull {NEW_NAME}"


def test_a_slip_in_its_name_is_told():
    """One that is here is nearly called so."""
    file = rollout_file(run={"image": "vllm/vllm-openai:v0.32.O"})
    (found,) = check(facts(file=file, image=None, images=(NEW_NAME,)))
    assert found.answer is Answer.REFUSED
    assert f"(did you mean '{NEW_NAME}'?)" in found.remedy


def test_images_that_are_not_like_it_are_not_listed():
    """A machine has dozens of them."""
    (found,) = check(facts(image=None, images=("postgres:17",)))
    assert "postgres" not in found.remedy


@pytest.mark.parametrize(
    ("machine", "built_for", "platform"),
    [("aarch64", "amd64", "arm64"), ("x86_64", "arm64", "amd64"), ("riscv64", "arm64", "riscv64")],
)
def test_one_for_another_machine_is_refused(machine, built_for, platform):
    """Docker itself says so only when it is started."""
    docker = {**DOCKER, "Architecture": machine}
    (found,) = check(facts(docker=docker, image=image(Architecture=built_for)))
    assert found.answer is Answer.REFUSED
    assert found.came == f"{NEW_NAME} is made for {built_for}, and this machine is {platform}"
    assert f"--platform linux/{platform} {NEW_NAME}" in found.remedy


@pytest.mark.parametrize(
    ("machine", "built_for"),
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("", "amd64"), ("x86_64", "")],
)
def test_two_words_for_one_machine_are_no_difference(machine, built_for):
    """Nor is what one of them does not tell."""
    docker = {**DOCKER, "Architecture": machine}
    (found,) = check(facts(docker=docker, image=image(Architecture=built_for)))
    assert found.answer is Answer.OK


@pytest.mark.parametrize(
    ("described", "named"),
    [
        (image(RepoDigests=[REGISTRY]), REGISTRY),
        (image("sha256:1234"), "sha256:1234"),
        ({"Id": "sha256:1234", "RepoDigests": None}, "sha256:1234"),
        ({}, ""),
    ],
    ids=["registry", "built here", "no list", "nothing"],
)
def test_an_image_is_named_by_its_digest_else_by_its_id(described, named):
    """The registry's digest is what others can fetch."""
    assert digest_of(described) == named


@pytest.mark.parametrize(
    ("digest", "written"),
    [
        (REGISTRY, "vllm/vllm-openai@sha256:abababababab…"),
        (f"sha256:{'ab' * 32}", "sha256:abababababab…"),
        ("sha256:1234", "sha256:1234"),
        ("", ""),
    ],
    ids=["registry", "id", "short already", "nothing"],
)
def test_a_digest_is_written_with_twelve_digits(digest, written):
    """As people compare it."""
    assert short(digest) == written
