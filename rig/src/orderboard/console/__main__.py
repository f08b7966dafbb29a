"""`python -m orderboard.console PORT`: the console as the process that `up` starts."""

import sys

from orderboard.console.server import serve
from orderboard.console.source import Source
from orderboard.system.workspace import find_workspace

if __name__ == "__main__":
    serve(Source(find_workspace()), int(sys.argv[1]), on_start=lambda url: print(url, flush=True))
