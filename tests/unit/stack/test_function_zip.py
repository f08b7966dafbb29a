"""The functions' zips: the same bytes each time, all that a Lambda needs, and nothing else."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from orderboard_stack import function_wheels
from orderboard_stack.__main__ import main
from orderboard_stack.function_wheels import WheelsError, linux_environment, linux_wheels
from orderboard_stack.function_zip import (
    Architecture,
    FunctionName,
    FunctionZipError,
    HostTarget,
    LinuxTarget,
    _needed_distributions,
    build_function_zip,
)

OWN = {"notifier", "orderboard_contracts"}
DEPENDENCIES = {
    "annotated_types",
    "aws_lambda_powertools",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "typing_extensions.py",
    "typing_inspection",
}
# What a Lambda runtime brings along: boto3 and what that needs.
RUNTIME = ("boto3", "botocore", "dateutil", "s3transfer", "six.py", "urllib3")
# The machine field of an ELF header. https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
LOCK = """\
plain==1.0 \\
    --hash=sha256:aa
    # via something
forked==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
forked==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
other==1.0 \\
    --hash=sha256:ee
"""


def top_level(archive: zipfile.ZipFile) -> set[str]:
    """The first part of every entry's path."""
    return {name.split("/", 1)[0] for name in archive.namelist()}


def built_for_linux(out: Path, architecture: Architecture, function: FunctionName = "notifier") -> Path:
    """The zip for Lambda; skips the test when its wheels are not kept and the package index is out of reach."""
    try:
        return build_function_zip(out, LinuxTarget(architecture), function)
    except FunctionZipError as exc:
        if re.search(r"NewConnectionError|ConnectTimeout|NameResolutionError|Network is unreachable", str(exc)):
            pytest.skip("the package index is out of reach, and the wheels for Linux were never fetched here")
        raise


@pytest.fixture(scope="module")
def host_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for the Python that runs the tests."""
    return build_function_zip(tmp_path_factory.mktemp("host") / "notifier.zip", HostTarget())


def test_same_input_gives_same_bytes(host_zip: Path, tmp_path: Path) -> None:
    """Two builds are one and the same file, so a deploy can tell by its digest that nothing changed."""
    again = build_function_zip(tmp_path / "deep" / "again.zip", HostTarget())

    assert again.read_bytes() == host_zip.read_bytes()
    assert [path.name for path in again.parent.iterdir()] == ["again.zip"]


def test_zip_for_this_host_has_the_own_packages_alone(host_zip: Path) -> None:
    """The dependencies are installed on the host: no package of others is in the zip, no cache, no installer's note."""
    with zipfile.ZipFile(host_zip) as archive:
        names = archive.namelist()

        assert top_level(archive) == OWN
        assert {"notifier/handler.py", "orderboard_contracts/alert.py"} <= set(names)
        assert not [name for name in names if re.search(r"__pycache__|\.pyc|\.pyi$|dist-info|tests?/|\.js$", name)]


def test_entries_tell_nothing_of_the_machine(host_zip: Path) -> None:
    """Entries are sorted, unique and without this machine's times and permissions."""
    with zipfile.ZipFile(host_zip) as archive:
        entries = archive.infolist()
        names = archive.namelist()

    assert names == sorted(set(names))
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o100644"}


def test_handler_runs_on_what_is_packed_for_lambda_alone(host_zip: Path, tmp_path: Path) -> None:
    """With the own packages, the declared dependencies and a Lambda runtime's packages, the handler can be imported."""
    installed, runtime, code = Path(boto3.__file__).parents[1], tmp_path / "runtime", tmp_path / "code"
    runtime.mkdir()
    for name in (*RUNTIME, *DEPENDENCIES):
        (runtime / name).symlink_to(installed / name)
    with zipfile.ZipFile(host_zip) as archive:
        archive.extractall(code)
    script = (
        f"import sys; sys.path += [{str(code)!r}, {str(runtime)!r}]; import notifier.handler as h; print(h.__file__)"
    )

    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(code / "notifier" / "handler.py")


@pytest.mark.parametrize("function", ["notifier", "worker"])
def test_opentelemetry_is_packed_only_for_who_asks_for_traces(function: FunctionName) -> None:
    """Without traces a function's zip does not grow by them."""
    environment = linux_environment("x86_64", "3.13")
    without, with_traces = (
        _needed_distributions(f"orderboard-{function}", environment, traces=traces) for traces in (False, True)
    )

    assert not [name for name in without if name.startswith(("opentelemetry", "protobuf"))]
    assert with_traces > without
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "protobuf"} <= with_traces


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_linux_zip_fits_lambda(architecture: Architecture, tmp_path: Path) -> None:
    """The zip for Lambda holds the same packages, with native code for python3.13 on that architecture."""
    with zipfile.ZipFile(built_for_linux(tmp_path / "notifier.zip", architecture)) as archive:
        (native,) = [name for name in archive.namelist() if name.endswith(".so")]
        header = archive.read(native)[:20]
        unpacked = sum(entry.file_size for entry in archive.infolist())

        assert top_level(archive) == OWN | DEPENDENCIES
        assert not [name for name in archive.namelist() if re.search(r"__pycache__|dist-info|tests?/|\.js$", name)]

    assert ".cpython-313-" in native
    assert header[:4] == b"\x7fELF"
    assert int.from_bytes(header[18:20], "little") == ELF_MACHINES[architecture]
    assert unpacked < 262_144_000, "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"


