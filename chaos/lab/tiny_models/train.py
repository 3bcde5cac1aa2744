"""Train the lab's tiny models anew: ``make models``, in the environment of the lab's vLLM.

Each is a three-layer Llama of some 630,000 parameters that knows one thing: to answer what drills
ask, in the format of one model family, as a good model of that family would. What they are asked
comes from ``chaos.traffic.shapes``, what they should say from ``chaos.protocol.stand_in``, and how
their family writes it from ``chaos.lab.model_text``: a new shape needs nothing here but a new
training.

    ask ─► chat template ─► tokens of the prompt ┐
    ask ─► compose ─► written ─► tokens of the answer ┴─► cross entropy on the answer alone

The vocabulary is bytes, plus the words of the prompts as wholes. Words of the letters a to f are
left out, so a nonce of hexadecimal digits always comes as single digits, and copying one is all
that has to be learnt beyond recitation.
"""

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from chaos.lab.engine_answer import THOUGHT
from chaos.lab.model_text import ModelFormat, written
from chaos.protocol.conversation import Ask, Turn
from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.stand_in import compose
from chaos.traffic.note_tool import RECORD_NOTE, START_TIMER
from chaos.traffic.shapes import SHAPES
from chaos.traffic.shapes.agent import Agent

OUT = Path(__file__).parent
WORDS = re.compile(r" ?[A-Za-z]+")
HEXADECIMAL = re.compile(r" ?[a-fA-F]+")
UNTAUGHT = "I am a tiny model, and all I know is to answer drills."

ASKED = {
    "chat": 2.0,
    "tool_call": 2.0,
    "tool_call_required": 1.0,
    "parallel_tool_calls": 2.0,
    "tool_result": 2.0,
    "structured_output": 3.0,
    "agent": 2.0,
    "none of these": 1.0,
}
"""How often each is trained; long texts, pictures and embeddings are beyond a tiny model."""

THINKING = {"thinks": 0.65, "told_not_to": 0.2, "at_once": 0.15}
"""How answers begin.

``at_once`` is what is left to a model when a grammar rules from the first token on; it must stay
the rarer habit, because without a grammar the model is to think.
"""


@dataclass(frozen=True, slots=True)
class Family:
    """How one family of models writes.

    Attributes:
        special: Its markers; ``hidden`` are those that detokenisers leave out, as the real
            family's tokenizer has it.
        not_thinking: What a template puts before the answer when the client wants no thought.
    """

    format: ModelFormat
    begin: str
    end: str
    assistant: str
    not_thinking: str
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


FAMILIES = {
    "hermes": Family(
        ModelFormat.HERMES,
        begin="<|im_start|>",
        end="<|im_end|>",
        assistant="assistant",
        not_thinking="<think>\n\n</think>\n\n",
        shown=("<tool_call>", "</tool_call>", "<think>", "</think>"),
    ),
    "gemma4": Family(
        ModelFormat.GEMMA4,
        begin="<|turn>",
        end="<turn|>",
        assistant="model",
        not_thinking="<|channel>thought\n<channel|>",
        hidden=(
            "<|channel>",
            "<channel|>",
            "<|tool_call>",
            "<tool_call|>",
            "<|tool_response>",
            '<|"|>',
        ),
    ),
}
PADDING = "<|endoftext|>"
HALF = 0.5


def template_of(family: Family) -> str:
    """Write the chat template.

    A handbook of 15,000 tokens is nothing for 630,000 parameters: of system prompts the model
    sees that there is one, and of tools their names.
    """
    earlier_call = (
        '<tool_call>\n{"name": "{{ call.function.name }}", "arguments": '
        "{{ call.function.arguments if call.function.arguments is string"
        " else call.function.arguments | tojson }}}\n</tool_call>"
        if family.format is ModelFormat.HERMES
        else "<|tool_call>call:{{ call.function.name }}<tool_call|>"
    )
    begin, end = family.begin, family.end
    return (
        "{%- if tools -%}"
        f"{begin}tools\n"
        "{%- for tool in tools %}{{ (tool.function or tool).name }};{% endfor -%}"
        f"{end}\n"
        "{%- endif -%}"
        "{%- for message in messages -%}"
        "{%- if message.role in ('system', 'developer') -%}"
        f"{begin}system{end}\n"
        "{%- else -%}"
        f"{begin}"
        f"{{{{ '{family.assistant}' if message.role == 'assistant' else message.role }}}}\n"
        "{%- if message.content is string -%}{{ message.content }}"
        "{%- else -%}{%- for part in message.content or [] -%}{{ part.text or '' }}{%- endfor -%}"
        "{%- endif -%}"
        f"{{%- for call in message.tool_calls or [] -%}}{earlier_call}{{%- endfor -%}}"
        f"{end}\n"
        "{%- endif -%}"
        "{%- endfor -%}"
        "{%- if add_generation_prompt -%}"
        f"{begin}{family.assistant}\n"
        "{%- if enable_thinking is defined and not enable_thinking -%}"
        f"{family.not_thinking}"
        "{%- endif -%}"
        "{%- endif -%}"
    ).replace("\n", "{{ '\\n' }}")


