"""The machine's numbers are read from text files, and judged by limits that are exact."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from supervisor.probes.kinds.host import (
    HostLimits,
    HostNumbers,
    HostProbe,
    Pressure,
    Room,
    evidence,
    facts,
    judge,
    parse_meminfo,
    parse_pressure,
    read,
    size_text,
)
from supervisor.probes.probe import Cadence, Outcome, Part, PartKind, Probe, State
from tests.fakes.manual_clock import NOON

KIB, MIB, GIB = 1024, 1024**2, 1024**3
CALM = Pressure(some_ratio=0.05, full_ratio=0.01)
WELL = HostNumbers(
    memory=Room(100 * GIB, 50 * GIB),
    swap=Room(8 * GIB, 8 * GIB),
    store=Room(100 * GIB, 40 * GIB),
    memory_pressure=CALM,
    cpu_pressure=Pressure(0.5),
    io_pressure=Pressure(0.25, 0.125),
    store_watched=True,
)
MEMINFO = """\
MemTotal:       125829120 kB
MemFree:         1048576 kB
MemAvailable:   62914560 kB
SwapTotal:       8388608 kB
SwapFree:        4194304 kB
HugePages_Total:       0
Active(anon):    1048576 kB
"""
PSI = """\
some avg10=12.50 avg60=1.00 avg300=0.50 total=4430793304
full avg10=6.25 avg60=0.90 avg300=0.40 total=127763875
"""


def outcomes(numbers: HostNumbers) -> dict[str, Outcome]:
    """Tell each step's outcome."""
    return {step.name: step.outcome for step in evidence(numbers)}


def test_a_machine_with_room_is_up():
    """Where nothing is short the machine is up, and the reason says how much is left."""
    state, reason = judge(WELL)
    assert state is State.UP
    assert reason == (
        "50.0 GiB of 100.0 GiB of memory available; 40.0 GiB of 100.0 GiB free for the store"
    )
    assert set(outcomes(WELL).values()) == {Outcome.OK}


@pytest.mark.parametrize(
    ("disk", "state"),
    [
        (Room(1000 * MIB, 64 * MIB), State.UP),
        (Room(1000 * MIB, 64 * MIB - 1), State.DOWN),
        (Room(4000 * GIB, 64 * MIB), State.UP),
    ],
    ids=["at", "below", "a small share"],
)
def test_a_full_disk_of_the_store_takes_the_machine_down(disk: Room, state: State):
    """Less than 64 MiB free for the store is down, exactly that is not, however large the disk."""
    numbers = replace(WELL, store=disk)
    assert judge(numbers)[0] is state
    bad = Outcome.OK if state is State.UP else Outcome.BAD
    assert outcomes(numbers) == {
        "memory": Outcome.OK,
        "swap": Outcome.OK,
        "pressure": Outcome.OK,
        "disk": bad,
    }


def test_a_full_disk_says_what_it_prevents():
    """The reason of a full disk says what no longer works, and how much is left."""
    assert judge(replace(WELL, store=Room(100 * GIB, 32 * MIB)))[1] == (
        "drills cannot be written down: the disk of the store is nearly full, "
        "32.0 MiB of 100.0 GiB free"
    )


@pytest.mark.parametrize(
    ("memory", "state"),
    [
        (Room(8 * GIB, 512 * MIB), State.UP),
        (Room(8 * GIB, 512 * MIB - 1), State.SLOW),
        (Room(100 * GIB, 3 * GIB), State.UP),
        (Room(100 * GIB, 3 * GIB - 1), State.SLOW),
    ],
    ids=["bytes at", "bytes below", "ratio at", "ratio below"],
)
def test_little_available_memory_is_slow(memory: Room, state: State):
    """Less than 512 MiB or 3 % of memory available is slow, exactly that is not."""
    numbers = replace(WELL, memory=memory)
    assert judge(numbers)[0] is state
    assert outcomes(numbers)["memory"] is (Outcome.OK if state is State.UP else Outcome.BAD)
    assert outcomes(numbers)["swap"] is Outcome.OK