def test_the_workers_zip_has_what_its_function_needs(tmp_path: Path) -> None:
    """Its packages with native code, and botocore with the models of the services that it calls; without uvloop.

    A zip of more than 50 MB could not be uploaded directly, and a large one makes every cold start longer.
    """
    out = built_for_linux(tmp_path / "worker.zip", "x86_64", "worker")

    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        unpacked = sum(entry.file_size for entry in archive.infolist())
        models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}

        assert {"worker", "orderboard_contracts", "orderboard_aws_client"} <= top_level(archive)
        assert {"aiobotocore", "botocore", "aiohttp", "httptools", "orjson", "pydantic_core"} <= top_level(archive)
        assert not {"notifier", "uvloop", "boto3"} & top_level(archive)

    assert models == {"dynamodb", "events", "sqs"}
    assert {"botocore/data/partitions.json", "botocore/cacert.pem", "worker/handler.py"} <= set(names)
    assert out.stat().st_size < 10_000_000
    assert unpacked < 30_000_000


def test_the_workers_handler_runs_on_what_is_packed(tmp_path: Path) -> None:
    """Without uvloop and without the models that are left out, it reads its settings and makes its clients.

    The zip for this host has the own packages; the others are those that the zip for Linux has.
    """
    host = build_function_zip(tmp_path / "worker.zip", HostTarget(), "worker")
    environment = {"PATH": os.defpath, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x"}
    environment |= {"AWS_SECRET_ACCESS_KEY": "x", "AWS_LAMBDA_FUNCTION_NAME": "cafe-worker"}
    environment |= {
        f"ORDERBOARD_{name}": "cafe" for name in ("WORK_QUEUE", "EXPRESS_QUEUE", "BUS_NAME", "ORDERS_TABLE")
    }
    script = (
        f"import sys; sys.path.insert(0, {str(host)!r}); sys.modules['uvloop'] = None\n"
        "import worker.handler as handler\n"
        "print(handler.__file__, sorted(handler._environment().function.roles.values()), 'uvloop' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(host / "worker" / "handler.py")


def test_linux_zip_is_built_again_without_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its wheels were fetched, a Linux zip needs no network, and has the same bytes."""
    first = built_for_linux(tmp_path / "first.zip", "arm64")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: pytest.fail("pip was started"))

    second = build_function_zip(tmp_path / "second.zip", LinuxTarget("arm64"))

    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(("python", "pinned"), [("3.11", "forked==1.0"), ("3.13", "forked==2.0")])
def test_markers_are_decided_for_the_target(python: str, pinned: str) -> None:
    """The pins are those for the target, whatever Python runs here."""
    pins = function_wheels._pins(LOCK, frozenset(("plain", "forked")), linux_environment("arm64", python))

    assert [line for line in pins.splitlines() if "==" in line] == ["plain==1.0 \\", f"{pinned} \\"]
    assert "--hash=sha256:aa" in pins
    assert ";" not in pins


def test_dependency_that_is_not_pinned_is_named() -> None:
    """A dependency without a pin is refused, with the fix: nothing enters the zip unpinned."""
    with pytest.raises(WheelsError, match=r"does not pin newcomer.*make lock"):
        function_wheels._pins(LOCK, frozenset(("plain", "newcomer")), linux_environment("x86_64", "3.13"))


def test_failed_fetch_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of pip is an error with its reason, and the next build tries again."""
    monkeypatch.setattr(function_wheels, "CACHE", tmp_path)
    failure = subprocess.CompletedProcess([], returncode=1, stdout="", stderr="no such wheel")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: failure)
    lines: list[str] = []

    with pytest.raises(WheelsError, match="no such wheel"):
        linux_wheels(["jmespath"], "arm64", "3.13", lines.append, of="notifier")

    assert list(tmp_path.iterdir()) == []
    assert "Fetching" in lines[0]


def test_command_line_writes_the_zip(host_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints where the zip is and its digest."""
    out = tmp_path / "notifier.zip"

    assert main(["notifier-zip", str(out), "--target", "host"]) == 0

    assert hashlib.sha256(host_zip.read_bytes()).hexdigest() in capsys.readouterr().err
    assert out.is_file()
