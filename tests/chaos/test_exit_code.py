"""The exit codes are a promise to scripts."""

from chaos.exit_code import ExitCode


def test_the_numbers_are_those_of_the_contract():
    """A CI job that reads them must not be surprised by a renaming or a new order."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "ERROR": 2,
        "INCONCLUSIVE": 3,
        "STOPPED": 4,
        "INTERNAL": 70,
    }
