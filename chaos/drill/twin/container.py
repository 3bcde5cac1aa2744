"""Run a twin from LiteLLM's container image, where no executable is at hand."""

import shlex
from collections.abc import Iterable
from pathlib import Path

SCRIPT_NAME = "litellm-in-a-container"


def container_command(
    image: str, directory: Path, *, source: Path, variables: Iterable[str]
) -> str:
    """Write the shell script that runs LiteLLM's image as if it were an executable.

    The host's network lets it reach the witness; *directory* holds its configuration, *source*
    the user's own code. A container sees only the variables that are named.
    """
    named = " ".join(f"--env {shlex.quote(name)}" for name in variables)
    folders = (f"--volume {shlex.quote(f'{folder}:{folder}:ro')}" for folder in (directory, source))
    return (
        "#!/bin/sh\n"
        f"exec docker run --rm --init --network host {named} {' '.join(folders)} "
        f'{shlex.quote(image)} "$@"\n'
    )


def write_container_script(
    directory: Path, image: str, *, source: Path, variables: Iterable[str]
) -> Path:
    """Write the script of ``container_command`` and make it executable."""
    directory.mkdir(parents=True, exist_ok=True)
    script = directory / SCRIPT_NAME
    command = container_command(
        image, directory.absolute(), source=source.resolve(), variables=variables
    )
    script.write_text(command, "utf-8")
    script.chmod(0o700)
    return script
