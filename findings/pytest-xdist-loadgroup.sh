#!/usr/bin/env bash
# Subject:     pytest-xdist's --dist loadgroup, which keeps tests with the same xdist_group mark on one worker
# Versions:    pytest 9.2.0, pytest-xdist 3.8.0
# Guess:       the two current releases, which install together without a complaint, keep a group of six tests on one of
#              two workers.
# Behaviour:   the mark has no effect: the tests are spread over both workers, and nothing says so. pytest-xdist appends the
#              group to an attribute from which pytest 9.2 no longer derives the node id. With pytest 8.4.2 the group
#              stays together. A suite that groups the users of one expensive fixture starts it once a worker.
# Output seen: pytest 9.2.0: 2 workers, pytest 8.4.2: 1 worker
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > test_group.py <<'PY'
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_in_a_group(number):
    time.sleep(0.1)
PY
workers() {
  python3 -m venv "venv-$1"
  "venv-$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  "venv-$1/bin/python" -m pytest -n 2 --dist loadgroup -v test_group.py | grep -oE '^\[gw[0-9]\]' | sort -u | wc -l
}
seen="pytest 9.2.0: $(workers 9.2.0) workers, pytest 8.4.2: $(workers 8.4.2) worker"
echo "$seen"
[ "$seen" = "pytest 9.2.0: 2 workers, pytest 8.4.2: 1 worker" ]