def test_short_memory_says_its_numbers():
    """The reason of short memory holds what is available, and of how much."""
    numbers = replace(WELL, memory=Room(100 * GIB, 2 * GIB))
    assert judge(numbers)[1] == "memory is short, 2.0 GiB of 100.0 GiB available"


@pytest.mark.parametrize(
    ("full", "state"), [(0.2, State.UP), (0.2001, State.SLOW), (None, State.UP)]
)
def test_work_that_stalls_for_memory_is_slow(full: float | None, state: State):
    """More than a fifth of the time in which all work waits for memory is slow, a fifth is not."""
    numbers = replace(WELL, memory_pressure=Pressure(0.9, full))
    assert judge(numbers)[0] is state
    assert (outcomes(numbers)["pressure"] is Outcome.BAD) is (state is State.SLOW)


def test_pressure_on_anything_else_is_shown_and_not_judged():
    """A machine whose CPU and disks are fully used is up: engines are to use them."""
    numbers = replace(WELL, cpu_pressure=Pressure(1.0), io_pressure=Pressure(1.0, 1.0))
    assert judge(numbers)[0] is State.UP
    found = {step.name: step.found for step in evidence(numbers)}["pressure"]
    assert found == (
        "of the last 10 s work waited for memory some 5.0%, all 1.0%; for CPU some 100.0%; "
        "for I/O some 100.0%, all 100.0%"
    )


@pytest.mark.parametrize(
    ("swap", "available", "state"),
    [
        (Room(100 * MIB, 5 * MIB), 9 * GIB, State.UP),
        (Room(100 * MIB, 5 * MIB - 1), 9 * GIB, State.SLOW),
        (Room(100 * MIB, 0), 10 * GIB, State.UP),
        (Room(100 * MIB, 0), 10 * GIB - 1, State.SLOW),
        (Room(0, 0), 9 * GIB, State.UP),
        (None, 9 * GIB, State.UP),
    ],
    ids=["swap at", "swap below", "memory at", "memory below", "no swap", "unknown"],
)
def test_used_up_swap_counts_only_while_memory_is_low(
    swap: Room | None, available: int, state: State
):
    """Swap with less than 5 % free is slow only where less than 10 % of memory is available."""
    numbers = replace(WELL, swap=swap, memory=Room(100 * GIB, available))
    assert judge(numbers)[0] is state
    assert (outcomes(numbers)["swap"] is Outcome.BAD) is (state is State.SLOW)


def test_several_things_that_are_short_are_all_named():
    """The reason of a slow machine holds everything that makes it slow."""
    numbers = replace(
        WELL,
        memory=Room(100 * GIB, GIB),
        swap=Room(8 * GIB, 0),
        memory_pressure=Pressure(0.9, 0.5),
    )
    assert judge(numbers) == (
        State.SLOW,
        (
            "memory is short, 1.0 GiB of 100.0 GiB available; "
            "all work waited for memory in 50.0% of the last 10 s; "
            "swap is nearly used up, 0 bytes of 8.0 GiB free, and memory low, "
            "1.0 GiB of 100.0 GiB available"
        ),
    )


def test_a_full_disk_goes_before_short_memory():
    """A machine that is both down and slow is down."""
    numbers = replace(WELL, store=Room(GIB, 0), memory=Room(100 * GIB, GIB))
    assert judge(numbers)[0] is State.DOWN
    assert outcomes(numbers)["memory"] is Outcome.BAD


def test_unknown_memory_is_not_called_well():
    """Where memory cannot be read the machine's state is unknown, and the reason says why."""
    numbers = replace(WELL, memory=None, problems={"memory": "/proc/meminfo: Permission denied"})
    assert judge(numbers) == (
        State.UNKNOWN,
        "available memory is not known: /proc/meminfo: Permission denied",
    )
    assert outcomes(numbers)["memory"] is Outcome.UNKNOWN