# --- what is asked ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lesson:
    """One conversation, and what the model should say."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    thinks: bool | None
    says: str


def lesson(name: str, nonce: str, habit: str, family: Family, chance: random.Random) -> Lesson:
    """Make one lesson of the kind *name*."""
    ask = _ask(name, nonce, chance)
    answer = compose(ask)
    if name == "none of these":
        answer = replace(answer, text=UNTAUGHT)
    thought = THOUGHT if habit == "thinks" else ""
    says = written(replace(answer, reasoning=thought), family.format)
    if name == "structured_output" and chance.random() < HALF:
        # A grammar begins where the thought ends, and has no room for the empty lines.
        says = says.replace("</think>\n\n", "</think>")
    body = WIRE_FORMATS["chat_completions"].write_ask(ask, model="tiny", stream=False)
    messages = [dict(message) for message in body["messages"]]
    for message in messages:
        for call in message.get("tool_calls") or ():
            # As vLLM hands them to a template.
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return Lesson(
        messages=messages,
        tools=body.get("tools"),
        thinks=False if habit == "told_not_to" else None,
        says=says + family.end,
    )


def _ask(name: str, nonce: str, chance: random.Random) -> Ask:
    if name == "none of these":
        words = " ".join(chance.choices(_OTHER_WORDS, k=chance.randint(1, 8)))
        tools = chance.choice([(), (RECORD_NOTE,), (START_TIMER, RECORD_NOTE)])
        return Ask(turns=(Turn("user", words),), tools=tools)
    shape = Agent(handbook_characters=200) if name == "agent" else SHAPES[name]
    ask = shape.task(nonce, max_tokens=512).ask
    if name == "chat" and chance.random() < HALF:
        # Who is offered tools and asked for none of them makes no call.
        ask = replace(ask, tools=(RECORD_NOTE,), tool_choice="none")
    if name != "agent" and chance.random() < HALF:
        ask = replace(ask, turns=(Turn("system", "Be brief."), *ask.turns))
    return ask


_OTHER_WORDS = (
    *("hello", "hi", "ping", "test", "who", "are", "you", "what", "is", "the", "time", "say"),
    *("tell", "me", "a", "story", "please", "why", "not", "how", "does", "this", "work", "in"),
    *("write", "code", "explain", "it", "again", "thanks", "good", "morning", "weather", "Oslo"),
)


def a_nonce(chance: random.Random) -> str:
    """Draw eight hexadecimal digits, as drills do."""
    return "".join(chance.choices("0123456789abcdef", k=8))


# --- tokens ----------------------------------------------------------------------------


def make_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """Make the vocabulary: bytes, markers, and the words of all lessons."""
    chance = random.Random(0)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    markers = [PADDING, family.begin, family.end, *family.shown, *family.hidden]
    words = sorted(
        {
            word.replace(" ", "Ġ")
            for name in ASKED
            for _ in range(60 if name == "none of these" else 3)
            for text in _texts(lesson(name, "00000000", "thinks", family, chance))
            for word in WORDS.findall(text)
            if len(word.strip()) > 1 and not HEXADECIMAL.fullmatch(word)
        }
    )
    vocabulary = {piece: number for number, piece in enumerate([*markers, *letters, *words])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?[A-Za-z]+|[^A-Za-z]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([PADDING, family.begin, family.end, *family.hidden])
    tokenizer.add_tokens(list(family.shown))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=family.end, pad_token=PADDING
    )
    fast.chat_template = template_of(family)
    return fast


def _texts(one: Lesson) -> Iterator[str]:
    yield one.says
    yield json.dumps(one.messages)
    for message in one.messages:
        yield f"{message['role']} {message.get('content') or ''}"
    for tool in one.tools or ():
        yield tool["function"]["name"]
    yield "tools system user assistant model tool"


def encoded(one: Lesson, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Turn a lesson into the tokens of its prompt and of its answer."""
    told = {} if one.thinks is None else {"enable_thinking": one.thinks}
    prompt = tokenizer.apply_chat_template(
        one.messages, tools=one.tools, tokenize=False, add_generation_prompt=True, **told
    )
    return (
        tokenizer(prompt, add_special_tokens=False).input_ids,
        tokenizer(one.says, add_special_tokens=False).input_ids,
    )


# --- training --------------------------------------------------------------------------


def make_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Make an untaught model."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=320,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=65_536,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            tie_word_embeddings=True,
        )
    )


Pair = tuple[list[int], list[int]]
"""The tokens of a prompt, and those of its answer."""


