"""The rig: Order Board's command line. It speaks to the services over HTTP and AWS APIs and imports none of them."""

import time
from typing import Final

# Timings that are told to people count from here: before the slow imports, so that these are counted too.
STARTED_AT: Final = time.time()
