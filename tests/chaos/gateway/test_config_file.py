"""LiteLLM's own file is read as LiteLLM reads it, and its faults are told."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.gateway.config_file import read_litellm_config


def test_included_files_are_joined_as_litellm_does(tmp_path: Path):
    """Lists grow, everything else is replaced; a circle ends."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "main.yaml").write_text(
        "include: [inner/more.yaml]\nmodel_list: [{model_name: a}]\nrouter_settings: {timeout: 1}\n"
        "callbacks: one\n"
    )
    (tmp_path / "inner" / "more.yaml").write_text(
        "include: [../main.yaml]\nmodel_list: [{model_name: b}]\nrouter_settings: {timeout: 2}\n"
        "callbacks: [two]\n"
    )
    assert read_litellm_config(tmp_path / "main.yaml") == {
        "model_list": [{"model_name": "a"}, {"model_name": "b"}],
        "router_settings": {"timeout": 2},
        "callbacks": ["two"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML at line 1, column 5"),
        ("- a", "holds no sections"),
        ("", "holds no sections"),
        ("include: more.yaml", "include: not a list"),
        ("include: [missing.yaml]", "missing.yaml: cannot be read: No such file"),
        ("when: 2026-13-45", "not YAML"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text, message):
    """With its name, and what to give instead."""
    file = tmp_path / "litellm.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_litellm_config(file)
    assert message in caught.value.message
    assert "--litellm-config" in caught.value.remedy


def test_a_file_that_is_not_text_is_told(tmp_path: Path):
    """Somebody may name the wrong file."""
    file = tmp_path / "litellm.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_litellm_config(file)
