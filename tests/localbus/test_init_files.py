"""--init: templates and scripts that an engine applies before it is ready."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from localbus.engine import Options
from localbus.init_files import InitError, InitFile, check_names, parse_init_file
from localbus.pytest_plugin import Localbus
from support.waiting import poll_until

QUEUE = "  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {}, DelaySeconds: {}}}}}\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with the queue `work`."""
    return written(tmp_path / "shop.yaml")


def written(path: Path, name: str = "work", delay: str = "5", more: str = "") -> Path:
    """Write a template with a queue, and return its path."""
    path.write_text("Resources:\n" + QUEUE.format(name, delay) + more)
    return path


def script(path: Path, *lines: str) -> Path:
    """Write a script for the shell, and return its path."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def stack(localbus: Localbus, name: str = "shop", **place: str) -> Any:
    """Return the description of a stack."""
    [found] = localbus.client("cloudformation", **place).describe_stacks(StackName=name)["Stacks"]
    return found


def delay_of(localbus: Localbus, name: str = "work") -> str:
    """Return a queue's delay."""
    sqs = localbus.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]["DelaySeconds"])


def test_a_template_is_a_stack_of_its_files_name(localbus: Localbus, template: Path) -> None:
    """Applied again it changes nothing, and once it is edited it updates the stack."""
    localbus.init(template)
    assert (stack(localbus)["StackStatus"], delay_of(localbus)) == ("CREATE_COMPLETE", "5")

    localbus.init(template)
    assert stack(localbus)["StackStatus"] == "CREATE_COMPLETE"

    written(template, delay="7")
    localbus.init(template)
    assert (stack(localbus)["StackStatus"], delay_of(localbus)) == ("UPDATE_COMPLETE", "7")


def test_a_kept_stack_is_no_failure_of_the_next_start(tmp_path: Path, template: Path) -> None:
    """With a data folder, the same --init meets the stack that the last start has left."""
    for delay in ("5", "5", "7"):
        written(template, delay=delay)
        engine = Localbus(Options(data=tmp_path / "data")).start()
        try:
            engine.init(template)
            assert delay_of(engine) == delay
        finally:
            engine.stop()


def test_a_failed_creation_leaves_nothing_in_the_way(localbus: Localbus, template: Path) -> None:
    """The error names the resource and the reason, and the corrected template is deployed."""
    localbus.client("sqs").create_queue(QueueName="taken")
    written(template, name="taken")

    with pytest.raises(
        InitError, match=r"shop\.yaml: the stack shop was not created\. Q \(AWS::SQS::Queue\): .*taken.*"
    ):
        localbus.init(template)

    localbus.init(written(template))
    assert delay_of(localbus) == "5"


def test_a_failed_update_is_an_error(localbus: Localbus, template: Path) -> None:
    """It is rolled back as on AWS, with the reason of the update and not of an earlier one."""
    localbus.init(template)

    with pytest.raises(InitError, match=r"the stack shop was not updated\. Q \(AWS::SQS::Queue\): .*DelaySeconds"):
        localbus.init(written(template, delay="901"))

    assert (stack(localbus)["StackStatus"], delay_of(localbus)) == ("UPDATE_ROLLBACK_COMPLETE", "5")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Resources: {", "Template format error"),
        (
            "Parameters: {Size: {Type: Number}}\nResources:\n" + QUEUE.format("q", 0),
            r"\[Size\] must have values\. Give",
        ),
        ("Resources: {B: {Type: AWS::S3::Bucket}}", "needs another engine; start localbus with --upstream URL"),
        ("\udcff", "it cannot be read"),
    ],
)
def test_a_template_that_is_not_valid(localbus: Localbus, template: Path, text: str, reason: str) -> None:
    """The error names the file, the reason, and a fix if there is one."""
    template.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(InitError, match=rf"--init .*shop\.yaml: .*{reason}"):
        localbus.init(template)


def test_a_template_may_be_as_large_as_a_file_in_s3(localbus: Localbus, template: Path) -> None:
    """A template of more than 51,200 bytes, as CDK writes them, needs no bucket."""
    localbus.init(written(template, more=f"Description: d\nMetadata: {{text: {'x' * 60_000}}}\n"))

    assert delay_of(localbus) == "5"


def test_the_metadata_of_cdk_need_no_other_engine(localbus: Localbus, tmp_path: Path) -> None:
    """Every stack of the CDK has a resource with its versions, which has no effect (AWS::CDK::Metadata)."""
    metadata = "  M: {Type: AWS::CDK::Metadata, Properties: {Analytics: v2}}\n"

    localbus.init(written(tmp_path / "Shop.template.json", more=metadata))

    resources = localbus.client("cloudformation").describe_stack_resources(StackName="Shop")["StackResources"]
    assert [each["LogicalResourceId"] for each in resources] == ["Q", "M"]


