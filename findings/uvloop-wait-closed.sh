#!/usr/bin/env bash
# Subject:     Server.wait_closed() after close(), while a client is still connected: asyncio and uvloop
# Versions:    Python 3.12 or newer, uvloop 0.23.0
# Guess:       uvloop follows asyncio, where wait_closed() waits since Python 3.12 until the last connection has ended.
# Behaviour:   uvloop's returns at once, as asyncio's did until 3.11. A server that awaits it as its drain is right in its
#              tests on asyncio and cuts off requests in progress in production on uvloop. (One that closes its
#              connections only afterwards does the opposite: it ends on uvloop and never on asyncio.)
# Output seen: asyncio: waited for the connection, uvloop: returned at once
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.version_info >= (3, 12) or sys.exit("needs Python 3.12: PYTHON=/path/to/python3.12 bash ...")'
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
cat > "$folder/closing.py" <<'PY'
import asyncio
import sys

import uvloop


async def answer(reader, writer):
    await reader.read()
    writer.close()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    _, client = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.sleep(0.2)  # until the server has accepted it
    server.close()
    try:
        await asyncio.wait_for(server.wait_closed(), 1)
        print("returned at once")
    except TimeoutError:
        print("waited for the connection")
    client.close()


{"asyncio": asyncio.run, "uvloop": uvloop.run}[sys.argv[1]](main())
PY
seen=$(for loop in asyncio uvloop; do echo "$loop: $("$folder/venv/bin/python" "$folder/closing.py" $loop 2>/dev/null)"; done | paste -sd, | sed 's/,/, /')
echo "$seen"
[ "$seen" = "asyncio: waited for the connection, uvloop: returned at once" ]
