"""The rates of AWS for what runs a worker: dated, each with its page, without free tiers. us-east-1, x86, Linux.

`burst.report.cost` has those of the requests, which are the same for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.burst.report.cost import AS_OF, USD_PER_MILLION
from orderboard.option_values import parse_number

__all__ = ["AS_OF", "RATES", "Rate", "parse_rate", "usd"]

_MOST_USD: Final = 1_000_000


@dataclass(frozen=True)
class Rate:
    """A price in USD for a unit, and its page."""

    usd: float
    unit: str
    source: str


RATES: Final[Mapping[str, Rate]] = {
    "lambda-gb-second": Rate(0.0000166667, "GB-second", "https://aws.amazon.com/lambda/pricing/"),
    "lambda-requests": Rate(USD_PER_MILLION["lambda"], "million requests", "https://aws.amazon.com/lambda/pricing/"),
    "fargate-vcpu-hour": Rate(0.04048, "vCPU-hour", "https://aws.amazon.com/fargate/pricing/"),
    "fargate-gb-hour": Rate(0.004445, "GB-hour", "https://aws.amazon.com/fargate/pricing/"),
    "sqs-requests": Rate(USD_PER_MILLION["sqs"], "million requests", "https://aws.amazon.com/sqs/pricing/"),
}


def parse_rate(text: str) -> tuple[str, float]:
    """Parse `fargate-vcpu-hour=0.05`; raise ValueError with the reason."""
    name, _, value = text.partition("=")
    if name not in RATES:
        raise ValueError(f"unknown rate {name!r}; expected one of {', '.join(RATES)}")
    given = parse_number(value)
    if not 0 <= given <= _MOST_USD:
        raise ValueError(f"expected 0 to {_MOST_USD:,} USD for a {RATES[name].unit}")
    return name, given


def usd(given: Mapping[str, float]) -> dict[str, float]:
    """Return every rate in USD: those that were given, and the list's."""
    return {**{name: rate.usd for name, rate in RATES.items()}, **given}