def test_an_unknown_disk_of_the_store_is_not_called_well():
    """Where the store's disk cannot be asked the machine's state is unknown."""
    numbers = replace(WELL, store=None, problems={"disk": "/var/lib/x: Permission denied"})
    assert judge(numbers) == (
        State.UNKNOWN,
        "free space for the store is not known: /var/lib/x: Permission denied",
    )
    assert outcomes(numbers)["disk"] is Outcome.UNKNOWN


def test_what_is_known_to_be_bad_counts_although_something_else_is_unknown():
    """An unreadable number hides no other that is bad."""
    full = replace(WELL, store=Room(GIB, 0), memory=None)
    assert judge(full)[0] is State.DOWN
    short = replace(WELL, store=None, memory=Room(100 * GIB, GIB))
    assert judge(short)[0] is State.SLOW


def test_a_store_elsewhere_has_no_disk_to_look_at():
    """Where the store is on no disk of this machine, its space is neither asked nor missed."""
    numbers = replace(WELL, store=None, store_watched=False)
    assert judge(numbers) == (State.UP, "50.0 GiB of 100.0 GiB of memory available")
    assert list(outcomes(numbers)) == ["memory", "swap", "pressure"]


@pytest.mark.parametrize("pressure", [None, Pressure(0.9)], ids=["no file", "no full"])
def test_a_kernel_without_pressure_is_up_and_says_so(pressure: Pressure | None):
    """Where the kernel counts no pressure the machine is up, and its step is unknown."""
    numbers = replace(WELL, memory_pressure=pressure, problems={"pressure": "no such file"})
    state, reason = judge(numbers)
    assert state is State.UP
    assert reason.endswith("; pressure on memory is not known")
    step = {step.name: step for step in evidence(numbers)}["pressure"]
    assert (step.outcome, step.found) == (Outcome.UNKNOWN, "not known: no such file")


def test_pressure_that_is_known_in_part_is_shown_in_part():
    """A resource whose pressure is unknown is named as such beside the others."""
    numbers = replace(WELL, cpu_pressure=None)
    step = {step.name: step for step in evidence(numbers)}["pressure"]
    assert step.outcome is Outcome.OK
    assert "; for CPU not known; " in step.found


def test_a_machine_without_swap_has_a_good_step():
    """No swap is something known, not something unknown."""
    step = {step.name: step for step in evidence(replace(WELL, swap=Room(0, 0)))}["swap"]
    assert (step.outcome, step.found) == (Outcome.OK, "no swap")


def test_each_step_shows_its_numbers():
    """Every step shows what was read, with units."""
    assert [step.found for step in evidence(WELL)] == [
        "50.0 GiB of 100.0 GiB available",
        "8.0 GiB of 8.0 GiB free",
        (
            "of the last 10 s work waited for memory some 5.0%, all 1.0%; for CPU some 50.0%; "
            "for I/O some 25.0%, all 12.5%"
        ),
        "40.0 GiB of 100.0 GiB free",
    ]


def test_limits_are_parameters():
    """Whoever sets a limit is judged by it, not by the default."""
    strict = HostLimits(memory_ratio=0.6)
    assert judge(WELL, strict)[0] is State.SLOW
    assert evidence(WELL, strict)[0].outcome is Outcome.BAD


def test_memory_is_read_in_bytes():
    """A kB of /proc/meminfo is 1024 bytes, and available memory is not free memory."""
    memory, swap = parse_meminfo(MEMINFO)
    assert memory == Room(125829120 * KIB, 62914560 * KIB)
    assert swap == Room(8 * GIB, 4 * GIB)


@pytest.mark.parametrize(
    "text", ["", "MemTotal: 5 kB\nSwapFree: 5 kB\n", f"MemTotal: {'9' * 5000} kB\n", "\x00\ufffd"]
)
def test_half_a_meminfo_is_unknown(text: str):
    """Memory and swap of which one number is missing or absurd are unknown, not zero."""
    assert parse_meminfo(text) == (None, None)


def test_pressure_is_read_as_a_ratio():
    """Percent of the last 10 s become shares between 0 and 1."""
    assert parse_pressure(PSI) == Pressure(0.125, 0.0625)


