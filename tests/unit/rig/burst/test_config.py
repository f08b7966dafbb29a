"""burst.toml: what it may say, its errors, and the effective configuration that runs the same burst again."""

import re
from pathlib import Path
from typing import Any

import pytest
from orderboard.burst.load.stream import Client, Closed, Open
from orderboard.burst.measured_system import Where
from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.check import CLOSED, CheckedBurst, check
from orderboard.burst.scenario.config_file import to_toml
from orderboard.errors import UsageError

TWO_STREAMS = """
seed = 7
workers = [2, "1@4s"]
stop-worker = "2s@1s"

[[stream]]
name = "web"
stage = ["2s:50", "1s:50..150"]
mix = { express = 20, poison = 0.5 }

[[stream]]
start = "1s"
clients = 4
think = "20ms"
duration = "2s"
from = "own.jsonl"
allow-refused = true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two own orders."""
    (tmp_path / "own.jsonl").write_text('{"customer_id": "ada"}\n{"customer_id": "alan"}\n')
    return tmp_path


def checked(folder: Path, text: str, **options: Any) -> CheckedBurst:
    """The burst of a file with this text."""
    path = folder / "burst.toml"
    path.write_text(text)
    return check(BurstOptions(config=path, **options), Where())


def test_a_file_has_streams_faults_and_workers(folder: Path) -> None:
    """Each stream has its own load and orders; a list of one may be a single value."""
    found = checked(folder, TWO_STREAMS)

    web, own = found.plan.streams
    assert isinstance(web.load, Open)
    assert (len(web.load.times_s), web.seed, web.name) == (200, 7, "web")
    assert own.load == Closed((Client(1, 3),) * 4, think_s=0.02)
    assert [str(fault) for fault in found.plan.faults] == [
        "workers stopped (SIGTERM)",
        "workers started again",
        "scaled to 1 worker",
    ]
    assert (found.settings.profile, found.settings.duration_s, found.settings.closed) == ("2 streams", 3, True)
    assert [(each.name, each.orders, each.mix) for each in found.settings.streams] == [
        ("web", 200, "express=20,poison=0.5"),
        ("2", None, str(folder / "own.jsonl")),
    ]
    keys = [next(iter(stream.orders()))[1].idempotency_key for stream in (web, own)]
    assert keys == ["burst-7-web-0", "burst-7-2-0"]


def test_a_closed_model_says_what_it_hides(folder: Path) -> None:
    """It is in the summary, and so in the terminal and in the report."""
    assert checked(folder, "[[stream]]\nclients = 3").warnings == (CLOSED,)
    assert not checked(folder, "").warnings


@pytest.mark.parametrize(
    "text",
    [
        "",
        TWO_STREAMS,
        '[[stream]]\nmix = ""\norders = 5',
        'scale = 2.5\n[[stream]]\nstage = ["1s:4..8"]\n[[stream]]\nrate = 10',
        '[[stream]]\nstage = ["1s:2c", "1s:2c..5c"]\nthink = "5ms"',
    ],
)
def test_the_effective_configuration_runs_the_same_burst(folder: Path, text: str) -> None:
    """Printed and read again, it is itself; every default is in it."""
    first = checked(folder, text)
    printed = to_toml(first.config)
    (folder / "elsewhere").mkdir()

    again = checked(folder / "elsewhere", printed)

    assert to_toml(again.config) == printed
    assert (again.plan, again.warnings) == (first.plan, first.warnings)
    assert 'backend = "embedded"' in printed
    assert "seed = " in printed


def test_typed_options_count_more_than_the_file(folder: Path) -> None:
    """Also a typed default; without streams in the file, the load may be typed."""
    assert checked(folder, "seed = 7\nconnections = 3", seed=1).config.seed == 1
    assert checked(folder, "seed = 7", rate=5.0, duration="2s").settings.orders == 10
    with pytest.raises(UsageError, match=r"--rate: the loads are those of the streams in .*burst.toml; change them"):
        checked(folder, TWO_STREAMS, rate=5.0)