def test_account_and_region_are_those_of_the_environment(
    localbus: Localbus, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of twelve digits is an account; any other key leads to the default one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    localbus.init(template)

    assert ":eu-west-1:111122223333:" in stack(localbus, account="111122223333", region="eu-west-1")["StackId"]


def test_a_script_reaches_this_engine_only(localbus: Localbus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has the engine's address, and nothing that would lead to a real account or through a proxy."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "real")
    monkeypatch.setenv("NO_PROXY", "example.com")
    seed = script(tmp_path / "seed", 'env > "$0.env"')

    localbus.init(seed)

    found = dict(line.split("=", 1) for line in (tmp_path / "seed.env").read_text().splitlines() if "=" in line)
    assert {name: value for name, value in found.items() if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": localbus.url,
        "AWS_PAGER": "",
    }
    assert found["NO_PROXY"] == found["no_proxy"] == "example.com,127.0.0.1,localhost"


def test_a_script_that_fails(localbus: Localbus, tmp_path: Path) -> None:
    """The error has its exit code, or the signal, or why it could not start."""
    unstartable = tmp_path / "seed"
    for lines, reason in ((["exit 3"], "exit code 3"), (["kill -9 $$"], "SIGKILL")):
        with pytest.raises(InitError, match=f"it ended with {reason}. Its output is above."):
            localbus.init(script(unstartable, *lines))
    unstartable.write_text("#!/nowhere/sh")

    with pytest.raises(InitError, match=r"cannot be started: No such file or directory\. Does the program exist"):
        localbus.init(unstartable)


def test_the_name_of_a_stack(tmp_path: Path) -> None:
    """The part of the file's name before its first point, as CloudFormation accepts it."""
    names = {"a.yaml": "a", "Shop.template.json": "Shop", "my_stack v2.yml": "my-stack-v2", "9.yaml": "stack-9"}
    for name in names:
        written(tmp_path / name)

    assert {name: parse_init_file(str(tmp_path / name)).stack_name for name in names} == names


def test_a_file_that_cannot_be_meant(tmp_path: Path) -> None:
    """The error says what is expected."""
    (tmp_path / "seed.sh").write_text("")
    for name, reason in (("none", "does not exist"), (".", "is a folder"), ("seed.sh", "chmod \\+x .*seed.sh")):
        with pytest.raises(ValueError, match=reason):
            parse_init_file(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"a/x.yaml and b/x.yaml are both named as the stack x. Rename one"):
        check_names([InitFile(Path("a/x.yaml"), "x"), InitFile(Path("b/x.yaml"), "x")])


def started(*files: Path) -> subprocess.Popen[str]:
    """Start an engine with these files."""
    init = [argument for file in files for argument in ("--init", str(file))]
    command = [sys.executable, "-m", "localbus", "--port", "0", *init]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_engine_is_not_ready_before_its_files_are_applied(tmp_path: Path, template: Path) -> None:
    """It answers clients, its health is 503, and a signal ends the script that runs, with what that has started."""
    lines = ["sleep 600 &", 'echo "$AWS_ENDPOINT_URL $!" > "$0.new"', 'mv "$0.new" "$0.started"', "wait"]
    with started(template, script(tmp_path / "waits", *lines)) as process:
        url, sleeper = poll_until(lambda: read(tmp_path / "waits.started"), within_s=20).split()

        answers = [httpx.request(method, f"{url}/_localbus/health") for method in ("GET", "HEAD")]
        queues = httpx.get(f"{url}/_localbus/queues").json()["queues"]
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json()["status"] == "starting"
    assert [queue["name"] for queue in queues] == ["work"]
    assert (process.returncode, output) == (0, "")
    assert not psutil.pid_exists(int(sleeper)) or psutil.Process(int(sleeper)).status() == psutil.STATUS_ZOMBIE
    assert f"INFO localbus --init {template}: stack shop created (1 resource) after " in errors


def read(path: Path) -> str:
    """Return the text of a file; empty if it is not there."""
    return path.read_text() if path.exists() else ""


def test_a_failure_ends_the_start(tmp_path: Path) -> None:
    """The exit code is 1, and standard error has the output of the script and the reason."""
    with started(script(tmp_path / "seed", "echo output", "exit 3")) as process:
        output, errors = process.communicate(timeout=20)

    assert (process.returncode, output) == (1, "")
    reason = f"localbus: --init {tmp_path}/seed: it ended with exit code 3. Its output is above.\n"
    assert errors.endswith(f"output\n{reason}")
