"""What is found of an engine, before there is a rollout file."""

from dataclasses import FrozenInstanceError

import pytest

from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.origin import Origin


def test_an_origin_leaves_nothing_out_unless_it_says_so():
    """And nobody changes it afterwards."""
    origin = Origin("vllm", ContainerSpec(image="i"))
    assert (origin.left_out, origin.source) == ((), "")
    with pytest.raises(FrozenInstanceError):
        origin.container = "other"  # type: ignore[misc]
