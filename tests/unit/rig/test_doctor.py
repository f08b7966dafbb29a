"""The doctor's findings, each with its fix."""

from orderboard.system.doctor import Finding, dependencies, pins, python

LOCK = """\
aiohttp==3.14.5 \\
    --hash=sha256:0123
Colour_Ama==0.4.6 ; sys_platform == 'nonesuch' \\
    --hash=sha256:0123
typing.extensions==4.16.0 ; python_full_version >= '3.0' \\
    --hash=sha256:0123
"""


def test_pins_of_this_machine_only() -> None:
    """A pin whose marker is for another machine does not count; names are in their canonical form."""
    assert list(pins(LOCK)) == [("aiohttp", "3.14.5"), ("typing-extensions", "4.16.0")]


def test_all_as_pinned() -> None:
    """Nothing is to be fixed when every version is as pinned."""
    finding = dependencies(LOCK, dict(pins(LOCK)).get)

    assert (finding.verdict, finding.fix) == ("good", "")


def test_another_version_and_a_missing_one() -> None:
    """A different version and a missing package are named, with how to set it up again."""
    finding = dependencies(LOCK, {"aiohttp": "3.0.0"}.get)

    assert finding.verdict == "bad"
    assert finding.found == "aiohttp 3.0.0 instead of 3.14.5, typing-extensions missing instead of 4.16.0"
    assert "make" in finding.fix


def test_an_old_python() -> None:
    """A Python that is too old is bad, a new one is good."""
    assert python((3, 10)).verdict == "bad"
    assert python((3, 11)) == Finding("Python", "good", "3.11")