def test_pressure_without_a_full_line_is_known_in_part():
    """A kernel before 5.13 counts no full pressure on the CPU: unknown, not zero."""
    assert parse_pressure(PSI.splitlines()[0]) == Pressure(0.125, None)


@pytest.mark.parametrize("text", ["", "some avg60=1.00 ", "full avg10=1.00 avg60=1.00"])
def test_pressure_that_says_nothing_is_unknown(text: str):
    """A file of another form gives no number."""
    assert parse_pressure(text) is None


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (64 * MIB - 1, "63.9 MiB"),
        (64 * MIB, "64.0 MiB"),
        (3 * GIB // 2, "1.5 GiB"),
        (4 * 1024 * GIB, "4.0 TiB"),
    ],
)
def test_sizes_are_never_rounded_up(count: int, text: str):
    """What is a byte less than a limit does not read like the limit."""
    assert size_text(count) == text


def machine(root: Path, *, pressure: bool = True) -> Path:
    """Write the files of a machine below *root*."""
    (root / "proc" / "pressure").mkdir(parents=True)
    (root / "proc" / "meminfo").write_text(MEMINFO)
    if pressure:
        for what in ("memory", "cpu", "io"):
            (root / "proc" / "pressure" / what).write_text(PSI)
    return root


def test_a_machine_is_read_from_its_files(tmp_path: Path):
    """Every number of a machine comes from the folder that was given."""
    assert read(machine(tmp_path), None) == HostNumbers(
        memory=Room(120 * GIB, 60 * GIB),
        swap=Room(8 * GIB, 4 * GIB),
        memory_pressure=Pressure(0.125, 0.0625),
        cpu_pressure=Pressure(0.125),
        io_pressure=Pressure(0.125, 0.0625),
    )


def test_a_missing_meminfo_is_unknown_and_says_so(tmp_path: Path):
    """Where there is no /proc/meminfo neither memory nor swap is known, and both say why."""
    numbers = read(tmp_path, None)
    assert (numbers.memory, numbers.swap) == (None, None)
    missing = "/proc/meminfo: No such file or directory"
    assert (numbers.problems["memory"], numbers.problems["swap"]) == (missing, missing)


def test_a_meminfo_of_another_form_says_so(tmp_path: Path):
    """A file without the number is named as the reason, even one that is not UTF-8."""
    (machine(tmp_path) / "proc" / "meminfo").write_bytes(b"\xff\xfe\nMemTotal: 5 kB\n")
    problems = read(tmp_path, None).problems
    silent = "/proc/meminfo does not say it"
    assert (problems["memory"], problems["swap"]) == (silent, silent)


def test_swap_alone_may_be_unknown(tmp_path: Path):
    """A file without the numbers of swap leaves those of memory as they are."""
    (machine(tmp_path) / "proc" / "meminfo").write_text(MEMINFO.replace("SwapFree", "Swap"))
    numbers = read(tmp_path, None)
    assert numbers.memory == Room(120 * GIB, 60 * GIB)
    assert numbers.swap is None
    assert numbers.problems == {"swap": "/proc/meminfo does not say it"}


def test_an_old_kernel_has_no_pressure(tmp_path: Path):
    """Where there is no /proc/pressure the step of pressure is unknown and says which file."""
    numbers = read(machine(tmp_path, pressure=False), None)
    assert (numbers.memory_pressure, numbers.cpu_pressure, numbers.io_pressure) == (None,) * 3
    missing = "/proc/pressure/memory: No such file or directory"
    assert numbers.problems["pressure"] == missing


def test_pressure_of_another_form_says_so(tmp_path: Path):
    """Pressure on memory without its full line is named as the reason, whatever else is missing."""
    folder = machine(tmp_path) / "proc" / "pressure"
    (folder / "memory").write_text(PSI.splitlines()[0])
    (folder / "io").unlink()
    problems = read(tmp_path, None).problems
    assert problems["pressure"] == "/proc/pressure/memory does not say it"