def test_clients_may_share_a_number_of_orders(folder: Path) -> None:
    """Then the end of the load is open, and no fault can be called late."""
    found = checked(folder, "[[stream]]\nclients = 3\norders = 40", kill_api=["@9s"])

    assert found.plan.streams[0].planned == 40
    assert found.settings.orders == 40
    assert found.warnings == (CLOSED,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sead = 1", "burst.toml: unknown key 'sead'; did you mean 'seed'[?]"),
        ("stop_worker = '1s@1s'", "unknown key 'stop_worker'; did you mean 'stop-worker'[?]"),
        ("rate = 3", "unknown key 'rate'; it belongs to a .*stream"),
        ("zzz = 3", "unknown key 'zzz'; expected one of backend, scale, seed"),
        ("[[stream]]\nclinets = 3", "stream 1, unknown key 'clinets'; did you mean 'clients'[?]"),
        ("[[stream]]\nworkers = 3", "stream 1, unknown key 'workers'; it is of the whole burst, and belongs above"),
        ("workers = [1.5]", "burst.toml: workers = 1.5: input should be a valid string"),
        ("generators = true", "generators = true: expected a value, not true or false"),
        ("[[stream]]\nrate = false", "stream 1, rate = false: expected a value, not true or false"),
        ("[stream]\nrate = 5", "stream = .*: expected a table for each stream, which begins with ..stream"),
        ("stream = [5]", "stream = 5: expected a table for each stream"),
        ("expect = 'accept_p99{stream=web}<1s'", "no stream is called web; a ..stream.. of burst.toml has a name"),
        ("seed = 'x'", "seed = x: input should be a valid integer"),
        ("connections = 0", "connections = 0: input should be greater than or equal to 1"),
        ("[[stream]]\n[[stream]]\nclients = 0", "stream 2, clients = 0: input should be greater"),
        ("[[stream]]\nname = 'A b'", "stream 1, name = A b: string should match pattern"),
        ("[[stream]]\nname = 'a'\n[[stream]]\nname = 'a'", "two streams have the name a"),
        ("[[stream]]\n[[stream]]\nrate = -1", "burst.toml, stream 2: --rate is -1: expected above 0"),
        ("[[stream]]\nstage = ['3s']", "stream 1: --stage 3s: expected TIME:RATE"),
        ("[[stream]]\nstage = ['3s:0']", "The stages have 0 orders together: expected 1"),
        ("[[stream]]\nstage = ['3s:1']\nrate = 1", "--stage sets rates and times: leave out --rate"),
        ("[[stream]]\nstage = ['3s:1']\nprofile = 'ramp'", "--stage gives the rates: leave out --profile ramp"),
        ("[[stream]]\nstage = ['3s:1c', '3s:1']", "--stage: some are of rates, and some of clients"),
        ("[[stream]]\nstage = ['3s:1c']\norders = 1", "--stage sets rates and times: leave out --orders"),
        ("[[stream]]\nstage = ['3s:1c']\nprofile = 'poisson'", "Clients send as fast as .*: leave out --profile"),
        ("[[stream]]\nstage = ['3s:0c']", "The stages have no client: expected some, such as --stage 30s:10c"),
        ("[[stream]]\nstage = ['3s:1c']\nclients = 1", "--stage sets the number of clients, too"),
        ("[[stream]]\nclients = 1\nrate = 1", "Clients send as fast as they get answers: leave out --rate"),
        ("[[stream]]\nthink = '1s'", "--think is the pause of a client: give --clients, too, or a --stage of clients"),
        ("scale = 2\n[[stream]]\nclients = 1", "stream 1: --scale is of rates, and clients send as they are answered"),
        ("scale = 0", "scale = 0: input should be greater than 0"),
        ("scale = 1000000", "--orders, or --rate x --duration, x --scale is 2,000,000,000: expected at most 5,000,000"),
        ("[[stream]]\nclients = 1\nduration = '0s'", "--duration is 0 s: expected above 0"),
        ("[[stream]]\nstart = '8d'", "The load ends after 691220 s: expected at most"),
        ("[[stream]]\nallow-refused = true", "--allow-refused is for your own orders"),
        ("x = ,", "not valid TOML: Invalid value .at line 1, column 5"),
    ],
)
def test_an_error_names_the_key_and_the_stream(folder: Path, text: str, said: str) -> None:
    """With the value and what is expected, or the nearest key."""
    with pytest.raises(UsageError, match=said):
        checked(folder, text)


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    """Missing, or not text."""
    with pytest.raises(UsageError, match=r"--config .*missing.toml: No such file"):
        check(BurstOptions(config=folder / "missing.toml"), Where())
    (folder / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="expected UTF-8 text"):
        check(BurstOptions(config=folder / "bytes.toml"), Where())


