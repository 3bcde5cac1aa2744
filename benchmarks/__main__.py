"""``python -m benchmarks WHAT``: measure, and print a plain report."""

import argparse

from benchmarks import alerts, daemon, drills, memory, page, startup, store, strangers, witness
from benchmarks.failoverbench import run as failoverbench


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        default="all",
        choices=(
            *("witness", "strangers", "drills", "memory", "startup", "store", "daemon"),
            *("alerts", "page", "failoverbench", "all"),
        ),
    )
    parser.add_argument("--lab", action="store_true", help="drill the lab's real LiteLLM")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each load [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="best of so many [%(default)s]")
    parser.add_argument("--requests", type=int, default=500, help="for latency [%(default)s]")
    parser.add_argument("--no-mitmproxy", action="store_true", help="leave mitmdump out")
    parser.add_argument("--drills", type=int, default=200, help="in a campaign [%(default)s]")
    parser.add_argument("--connections", type=int, default=1000, help="of strangers [%(default)s]")
    parser.add_argument("--scenarios", type=int, default=500, help="for memory [%(default)s]")
    parser.add_argument("--paths", type=int, default=500, help="of the store [%(default)s]")
    parser.add_argument("--stored", type=int, default=50_000, help="drills in it [%(default)s]")
    parser.add_argument("--days", type=int, default=7, help="that it grows [%(default)s]")
    parser.add_argument("--per-day", type=int, default=10_000, help="drills [%(default)s]")
    parser.add_argument("--idle", type=float, default=300.0, help="seconds [%(default)s]")
    parser.add_argument("--alerts", type=int, default=1_000, help="at once [%(default)s]")
    parser.add_argument("--only", action="append", default=[], help="S01 …; may be repeated")
    given = parser.parse_args()
    if given.what in ("witness", "all"):
        witness.run(
            seconds=given.seconds,
            requests=given.requests,
            rounds=given.rounds,
            with_mitmproxy=not given.no_mitmproxy,
        )
    if given.what in ("strangers", "all"):
        strangers.run(connections=given.connections, drills=given.drills)
    if given.what == "failoverbench":
        failoverbench.run(only=given.only)
    if given.what == "daemon":
        daemon.run(idle_s=given.idle, lab=given.lab)
    if given.what == "store":
        store.run(paths=given.paths, drills=given.stored, days=given.days, per_day=given.per_day)
    if given.what in ("page", "all"):
        page.run(rounds=given.rounds)
    if given.what == "alerts":
        alerts.run(alerts=given.alerts)
    if given.what in ("startup", "all"):
        startup.run(rounds=given.rounds)
    if given.what in ("memory", "all"):
        memory.run(scenarios=given.scenarios, lab=given.lab)
    if given.what in ("drills", "all"):
        drills.run(drills=given.drills, lab=given.lab)


if __name__ == "__main__":
    main()
