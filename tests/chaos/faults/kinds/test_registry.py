"""What every fault keeps, and how people name faults."""

import pytest

from chaos.errors import UsageError
from chaos.faults.fault import FaultName, Phase
from chaos.faults.kinds import FAULTS, parse_fault, variants_of
from chaos.faults.script import Close, Head, Repeat, Reset, Send, Silence, Wait
from chaos.protocol.dialects import DIALECTS
from tests.fakes.scenes import CALLS, TEXT, VECTORS, VOICES, scene

CONTRACT = [
    "billing",
    "quota",
    "rate_limit",
    "overloaded",
    "auth_revoked",
    "permission",
    "model_retired",
    "context_window",
    "content_policy",
    "server_error",
    "bad_gateway_html",
    "request_timeout",
    "connection_refused",
    "connection_reset",
    "hang",
    "slow_first_token",
    "keepalive_only",
    "stream_cut",
    "stream_truncated",
    "stream_error_first",
    "stream_error_mid",
    "stream_stall",
    "stream_no_done",
    "malformed_chunk",
    "tool_call_cut",
    "empty_200",
    "error_200",
    "html_200",
    "refusal_200",
]
ENDLESS = (Repeat, Silence, Reset, Close)
every = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def played(fault):
    """Play *fault* in every scene there is, with every variant."""
    variants = [None, *(variant.replace("N", "7") for variant in variants_of(fault.name))]
    for voice in VOICES:
        for answer in (TEXT, CALLS):
            for stream in (True, False):
                for variant in variants:
                    yield fault.script(scene(voice, answer, stream=stream, variant=variant))


def test_there_are_the_faults_of_the_contract():
    """The contract names 29 faults, in this order; what is newer comes after them."""
    assert list(FAULTS) == [*CONTRACT, "outage"]


@every
def test_a_fault_is_listed_by_its_name_and_says_what_it_is(fault):
    """The summary is one sentence, and the class tells who really fails like that."""
    assert FAULTS[fault.name] is fault
    assert fault.summary.endswith(".")
    assert fault.phase in Phase
    assert fault.status_fault or "Source:" in (type(fault).__doc__ or "")


@every
def test_a_fault_plays_in_every_scene(fault):
    """No dialect, format, answer or variant makes a fault fail itself."""
    for script in played(fault):
        assert script.steps
        ends = fault.lasts_s(None) is not None
        assert script.status in {None, 200} or fault.status_fault or ends


@every
def test_a_script_is_well_formed(fault):
    """One head at most and before any byte; nothing after what never ends."""
    for script in played(fault):
        kinds = [type(step) for step in script.steps]
        assert kinds.count(Head) <= 1
        bodies = [at for at, kind in enumerate(kinds) if kind in (Send, Repeat)]
        assert not bodies or kinds.index(Head) < bodies[0]
        assert not any(kind in ENDLESS for kind in kinds[:-1])
        assert all(step.data for step in script.steps if isinstance(step, Send | Repeat))


@every
def test_nothing_is_said_before_a_fault_that_strikes_first(fault):
    """A fault of the phase before the first byte sends no part of an answer before it strikes."""
    if fault.phase is not Phase.BEFORE_FIRST_BYTE:
        return
    for script in played(fault):
        first = next((s for s in script.steps if not isinstance(s, Head)), None)
        assert isinstance(first, Wait | Silence | Reset) or script.status != 200


@every
def test_something_is_said_before_a_fault_that_strikes_late(fault):
    """A fault of the phase after the first byte sends output first, in text or calls."""
    if fault.phase is not Phase.AFTER_FIRST_BYTE:
        return
    for voice in VOICES:
        script = fault.script(scene(voice))
        reader = scene(voice).call.format.stream_reader()
        for step in script.steps:
            if isinstance(step, Send):
                reader.feed(step.data)
        assert reader.has_output


@every
def test_a_fault_of_embeddings_plays_there_too(fault):
    """Whatever is not for chats only has a script for an answer of vectors."""
    if fault.chats_only:
        return
    for name, dialect in DIALECTS.items():
        for spoken in dialect.formats:
            if "embed" in spoken.name:
                assert fault.script(scene((name, spoken.name), VECTORS, stream=False)).steps


def test_only_a_refused_connection_needs_an_address_of_its_own():
    """Every other fault can be played on a lane."""
    assert [name for name, fault in FAULTS.items() if fault.twin_only] == ["connection_refused"]


def test_every_status_fault_is_in_some_dialect():
    """A fault that no provider has would always be replaced."""
    rows = {row for dialect in DIALECTS.values() for row in dialect.rows}
    assert {name for name, fault in FAULTS.items() if fault.status_fault} <= rows


def test_variants_of_a_status_fault_are_the_dialects_rows():
    """A new row shows without a change anywhere else."""
    assert {"retry_after_20", "retry_after_N", "slow_down"} <= set(variants_of("rate_limit"))
    assert "retry_after_20" not in variants_of("auth_revoked")


@pytest.mark.parametrize(
    "text",
    [
        "billing",
        "billing.once",
        "rate_limit.retry_after_20",
        "rate_limit.retry_after_20.once",
        "slow_first_token.seconds_3",
        "stream_error_first.billing",
        "tool_call_cut.reset.once",
    ],
)
def test_a_fault_is_read_as_people_write_it(text):
    """Name, variant and ``once`` are told apart, and written back alike."""
    fault, name = parse_fault(text)
    assert (fault.name, str(name)) == (name.name, text)
    assert name == FaultName.parse(text)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_variant_that_is_shown_can_be_asked_for(name):
    """What ``understudy faults`` prints is understood."""
    for variant in variants_of(name):
        assert parse_fault(f"{name}.{variant.replace('N', '7')}")[1].variant


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("biling", "Did you mean 'billing'?"),
        ("rate_limit.retry_after_x", "Did you mean 'retry_after_N'?"),
        ("rate_limit.zzz", "One of: "),
        ("tool_call_cut.rest", "Did you mean 'reset'?"),
        ("slow_first_token.seconds_x", "Did you mean 'seconds_N'?"),
        ("hang.zzz", "There is none"),
        ("billing.", "Did you mean 'billing'?"),
        ("billing.once.once", "One of: "),
        ("", "One of: "),
    ],
)
def test_an_unknown_fault_is_explained(text, hint):
    """A typing error is told at once, with what was probably meant."""
    with pytest.raises(UsageError) as told:
        parse_fault(text)
    assert told.value.remedy.startswith(hint)


@pytest.mark.parametrize("text", ["outage.seconds_0", "stream_stall.seconds_0"])
def test_a_fault_that_ends_as_it_begins_is_none(text):
    """It would meet no request, and be told so only after a twin's start."""
    with pytest.raises(UsageError, match="'seconds_0' is not a variant"):
        parse_fault(text)
    assert str(parse_fault(text.replace("_0", "_10"))[1]) == text.replace("_0", "_10")
    assert parse_fault("rate_limit.retry_after_0")


def test_variants_of_an_unknown_fault_are_a_usage_error():
    """The list is by name, and a wrong name is explained."""
    with pytest.raises(UsageError):
        variants_of("biling")


def test_an_address_that_refuses_cannot_refuse_only_once():
    """Its port is shut for the whole drill, so the name would promise what is not drilled."""
    with pytest.raises(UsageError, match="cannot strike only once"):
        parse_fault("connection_refused.once")
