"""Fixtures for tests that need a real vLLM; each of its starts takes about a minute."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.lab.install import vllm_bin
from tests.engine.stage import Stage, a_stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, and let it share one loop with the engines."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.litellm)
            if isinstance(item, pytest.Function) and pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def vllm_executable(lab_dir: Path) -> Path:
    """The real vLLM."""
    executable = vllm_bin(lab_dir)
    if executable is None:
        pytest.fail(f"no vLLM in {lab_dir}: run `make test-engine`, which installs it")
    return executable


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    litellm_executable: Path, vllm_executable: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A LiteLLM in front of two engines that are still down."""
    directory = tmp_path_factory.mktemp("stage")
    async with a_stage(
        litellm=litellm_executable, vllm=vllm_executable, directory=directory
    ) as running:
        yield running
