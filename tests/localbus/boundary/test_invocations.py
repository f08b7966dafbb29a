"""Direct invocations of functions count for the functions' metrics."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from localbus.boundary.invocations import CountedInvocations
from localbus.http.message import Request, Response
from localbus.upstream.function_counts import FunctionCounts

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
SCOPE = b"AWS4-HMAC-SHA256 Credential=test/20231114/us-east-1/lambda/aws4_request, Signature=0"


async def counted(name: str, answer: Response, kind: str = "RequestResponse") -> dict[tuple[str, ...], dict[str, int]]:
    """Invoke a function; return its counts, and the sums of its values, by account, region and name."""
    functions = FunctionCounts()
    headers = {b"authorization": SCOPE, b"x-amz-invocation-type": kind.encode()}
    request = Request("POST", f"/2015-03-31/functions/{name}/invocations?Qualifier=1", headers)
    found = CountedInvocations(lambda _: answer, functions)(request)
    assert (await found if isinstance(found, Awaitable) else found) is answer
    return {
        key: counts.counts | {name: int(each[1]) for name, each in counts.values.items() if name == "Errors"}
        for key, counts in functions
    }


@pytest.mark.parametrize("name", ["f", "f:live", "000000000000:function:f", ARN, ARN.replace(":", "%3A"), f"{ARN}:1"])
async def test_names(name: str) -> None:
    """A function is known by its name, with a qualifier, with its account, and by its ARN."""
    assert await counted(name, Response(200, [])) == {
        ("000000000000", "us-east-1", "f"): {"Invocations": 1, "Errors": 0}
    }


@pytest.mark.parametrize(
    ("answer", "kind", "counts"),
    [
        (Response(200, [(b"X-Amz-Function-Error", b"Unhandled")]), "RequestResponse", {"Invocations": 1, "Errors": 1}),
        (Response(202, []), "Event", {"Invocations": 1}),
        (Response(429, []), "RequestResponse", {"Throttles": 1}),
        (Response(404, []), "RequestResponse", {}),
    ],
)
async def test_answers(answer: Response, kind: str, counts: dict[str, int]) -> None:
    """An error of the function, an asynchronous call, throttling and a missing function count as on AWS."""
    assert list((await counted("f", answer, kind)).values()) == [counts]


async def test_a_dry_run_is_not_an_invocation() -> None:
    """A dry run counts nothing."""
    assert await counted("f", Response(204, []), "DryRun") == {}


@pytest.mark.parametrize("name", ["arn:", "arn:aws:lambda:us-east-1:000000000000:f"])
async def test_an_arn_that_is_too_short(name: str) -> None:
    """A request that names no function goes to the upstream, which refuses it, and counts nothing."""
    assert await counted(name, Response(400, [])) == {}