def disk(*, blocks: int) -> os.statvfs_result:
    """Make up a disk whose root user has more room than others."""
    size, free, free_to_all = 4096, blocks // 2, blocks // 4
    return os.statvfs_result((MIB, size, blocks, free, free_to_all, 9, 9, 9, 0, 255))


def test_the_store_has_what_is_free_to_everybody(tmp_path: Path):
    """Space that only root may use is not free for the store."""
    asked: list[Path] = []

    def statvfs(folder: Path) -> os.statvfs_result:
        asked.append(folder)
        return disk(blocks=1000)

    numbers = read(machine(tmp_path), tmp_path / "store", statvfs)
    assert numbers.store == Room(1000 * 4096, 250 * 4096)
    assert numbers.store_watched
    assert asked == [tmp_path / "store"]


def test_a_missing_folder_of_the_store_is_unknown(tmp_path: Path):
    """A folder that is not there has no free space that is known, and no error is raised."""
    gone = tmp_path / "gone"
    numbers = read(machine(tmp_path), gone)
    assert numbers.store is None
    assert numbers.store_watched
    assert numbers.problems == {"disk": f"{gone}: No such file or directory"}


def test_a_file_system_without_a_size_is_not_full(tmp_path: Path):
    """A file system that reports zero blocks is unknown, not full."""
    numbers = read(machine(tmp_path), tmp_path, lambda _: disk(blocks=0))
    assert judge(numbers)[0] is State.UNKNOWN
    assert numbers.problems == {"disk": f"{tmp_path}: its file system has no size"}


def test_facts_are_in_base_units():
    """Facts hold bytes and ratios under the names that the module documents."""
    assert facts(WELL) == {
        "memory_total_bytes": 100 * GIB,
        "memory_available_bytes": 50 * GIB,
        "swap_total_bytes": 8 * GIB,
        "swap_free_bytes": 8 * GIB,
        "store_total_bytes": 100 * GIB,
        "store_free_bytes": 40 * GIB,
        "memory_pressure_some_ratio": 0.05,
        "memory_pressure_ratio": 0.01,
        "cpu_pressure_some_ratio": 0.5,
        "io_pressure_some_ratio": 0.25,
        "io_pressure_ratio": 0.125,
    }


def test_unknown_numbers_are_no_facts():
    """What is unknown is missing from the facts, not zero."""
    assert facts(HostNumbers()) == {}


CADENCE = Cadence(every=timedelta(minutes=1))


async def test_a_look_holds_state_evidence_and_facts(tmp_path: Path):
    """One look at a machine reads its files and the disk of its store."""
    reading = await HostProbe(CADENCE, tmp_path, root=machine(tmp_path)).probe(NOON)
    assert reading.part == Part(PartKind.HOST)
    assert [step.name for step in reading.evidence] == ["memory", "swap", "pressure", "disk"]
    assert reading.facts["memory_available_bytes"] == 60 * GIB
    assert reading.facts["store_total_bytes"] > 0


async def test_a_look_judges_by_the_probe_s_own_limits(tmp_path: Path):
    """State and evidence of a look follow from the limits that the probe was given."""
    strict = HostLimits(memory_ratio=0.6)
    reading = await HostProbe(CADENCE, None, strict, machine(tmp_path)).probe(NOON)
    assert reading.state is State.SLOW
    assert reading.evidence[0].outcome is Outcome.BAD


async def test_a_look_at_nothing_raises_nothing(tmp_path: Path):
    """A machine without /proc and without its store's folder is unknown in every step."""
    reading = await HostProbe(CADENCE, tmp_path / "gone", root=tmp_path).probe(NOON)
    assert reading.state is State.UNKNOWN
    assert {step.outcome for step in reading.evidence} == {Outcome.UNKNOWN}
    assert reading.facts == {}


def test_a_look_at_the_host_needs_no_network():
    """What this probe finds is this machine's own, at the pace it was given."""
    probe: Probe = HostProbe(CADENCE, None)
    assert probe.across_network is False
    assert probe.part == Part(PartKind.HOST)
    assert probe.cadence == CADENCE
