"""Fixtures that every test may ask for."""

from pathlib import Path

import pytest

from chaos.lab.prepare import default_lab_dir, litellm_bin


@pytest.fixture(scope="session")
def lab_dir() -> Path:
    """Where the lab keeps its LiteLLM; make says `.lab` of this repository."""
    return default_lab_dir()


@pytest.fixture(scope="session")
def litellm_executable(lab_dir: Path) -> Path:
    """The real LiteLLM; a test that asks for it carries the marker ``litellm``."""
    executable = litellm_bin(lab_dir)
    if executable is None:
        pytest.fail(f"no LiteLLM in {lab_dir}: run `make lab`, or only `make test-unit`")
    return executable
