"""MiniStack behind localbus: a service is executed when it is first used, and is complete then."""

import subprocess
import sys

import pytest

_PREPARED = "from orderboard_stack.lean_ministack import make_lean; make_lean()\n"


def printed(script: str) -> list[str]:
    """The words that a new process prints after make_lean."""
    done = subprocess.run([sys.executable, "-c", _PREPARED + script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("again", ["import ministack.services.kms as kms", "from ministack.services import kms"])
def test_an_import_alone_executes_nothing(again: str) -> None:
    """Neither the first import of a service nor a second one in another module executes it."""
    script = (
        f"import ministack.services.kms\n{again}\nprint('reset' in vars(kms), kms.reset.__name__, 'reset' in vars(kms))"
    )

    assert printed(script) == ["False", "reset", "True"]


def test_cloudformation_executes_few_services() -> None:
    """It names all services, and needs those of the stack."""
    script = """\
import sys
import ministack.services.cloudformation.provisioners
names = ("cognito", "iot", "stepfunctions", "rds", "ec2")
print(*(name for name in names if "reset" in vars(sys.modules[f"ministack.services.{name}"])))
"""

    assert printed(script) == []


def test_a_missing_attribute_is_an_error() -> None:
    """A service that was executed answers as any module does."""
    script = """\
import ministack.services.kms as kms
for _ in range(2):
    try:
        kms.nothing
    except AttributeError as exc:
        print(str(exc).endswith("attribute 'nothing'"))
"""

    assert printed(script) == ["True", "True"]


def test_threads_wait_while_a_service_is_executed() -> None:
    """Each of several threads that use a service for the first time sees all of it."""
    script = """\
from concurrent.futures import ThreadPoolExecutor
import ministack.services.kms as kms
with ThreadPoolExecutor(8) as pool:
    print(*{function.__name__ for function in pool.map(lambda _: kms.reset, range(8))})
"""

    assert printed(script) == ["reset"]
