"""The console in a browser, on a running system: numbers move, controls work, other pages cannot use them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from e2e.browser import Page
from e2e.command import Command
from selenium.webdriver.common.keys import Keys
from support.waiting import eventually

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
async def http(system: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the page's Origin."""
    url = system["console_url"]
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False, timeout=30) as client:
        yield client


def _processes(orderboard: Command) -> dict[str, int]:
    state = json.loads((orderboard.state_dir / "state.json").read_text())
    return {each["name"]: int(each["pid"]) for each in state["processes"]}


def _dead_letters(orderboard: Command) -> int:
    status = orderboard.run("status", "--json")
    assert status.returncode == 0, status.stderr
    return int(json.loads(status.stdout)["queues"]["orderboard-work-dlq"]["visible"])


async def test_the_page_shows_a_running_system(page: Page) -> None:
    """Within seconds it shows numbers: an empty queue and one running worker."""
    await page.live()
    await eventually(lambda: page.text("#diagram .worker") == "worker-1", within_s=10)

    assert page.waiting("work") == 0
    assert page.text("#trouble") == ""


async def test_numbers_move_in_a_burst(page: Page) -> None:
    """A burst is accepted, flows along the arrows, and is recorded. Slow: 300 orders go all the way."""
    await page.use_soon("burst")

    await eventually(lambda: "300 accepted" in page.text("#controls"), within_s=40)
    await eventually(lambda: "300 recorded" in page.text("#diagram"), within_s=60)
    assert page.run("return document.querySelector('.spark-line').getAttribute('d')")


async def test_queues_absorb_an_outage(page: Page, orderboard: Command) -> None:
    """While the worker is stopped, orders are accepted and the backlog grows; then it drains.

    Slow: a worker stops and starts, and 300 orders go all the way.
    """
    pid = _processes(orderboard)["worker-1"]
    await page.use_soon("worker-1.stop")
    await eventually(lambda: _has_ended(pid), within_s=30)

    await page.use_soon("burst")
    await eventually(lambda: "600 accepted" in page.text("#controls"), within_s=40)
    await eventually(lambda: page.waiting("work") + page.waiting("express") == 300, within_s=20)
    assert "oldest" in page.text('[data-queue="work"]')
    assert "is not running" in page.unavailable("worker-1.kill")
    assert page.text("#reconciliation .verdict") == "Orders on their way"

    await page.use_soon("worker-1.start")
    await eventually(lambda: page.waiting("work") + page.waiting("express") == 0, within_s=60)
    assert _processes(orderboard)["worker-1"] != pid
    await eventually(lambda: "No order was lost" in page.text("#reconciliation .verdict"), within_s=20)
    assert "600 accepted" in page.text("#reconciliation")
    assert "600 completed" in page.text("#reconciliation")


async def test_freeze_and_thaw(page: Page, orderboard: Command) -> None:
    """A frozen worker is shown as frozen; thawed, it runs again."""
    await page.use_soon("worker-1.freeze")
    worker = psutil.Process(_processes(orderboard)["worker-1"])
    await eventually(lambda: worker.status() == psutil.STATUS_STOPPED)
    await eventually(lambda: page.has("svg circle.frozen"), within_s=10)

    await page.use_soon("worker-1.thaw")
    await eventually(lambda: page.has("svg circle.running"), within_s=10)


async def test_a_poisoned_order_is_redriven(page: Page, orderboard: Command) -> None:
    """A poisoned order reaches the DLQ, its timeline says so, and a redrive moves it back, whence it returns."""
    await page.use_soon("poison")
    await eventually(lambda: page.dead("work") == 1, within_s=60)
    await eventually(lambda: "dead-lettered" in page.text("#follow"), within_s=15)
    assert "poison" in page.text("#follow")

    await page.use_soon("work.redrive")
    await eventually(lambda: "Moved 1 message from orderboard-work-dlq" in page.text("#controls"), within_s=30)
    # The diagram may still show the DLQ as it was before the redrive; status asks the queue.
    await eventually(lambda: _dead_letters(orderboard) == 1, within_s=60)
    await eventually(lambda: page.dead("work") == 1, within_s=20)


async def test_a_purge_asks_and_is_counted(page: Page) -> None:
    """Kept, nothing happens; deleted, the dead letter counts as purged, its order is missing; a reset forgets both."""
    await eventually(lambda: "1 in a DLQ" in page.text("#reconciliation"), within_s=15)
    await page.use_soon("work.purge")
    assert page.text("#knobs .question") == "Delete 1 message of work?"
    page.find('[data-confirm="work"]').send_keys(Keys.ESCAPE)
    assert page.dead("work") == 1

    page.use("work.purge")
    page.press('[data-confirm="work"]')
    await eventually(lambda: "1 purged by you" in page.text("#reconciliation"), within_s=20)
    await eventually(lambda: page.dead("work") == 0)
    assert "1 message deleted from orderboard-work-dlq" in page.text("#effect .result")
    assert "purge-queue" in page.text(".command-box")
    assert "No order was lost" in page.text("#reconciliation .verdict")
    page.press("#follow form button.main")
    await eventually(lambda: page.text("#follow .tag") == "missing", within_s=20)
    assert "Purged: every message deleted" in page.text("#follow .timeline")

    page.use("reset-proof")
    await eventually(lambda: page.text("#reconciliation .sum").startswith("0 accepted"), within_s=20)


