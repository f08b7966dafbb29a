"""`python -m orderboard_stack.preload MODULE`: imports a service now and runs it when its environment arrives.

The environment is a JSON object on standard input. A system is ready sooner when its services import while the backend
starts. If standard input ends without an environment, the process ends too.
"""

import gc
import importlib
import json
import os
import sys


def main() -> None:
    """Import MODULE.__main__, wait for the environment, and call its main()."""
    gc.disable()  # nothing that a module creates is garbage: collections during imports cost a fifth of their time
    service = importlib.import_module(f"{sys.argv[1]}.__main__")
    gc.enable()
    if not (text := sys.stdin.read()):
        return
    os.environ.clear()
    os.environ.update(json.loads(text))
    sys.argv = sys.argv[1:]
    sys.exit(service.main())


if __name__ == "__main__":
    main()
