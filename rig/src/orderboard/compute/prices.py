"""The rates of AWS for what runs a worker: those of Lambda, and some of `cloud.prices`. us-east-1, x86, Linux."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from orderboard.burst.report.cost import USD_PER_MILLION, parse_usd
from orderboard.cloud.prices import AS_OF, Rate
from orderboard.cloud.prices import RATES as CLOUD_RATES

__all__ = ["AS_OF", "RATES", "parse_rate", "usd"]

_LAMBDA: Final = "https://aws.amazon.com/lambda/pricing/"

RATES: Final[Mapping[str, Rate]] = {
    "lambda-gb-second": Rate(0.0000166667, "GB-second", _LAMBDA, "2026-03 wring.co"),
    "lambda-requests": Rate(USD_PER_MILLION["lambda"], "million requests", _LAMBDA, "2026-03 wring.co"),
    "fargate-vcpu": CLOUD_RATES["fargate-vcpu"],
    "fargate-gb": CLOUD_RATES["fargate-gb"],
    "sqs-requests": replace(CLOUD_RATES["poll"], usd=USD_PER_MILLION["sqs"], unit="million requests"),
}


def parse_rate(text: str) -> tuple[str, float]:
    """Parse `fargate-vcpu=0.05`; raise ValueError with the reason."""
    return parse_usd(text, "rate", {name: f"for a {rate.unit}" for name, rate in RATES.items()})


def usd(given: Mapping[str, float]) -> dict[str, float]:
    """Return every rate in USD: those that were given, and the list's."""
    return {**{name: rate.usd for name, rate in RATES.items()}, **given}
