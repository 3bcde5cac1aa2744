"""LiteLLM's image in place of an executable."""

import shlex

from chaos.drill.twin.container import container_command


def test_a_container_runs_as_if_it_were_the_executable(tmp_path):
    """Its folders are read-only, its network the host's, its arguments LiteLLM's own."""
    own = tmp_path / "the user's"
    command = container_command("litellm:x", tmp_path, source=own, variables=["KEY", "NO_PROXY"])
    assert shlex.split(command.splitlines()[1]) == [
        *("exec", "docker", "run", "--rm", "--init", "--network", "host"),
        *("--env", "KEY", "--env", "NO_PROXY"),
        *("--volume", f"{tmp_path}:{tmp_path}:ro", "--volume", f"{own}:{own}:ro"),
        *("litellm:x", "$@"),
    ]
