"""``understudy demo`` hands over to the story, and ends with its code."""

import pytest


@pytest.mark.parametrize("code", [0, 1])
def test_the_story_s_end_is_the_command_s(invoke, monkeypatch, code):
    """CI fails when a step does not come out as told."""

    async def tell_the_story(out, err, say, *, engine_kind, start_within_s, linger):
        assert linger is None
        say(f"once upon a time, with a {engine_kind} engine")
        return code

    monkeypatch.setattr("supervisor.cli.demo.tell_the_story", tell_the_story)
    ended = invoke("demo", "--once")
    assert ended.code == code
    assert ended.err == "once upon a time, with a simulated engine\n"
    real = invoke("demo", "--once", "--engine-kind", "vllm")
    assert real.err == "once upon a time, with a vllm engine\n"
