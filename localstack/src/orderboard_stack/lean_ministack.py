"""Less memory for the MiniStack behind localbus, which serves functions, buckets and little else: 33 MB instead of 80.

Its CloudFormation imports every service and uses few, each of its answers needs a botocore model for its Content-Type,
and it looks for containers. MiniStack alone is started without this, so comparisons see it as it comes.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any, Final

_SERVICES: Final = "ministack.services"
# A package whose submodules import each other's names, and so cannot be executed later.
_AT_ONCE: Final = (f"{_SERVICES}.cloudformation",)


def make_lean() -> None:
    """Prepare this process. Call it before anything of MiniStack is imported."""
    sys.meta_path.insert(0, _LazyServices())
    sys.modules["docker"] = None  # type: ignore[assignment]  # an ImportError; this backend has no Docker socket
    from ministack.core import responses  # type: ignore[import-untyped]  # noqa: PLC0415 - after the finder

    # SDKs read the body of an answer by its operation. Step Functions' own use of the models is not affected.
    responses.fix_success_content_type = responses.fix_error_content_type = _leave_content_type


def _leave_content_type(_service: str, _status: int, _headers: dict[str, str]) -> None:
    pass


class _LazyServices(MetaPathFinder):
    """Finds MiniStack's services, each to be executed when it is first used."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, _ = fullname.rpartition(".")
        if package != _SERVICES or fullname in _AT_ONCE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _AtFirstUse(spec.loader)
        return spec


class _AtFirstUse(Loader):
    """Executes a module when an attribute is read that it does not have yet.

    Python's own LazyLoader executes it when it is imported for a second time, which reads its __spec__.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _Unexecuted

    def execute(self, module: ModuleType) -> None:
        self._loader.exec_module(module)


class _Unexecuted(ModuleType):
    """A module until its first use. Other threads wait while it is executed."""

    __loader__: _AtFirstUse
    _lock = RLock()
    _is_executing = False

    def __getattr__(self, name: str) -> Any:
        with _Unexecuted._lock:
            if type(self) is _Unexecuted and not self._is_executing:
                self._is_executing = True
                try:
                    self.__loader__.execute(self)
                finally:
                    del self._is_executing
                self.__class__ = ModuleType  # type: ignore[assignment]
        return ModuleType.__getattribute__(self, name)
