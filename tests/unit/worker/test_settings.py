"""Settings: defaults, and errors that name the variable."""

import pytest
from pydantic import ValidationError
from worker.__main__ import main
from worker.settings import Settings

NAMES = {
    "ORDERBOARD_WORK_QUEUE": "cafe-work",
    "ORDERBOARD_EXPRESS_QUEUE": "cafe-express",
    "ORDERBOARD_BUS_NAME": "cafe",
    "ORDERBOARD_ORDERS_TABLE": "cafe-orders",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NAMES.items():
        monkeypatch.setenv(name, value)


def test_only_the_names_are_required() -> None:
    """Everything else has a default, and the heartbeat follows the visibility timeout."""
    settings = Settings()

    assert settings.worker_concurrency == 128
    assert settings.heartbeat_s == 10
    assert not settings.allow_faults
    assert settings.worker_metrics_host == "127.0.0.1"


@pytest.mark.parametrize(("interval_s", "timeout_s"), [("15", "30"), ("40", "30"), ("1", "2")])
def test_a_late_heartbeat_is_rejected(monkeypatch: pytest.MonkeyPatch, interval_s: str, timeout_s: str) -> None:
    """The interval must leave room for one late beat; the error names both settings."""
    monkeypatch.setenv("ORDERBOARD_HEARTBEAT_INTERVAL_S", interval_s)
    monkeypatch.setenv("ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S", timeout_s)

    with pytest.raises(ValidationError, match=r"HEARTBEAT_INTERVAL_S .* half of ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S"):
        Settings()


def test_sold_out_is_a_comma_separated_list_of_skus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces and empty members are ignored; the error for an unknown SKU names it."""
    monkeypatch.setenv("ORDERBOARD_SOLD_OUT", " tea, ,cinnamon-bun,")
    assert Settings().sold_out == {"tea", "cinnamon-bun"}

    monkeypatch.setenv("ORDERBOARD_SOLD_OUT", "tea,unicorn")
    with pytest.raises(ValidationError, match="not on the menu: unicorn"):
        Settings()


def test_a_missing_name_ends_the_start_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and one line for each error, without a traceback."""
    monkeypatch.delenv("ORDERBOARD_WORK_QUEUE")
    monkeypatch.setenv("ORDERBOARD_WORKER_CONCURRENCY", "0")

    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "ORDERBOARD_WORK_QUEUE: Field required" in lines[0]
    assert "ORDERBOARD_WORKER_CONCURRENCY" in lines[1]


def test_an_argument_overrides_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--concurrency is checked like the variable that it overrides."""
    monkeypatch.setenv("ORDERBOARD_WORKER_CONCURRENCY", "8")

    with pytest.raises(SystemExit):
        main(["--concurrency", "100000"])

    assert "ORDERBOARD_WORKER_CONCURRENCY: Input should be less than or equal to 1000" in capsys.readouterr().err
