"""The rig: Order Board's command line. It uses the services over HTTP and AWS APIs and imports none of them."""

import time
from typing import Final

# Times that are shown to people count from here, before the slow imports, so that those are included.
STARTED_AT: Final = time.time()