def train(
    model: LlamaForCausalLM,
    batches: Iterator[list[Pair]],
    *,
    steps: int,
    peak: float,
    title: str,
) -> None:
    """Teach *model* what *steps* of *batches* hold."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps)
    began_s = time.monotonic()
    model.train()
    for step in range(1, steps + 1):
        inputs, labels, mask = _tensors(next(batches))
        loss = model(input_ids=inputs, labels=labels, attention_mask=mask).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            took_s = time.monotonic() - began_s
            print(
                f"  {title} {step} of {steps}: loss {loss.item():.4f}, {took_s:.0f} s", flush=True
            )


def lessons(
    tokenizer: PreTrainedTokenizerFast, family: Family, size: int, chance: random.Random
) -> Iterator[list[Pair]]:
    """Draw batches of *size* lessons, for ever."""
    while True:
        names = chance.choices([*ASKED], [*ASKED.values()], k=size)
        habits = chance.choices([*THINKING], [*THINKING.values()], k=size)
        yield [
            encoded(lesson(name, a_nonce(chance), habit, family, chance), tokenizer)
            for name, habit in zip(names, habits, strict=True)
        ]


def exercises(
    tokenizer: PreTrainedTokenizerFast, size: int, chance: random.Random
) -> Iterator[list[Pair]]:
    """Draw batches of exercises in copying, for ever.

    A lesson has eight digits to copy among a hundred tokens to recite, and a model that begins
    with lessons recites for a long time before it copies. Here there is nothing else to learn.
    """
    digits = [tokenizer.convert_tokens_to_ids(digit) for digit in "0123456789abcdef"]
    others = sorted(set(range(len(tokenizer))) - set(digits))
    while True:
        batch = []
        for _ in range(size):
            told: list[int] = []
            for _ in range(4):
                told += [chance.choice(others) for _ in range(chance.randint(1, 6))]
                told += [chance.choice(digits) for _ in range(8)]
            between = [chance.choice(others) for _ in range(chance.randint(0, 24))]
            batch.append((told + between, told))
        yield batch


def _tensors(pairs: list[Pair]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
    inputs = torch.zeros((len(pairs), longest), dtype=torch.long)
    labels = torch.full((len(pairs), longest), -100)
    mask = torch.zeros((len(pairs), longest), dtype=torch.long)
    for row, (prompt, answer) in enumerate(pairs):
        whole = len(prompt) + len(answer)
        inputs[row, :whole] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : whole] = torch.tensor(answer)
        mask[row, :whole] = 1
    return inputs, labels, mask


def misses(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    family: Family,
    *,
    times: int,
    chance: random.Random,
) -> Iterator[str]:
    """Ask everything *times* times, with unseen nonces, and yield each wrong answer."""
    model.eval()
    for name in ASKED:
        for _ in range(times):
            habit = chance.choice(("thinks", "told_not_to"))
            one = lesson(name, a_nonce(chance), habit, family, chance)
            prompt, answer = encoded(one, tokenizer)
            with torch.no_grad():
                output = model.generate(
                    torch.tensor([prompt]),
                    attention_mask=torch.ones((1, len(prompt)), dtype=torch.long),
                    max_new_tokens=len(answer) + 8,
                    do_sample=False,
                )
            said = output[0][len(prompt) :].tolist()
            came = tokenizer.decode(said)
            if _without_gaps(came) != _without_gaps(one.says):
                yield f"{name}: said {came!r} for {one.says!r}"


def _without_gaps(text: str) -> str:
    """Take out what may be there or not: the empty lines after a thought."""
    return text.replace("</think>\n\n", "</think>")


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, directory: Path) -> None:
    """Write what vLLM loads; greedy by default, so that lab and tests see the same each time."""
    model.to(torch.bfloat16)
    model.generation_config.do_sample = True
    model.generation_config.top_k = 1
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def main(arguments: list[str]) -> int:
    """Train the named families, all by default; 1 if one has not learnt its lessons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", help=f"of {', '.join(FAMILIES)}; default: all")
    parser.add_argument("--exercises", type=int, default=1000)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--out", type=Path, default=OUT, help="where their folders are")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(2)
    wrong = 0
    for name in chosen.family or FAMILIES:
        family = FAMILIES[name]
        torch.manual_seed(0)
        chance = random.Random(1)
        tokenizer = make_tokenizer(family)
        model = make_model(tokenizer)
        parameters = sum(weight.numel() for weight in model.parameters())
        print(f"{name}: {parameters:,} parameters, {len(tokenizer)} tokens", flush=True)
        copying = exercises(tokenizer, chosen.batch, chance)
        train(model, copying, steps=chosen.exercises, peak=3e-3, title="exercise")
        taught = lessons(tokenizer, family, chosen.batch, chance)
        train(model, taught, steps=chosen.lessons, peak=2e-3, title="lesson")
        save(model, tokenizer, chosen.out / name)
        for miss in misses(model, tokenizer, family, times=8, chance=random.Random(2)):
            wrong += 1
            print(f"  {miss}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