async def test_deliveries_that_a_missing_policy_stops_are_shown(page: Page, system: dict[str, Any]) -> None:
    """SNS may not send to a queue without a policy; the proof counts what it could not deliver, and says where."""
    sqs, sns = _client(system, "sqs"), _client(system, "sns")
    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = system["environment"]["ORDERBOARD_ORDERS_TOPIC_ARN"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]

    await page.use_soon("normal")

    await eventually(lambda: page.text("#reconciliation .stopped").startswith("1 not delivered"), within_s=20)
    assert "from orderboard-orders to mine: " in page.text("#reconciliation .stopped")
    assert "policy" in page.text("#reconciliation .stopped")
    assert page.attribute("#reconciliation .stopped a", "href") == f"{page.url}/resources#queue=mine"
    sns.unsubscribe(SubscriptionArn=subscription)


async def test_an_order_that_is_shown_is_cancelled(page: Page) -> None:
    """The button asks order-api to cancel the order under Follow; a worker that has made it refuses."""
    await page.use_soon("normal")
    await eventually(lambda: page.text("#follow .tag") == "completed", within_s=20)

    page.use("cancel-order")

    await eventually(lambda: "Cancellation accepted" in page.text("#effect .result"), within_s=10)
    assert "Accepted: " in page.text("#effect .earlier")
    await eventually(lambda: "Cancellation refused: too late" in page.text("#follow .timeline"), within_s=20)


async def test_hostile_text_stays_text(page: Page) -> None:
    """HTML in an order is shown as written, in its timeline and in the queue, and never runs."""
    await page.use_soon("worker-1.freeze")
    page.run("document.querySelector('.order-form').closest('details').open = true")
    page.find("#note").send_keys(HOSTILE)
    page.run("document.getElementById('sku-tea').value = 1")
    page.press(".order-form button.main")
    page.press('[data-queue="work"]')

    def is_queued() -> bool:
        page.press("#peek button.main")
        return "onerror" in page.text("#peek .messages")

    await eventually(is_queued, within_s=20, every_s=0.5)
    assert not page.has("#peek img, #peek script, #follow img")

    await page.use_soon("worker-1.thaw")
    page.press("#tab-follow")
    await eventually(lambda: HOSTILE in page.text("#follow"), within_s=30)
    assert page.driver.title == "Order Board"


async def test_junk_in_a_queue_is_shown_as_it_came(page: Page, system: dict[str, Any]) -> None:
    """Text that is not an event, deeply nested JSON and bidi overrides are shown beside the other messages."""
    sqs = _client(system, "sqs")
    inbox = sqs.get_queue_url(QueueName=system["environment"]["ORDERBOARD_INBOX_QUEUE"])["QueueUrl"]
    sqs.purge_queue(QueueUrl=inbox)  # the bursts' announcements: of a long queue the page shows the first fifty
    for body in (HOSTILE, "[" * 5_000, json.dumps({"type": "\u202etxet", "subject": "\u202eabc"}), "W" * 5_000):
        sqs.send_message(QueueUrl=inbox, MessageBody=body)
    page.run("document.getElementById('peek-queue').value = 'inbox'")
    page.press("#tab-peek")

    def is_shown() -> bool:
        page.press("#peek button.main")
        return HOSTILE in page.text("#peek .messages") and "[" * 5_000 in page.text("#peek .messages")

    await eventually(is_shown, within_s=20, every_s=0.5)
    subject = "document.querySelector('#peek summary strong')"
    assert page.run(f"return getComputedStyle({subject}).unicodeBidi") == "isolate"
    assert not page.has("#peek img, #peek script")
    assert page.overflow() <= 0


def _client(system: dict[str, Any], service: str) -> Any:
    names = system["environment"]
    client: Any = boto3.client  # its types know the services by literal names only
    return client(
        service,
        endpoint_url=system["endpoint_url"],
        region_name=names["AWS_REGION"],
        aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
    )


async def test_routing_is_explained(page: Page) -> None:
    """Every rule and filter policy has an answer for an event, with a reason for each field."""
    page.press("#tab-explain")
    page.press("#explain .chip")

    await eventually(lambda: "orderboard-large-order" in page.text("#explain"), within_s=10)
    text = page.text("#explain")
    assert "detail.data.total_cents is 320; wanted: >= 10000" in text
    verdicts = dict(zip(page.texts("#explain summary strong"), page.texts("#explain summary .tag"), strict=True))
    assert verdicts["orderboard-large-order"] == "no match"
    assert verdicts["orderboard-work"] == "match"
    assert verdicts["orderboard-express"] == "no match"


