"""The notifier's code: deployed with files of an attendee in it, and put back."""

import base64
import hashlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from orderboard.errors import RigError
from orderboard.system.deploy import pack_function
from orderboard.system.target import Target

_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})
_UPDATED_WITHIN_S: Final = 30.0
_POLL_S: Final = 0.05


def deploy_notifier(target: Target, instead: Mapping[str, bytes] = _NOTHING) -> bool:
    """Deploy the notifier's code, with these files in place of those that it has; return whether that changed it."""
    functions, name = target.functions, target.outputs.notifier_function
    with tempfile.TemporaryDirectory() as folder:
        content = pack_function("notifier", target.endpoint, Path(folder), instead=instead).read_bytes()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if functions.get_function_configuration(FunctionName=name)["CodeSha256"] == digest:
        return False
    functions.update_function_code(FunctionName=name, ZipFile=content)
    deadline = time.monotonic() + _UPDATED_WITHIN_S
    while time.monotonic() < deadline:
        found = functions.get_function_configuration(FunctionName=name)
        if found["CodeSha256"] == digest and found.get("LastUpdateStatus") == "Successful":
            return True
        time.sleep(_POLL_S)
    raise RigError(f"The function {name} did not take the new code within {_UPDATED_WITHIN_S:g} s. Deploy it again.")
