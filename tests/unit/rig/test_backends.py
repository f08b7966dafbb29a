"""Backends: nothing happens in a real account without consent."""

from collections.abc import Callable
from pathlib import Path

import pytest
from orderboard.errors import RigError, UsageError
from orderboard.system import backends
from orderboard.system.backends import account_line, consent, find_account, reach, start_backend
from orderboard.terminal import progress
from orderboard_stack import aws
from orderboard_stack.aws import Account
from orderboard_stack.backend import BackendName, Endpoint
from orderboard_stack.local_backend import LocalStartError

AWS = Endpoint("aws", None, "eu-central-1")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Set the answer of a person; None: nobody can answer."""
    monkeypatch.setattr(aws, "account", lambda: Account("123456789012", "arn:aws:iam::123456789012:user/ada", AWS))

    def answers(answer: str | None) -> None:
        monkeypatch.setattr(progress, "is_interactive", lambda: answer is not None)
        monkeypatch.setattr("builtins.input", lambda _: answer)

    return answers


def test_a_local_backend_needs_no_consent() -> None:
    """The embedded backend and LocalStack are used without a question."""
    consent(Endpoint("embedded", "http://127.0.0.1:1"), yes=False)
    consent(Endpoint("localstack", "http://127.0.0.1:1"), yes=False)


def test_a_script_must_say_yes(asked: Callable[[str | None], None], capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes and without a person nothing is done, and the account and region are named."""
    asked(None)

    with pytest.raises(UsageError, match="--yes"):
        consent(AWS, yes=False)

    said = capsys.readouterr().err
    assert "123456789012" in said
    assert "eu-central-1" in said
    consent(AWS, yes=True)


def test_a_person_must_type_yes(asked: Callable[[str | None], None]) -> None:
    """Anything but yes means no."""
    asked("y")
    with pytest.raises(RigError, match="Nothing was done"):
        consent(AWS, yes=False)

    asked("yes")
    consent(AWS, yes=False)


def test_a_data_folder_that_cannot_be_used_has_a_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error of the engine, and the command that starts with nothing; other failures do not name it."""
    reasons = [
        f"{tmp_path}/localbus/localbus.db is damaged: not a database.",
        "The backend did not answer within 30 s.",
    ]

    def fail(*_: object, **__: object) -> None:
        raise LocalStartError(reasons.pop(0))

    monkeypatch.setattr(backends, "start_local", fail)

    def start() -> None:
        start_backend(
            "embedded", None, tmp_path / "log", detached=True, progress=lambda _: None, data_dir=tmp_path / "localbus"
        )

    with pytest.raises(RigError, match=r"(?s)is damaged.*orderboard reset && orderboard up"):
        start()
    with pytest.raises(RigError, match=r"30 s\.$"):
        start()


def test_the_embedded_backend_cannot_be_reached_from_outside() -> None:
    """An embedded backend can be found only by its URL."""
    with pytest.raises(UsageError, match="orderboard up"):
        reach("embedded", None)


@pytest.mark.parametrize(
    ("name", "endpoint_url", "disorder"),
    [
        ("ministack", None, "duplicates=0.1"),
        ("localstack", None, "duplicates=0.1"),
        ("aws", None, "duplicates=0.1"),
        ("embedded", "http://127.0.0.1:1", "duplicates=0.1"),
        ("embedded", None, "duplicates=2"),
        ("embedded", None, "chaos=0.1"),
    ],
)
def test_disorder_is_for_an_embedded_backend_of_ours(
    name: BackendName, endpoint_url: str | None, disorder: str, tmp_path: Path
) -> None:
    """Elsewhere, and where it makes no sense, it is refused before anything starts."""
    with pytest.raises(UsageError, match="--disorder"):
        start_backend(name, endpoint_url, tmp_path / "log", detached=False, progress=lambda _: None, disorder=disorder)

    assert not list(tmp_path.iterdir())


def test_nothing_answers_at_the_url() -> None:
    """An address where nothing answers is named."""
    with pytest.raises(RigError, match=r"http://127\.0\.0\.1:9"):
        reach(None, "http://127.0.0.1:9")


def test_another_account_is_refused(asked: Callable[[str | None], None]) -> None:
    """--account protects from the credentials of another one."""
    asked(None)

    assert find_account() == find_account("123456789012")
    assert "AWS account 123456789012 in eu-central-1" in account_line(AWS, "123456789012")
    for refused in (find_account, lambda expected: account_line(AWS, expected)):
        with pytest.raises(
            RigError, match=r"are of account 123456789012, but --account says 210987654321\. Nothing was done"
        ):
            refused("210987654321")
        with pytest.raises(UsageError, match="12 digits"):
            refused("12345")


def test_a_profile_that_does_not_exist_has_a_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """boto3 refuses it before anything is asked of AWS; the fix is the CLI's list of profiles."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    with pytest.raises(RigError, match=r"nobody.* Set AWS_PROFILE to one of `aws configure list-profiles`"):
        find_account()