async def test_the_browser_reports_no_problem(page: Page) -> None:
    """All of the above caused no error or warning in the browser's console, and loaded nothing from elsewhere."""
    assert page.warnings() == []
    loaded = page.run("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in loaded if not each.startswith(page.url)] == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"Origin": "https://example.com"}, 403), ({"Host": "attacker.example"}, 403), ({}, 200)],
    ids=["other origin", "other host name", "own page"],
)
async def test_another_page_cannot_act(http: httpx.AsyncClient, headers: dict[str, str], expected: int) -> None:
    """An action from another origin or by another host name is rejected; the page's own is executed."""
    answer = await http.post("/api/do/purge", json={"queue": "express"}, headers=headers)

    assert answer.status_code == expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("do/cancel", {"order_id": "ada"}, 422),
        ("do/scale", {"count": 0}, 422),
        ("do/queue-settings", {"max_receive_count": 0}, 422),
        ("do/stream", {"per_s": "many"}, 422),
        ("do/worker", {"name": "order-api", "action": "kill"}, 422),
        ("do/redrive", {"queue": "nonesuch"}, 422),
        ("do/place", "deep", 422),
        ("explain", {"event": "[" * 20_000}, 422),
        ("do/nonesuch", {}, 404),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:40],
)
async def test_an_invalid_request_is_rejected(http: httpx.AsyncClient, path: str, body: object, expected: int) -> None:
    """The answer has a message."""
    content = '{"event": ' + "[" * 20_000 if body == "deep" else json.dumps(body)

    answer = await http.post(f"/api/{path}", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == expected, answer.text
    assert answer.json()["message"]


async def test_changes_of_workers_wait_for_each_other(http: httpx.AsyncClient, orderboard: Command) -> None:
    """Three changes at once are all accepted and made: two workers, replaced for a new handling time and timeout.

    Slow: workers start.
    """
    first = _processes(orderboard)["worker-1"]

    answers = await asyncio.gather(
        http.post("/api/do/scale", json={"count": 2}),
        http.post("/api/do/preparation", json={"milliseconds": 50}),
        http.post("/api/do/queue-settings", json={"visibility_timeout_s": 5}),
    )

    assert [each.status_code for each in answers] == [200, 200, 200], [each.text for each in answers]
    workers = {name: pid for name, pid in _processes(orderboard).items() if name.startswith("worker")}
    assert list(workers) == ["worker-1", "worker-2"]
    assert workers["worker-1"] != first
    for pid in workers.values():
        environment = psutil.Process(pid).environ()
        assert environment["ORDERBOARD_PREPARATION_MS"] == "50"
        assert environment["ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S"] == "5"


@pytest.mark.parametrize(
    ("action", "body", "command"),
    [
        ("mapping", {"enabled": False}, "--no-enabled"),
        ("mapping", {"enabled": True}, "--enabled"),
        ("replay", {}, "start-replay"),
    ],
    ids=["pause", "resume", "replay"],
)
async def test_notifier_and_archive(http: httpx.AsyncClient, action: str, body: dict[str, Any], command: str) -> None:
    """The mapping is paused and resumed, the archive replayed; each answer has the command to copy."""
    answer = await http.post(f"/api/do/{action}", json=body)

    assert command in answer.json()["command"]


async def test_killed_processes_come_back(http: httpx.AsyncClient, orderboard: Command) -> None:
    """order-api on its port, the backend by itself; orders are accepted again. Slow: both start."""
    first = _processes(orderboard)

    for action in ("kill-api", "kill-backend"):
        answer = await http.post(f"/api/do/{action}", json={})
        assert answer.status_code == 200, answer.text
        assert answer.json()["command"].startswith("kill -KILL ")

    then = _processes(orderboard)
    assert then["order-api"] != first["order-api"]
    assert [name for name in then if then[name] != first[name]] == ["order-api"]  # it is the backend's first process

    def accepted() -> bool:
        headers, body = {"Origin": str(http.base_url).rstrip("/")}, {"kind": "normal"}
        return httpx.post(http.base_url.join("/api/do/place"), json=body, headers=headers, trust_env=False).is_success

    await eventually(accepted, within_s=30)


def test_down_ends_the_console_and_its_workers(orderboard: Command, system: dict[str, Any]) -> None:
    """`down` ends the console and the workers that it started."""
    processes = _processes(orderboard)

    orderboard.run("down")

    assert [name for name, pid in processes.items() if not _has_ended(pid)] == []


def _has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_page_is_self_contained() -> None:
    """Nothing of the page comes from elsewhere, and it has no inline script or style."""
    from orderboard.console.routes import STATIC  # noqa: PLC0415 - slow, and only here

    html = (STATIC / "index.html").read_text()

    assert "style=" not in html
    assert "<style" not in html
    for path in sorted(each for each in Path(STATIC).rglob("*.*") if each.is_file()):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        for forbidden in ("http://", "https://", "innerHTML"):
            assert forbidden not in text, path
