"""What is copied from the screen stays one line."""

import io

import pytest
from rich.console import Console, Group
from rich.text import Text

from supervisor.reporting.unbroken import LEAST_PROSE, Labelled, Rows, drawn_remedy, unbroken

COMMAND = "vllm serve --enable-auto-tool-choice --tool-call-parser hermes"


def test_a_command_is_one_line_on_any_terminal():
    """Also among others, which are broken."""
    file = io.StringIO()
    drawn = Group("words that are broken here", unbroken(COMMAND, 4))
    Console(file=file, width=20).print(drawn, crop=False)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == ["words that are", "broken here", f"    {COMMAND}"]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Restart it.", ["→ Restart it."]),
        ("", ["→ "]),
        (
            "Name it:\nengines:\n  gpt: http://x\n- a: [b]\nElse start.",
            [
                "→ Name it:",
                "    engines:",
                "      gpt: http://x",
                "    - a: [b]",
                "→ Else start.",
            ],
        ),
        ("Set it:\nCUDA_VISIBLE_DEVICES=0 vllm", ["→ Set it:", "    CUDA_VISIBLE_DEVICES=0 vllm"]),
        ("Look.\nOr: drill a twin", ["→ Look.", "→ Or: drill a twin"]),
    ],
)
def test_sentences_have_an_arrow_and_lines_to_copy_none(text, drawn):
    """A file's lines keep their own margin."""
    assert drawn_remedy(text, 0).plain.split("\n") == drawn


def printed(drawn, columns):
    """What a terminal of so many columns shows."""
    file = io.StringIO()
    Console(file=file, width=columns, highlight=False).print(Group(drawn), crop=False)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_remedy_is_not_broken_on_a_narrow_terminal():
    """What is copied has to work."""
    lines = printed(drawn_remedy(f"Start it:\n{COMMAND}"), 20)
    assert lines == ["  → Start it:", f"      {COMMAND}"]


def test_sentences_stand_beside_their_label_and_a_long_word_sticks_out():
    """What is copied of a sentence is a word: a path, an address, a name."""
    path = "/var/lib/understudy/rollouts/r1/WAY-BACK.txt"
    text = f"the way back is written down in {path} by now"
    assert printed(Labelled(Text("ok   "), text), 25) == [
        "ok   the way back is",
        "     written down in",
        f"     {path}",
        "     by now",
    ]
    assert printed(Labelled(Text("ok   "), ""), 25) == ["ok"]


def images():
    """Two long names, one beside the other."""
    rows = Rows("what", "now", "then")
    rows.add_row("image", "vllm/vllm-openai:v0.32.0", Text("vllm/vllm-openai:v0.33.0", "bold"))
    rows.add_row("--dtype", "", "auto")
    return rows


def test_a_table_that_fits_is_a_table():
    """To the column."""
    assert printed(images(), 59) == [
        "what     now                       then",
        "image    vllm/vllm-openai:v0.32.0  vllm/vllm-openai:v0.33.0",
        "--dtype                            auto",
    ]


def test_a_table_that_does_not_fit_is_a_list_whose_lines_are_whole():
    """What is empty is left out."""
    for columns in (58, 20):
        assert printed(images(), columns) == [
            "image",
            "  now   vllm/vllm-openai:v0.32.0",
            "  then  vllm/vllm-openai:v0.33.0",
            "--dtype",
            "  then  auto",
        ]


WHY = "the drill of yesterday has shown that qwen serves all of them"


def covers(why=WHY):
    """A name, and a sentence."""
    rows = Rows("group", "why", prose={"why"})
    rows.add_row("my-chat-group", why)
    return rows


def test_prose_is_broken_between_its_words_before_a_table_is_given_up():
    """A sentence is read, not copied."""
    narrow = len("my-chat-group") + 2 + LEAST_PROSE
    lines = printed(covers(), narrow)
    assert lines[0] == "group          why"
    assert " ".join(" ".join(lines[1:]).split()) == f"my-chat-group {WHY}"
    lines = printed(covers(), narrow - 1)
    assert lines[:2] == ["my-chat-group", "  why  the drill of yesterday has"]


def test_a_path_in_prose_is_as_whole_as_any():
    """The column is at least as wide as its longest word."""
    path = "/var/lib/understudy/rollouts/r1/WAY-BACK.txt"
    why = f"see {path}"
    assert any(path in line for line in printed(covers(why), 15 + len(path)))
    assert printed(covers(why), 14 + len(path))[0] == "my-chat-group"


def test_columns_without_names_have_no_header():
    """Numbers end at the right."""
    rows = Rows("", "n", right={"n"})
    rows.add_row("a", "1")
    rows.add_row("b", "100")
    assert printed(rows, 40) == ["     n", "a    1", "b  100"]
    bare = Rows("", "")
    bare.add_row("a", "1")
    assert printed(bare, 40) == ["a  1"]
    assert printed(bare, 3) == ["a", "  1"]