def test_stages_may_be_of_clients(folder: Path) -> None:
    """Each begins and ends as the ramp passes it, from the start of the stream on; pauses are allowed."""
    found = checked(folder, '[[stream]]\nstart = "1s"\nstage = ["2s:1c..3c", "2s:3c..2c"]\nthink = "20ms"')

    assert found.plan.streams[0].load == Closed((Client(1, 5), Client(1.5, 5), Client(2.5, 4)), think_s=0.02)
    assert (found.settings.duration_s, found.settings.closed, found.warnings) == (5, True, (CLOSED,))
    assert found.settings.profile == "stages 2s:1c..3c, 2s:3c..2c"


def test_a_scale_multiplies_every_rate(folder: Path) -> None:
    """Of stages, rates, a number of orders and a trace, in the same time."""
    (folder / "trace.txt").write_text("0\n1\n3\n")
    text = """
        [[stream]]
        stage = ["2s:10..30"]
        [[stream]]
        orders = 10
        rate = 5
        [[stream]]
        trace = "trace.txt"
    """
    found = checked(folder, text, scale=2.0)

    stages, constant, trace = (stream.load for stream in found.plan.streams)
    assert isinstance(stages, Open)
    assert isinstance(constant, Open)
    assert isinstance(trace, Open)
    assert (len(stages.times_s), max(stages.times_s) < 2) == (80, True)
    assert (len(constant.times_s), max(constant.times_s) < 2) == (20, True)
    assert list(trace.times_s) == [0, 0.25, 0.75, 1.5, 2.5, 3]
    assert (found.settings.scale, found.settings.orders, found.settings.profile) == (2, 106, "3 streams, x 2")
    halved = checked(folder, text, scale=0.5).plan.streams
    assert [stream.planned for stream in halved] == [20, 5, 2]


def test_workers_that_scale_by_themselves_start_with_the_least(folder: Path) -> None:
    """A burst that ends before the first alarm could ring says so."""
    text = 'workers = "auto:2-8,backlog-per-worker=50,period=2s"\n'
    found = checked(folder, text)

    assert found.settings.workers == 2
    assert found.settings.scaling == "auto:2-8,backlog-per-worker=50,period=2s"
    assert not found.warnings
    (warning,) = checked(folder, text.replace("2s", "60s")).warnings
    assert warning.startswith("The workers scale out after 180 s at the earliest, and the load ends at 20 s.")
    with pytest.raises(UsageError, match="it sets the number all the time, so leave out the other --workers"):
        checked(folder, text, workers=["auto:1-8,backlog-per-worker=50", "2@3s"])


def test_the_example_of_the_documentation_is_valid(folder: Path) -> None:
    """Its streams and thresholds are what it says."""
    page = Path(__file__).parents[4] / "docs" / "load-testing.md"
    (text,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)

    found = checked(folder, text)

    assert [(each.name, each.load) for each in found.settings.streams] == [
        ("web", "stages 10s:50, 20s:50..200, 10s:0"),
        ("batch", "10 clients"),
    ]
    assert [str(each) for each in found.thresholds] == [
        "lost==0",
        "accept_p99{phase=after}<100ms",
        "accept_p99{stream=web}<80ms",
        "unavailable<5%",
    ]
