"""The golden samples of contracts/: documents that every consumer must understand, whichever version wrote them."""

from pathlib import Path
from typing import Final

_CONTRACTS: Final = Path(__file__).parents[2] / "contracts"

# Named <type>--<variant>.json.
EVENT_SAMPLES: Final = tuple(sorted((_CONTRACTS / "samples").glob("*.json")))
ALERT_SAMPLES: Final = tuple(sorted((_CONTRACTS / "alert-samples").glob("*.json")))


def document_type(sample: Path) -> str:
    """The type that a sample's name says it has."""
    return sample.stem.partition("--")[0]
