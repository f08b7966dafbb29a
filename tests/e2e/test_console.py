"""The console in a browser, on a system that runs: what it shows moves, what is pressed happens, nobody else may."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from e2e.browser import Page, browser, missing
from e2e.command import Command
from orderboard.system.process import answers
from orderboard.system.services import free_port
from support import eventually

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"

_STARTS_WITHIN_S = 60  # Python, on a machine as busy as it is


@pytest.fixture(scope="module")
def page(system: dict[str, Any]) -> Iterator[Page]:
    """The page in Chromium, for all tests of this file, in the order of a workshop."""
    if (lack := missing()) is not None:
        pytest.skip(lack)
    with browser(system["console_url"]) as opened:
        yield opened


@pytest.fixture
async def http(system: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Requests to the console from outside its page."""
    async with httpx.AsyncClient(base_url=system["console_url"], trust_env=False, timeout=30) as client:
        yield client


def _worker(orderboard: Command) -> int:
    state = json.loads((orderboard.state_dir / "state.json").read_text())
    return next(int(each["pid"]) for each in state["processes"] if each["name"] == "worker-1")


def _dead_letters(orderboard: Command) -> int:
    status = orderboard.run("status", "--json")
    assert status.returncode == 0, status.stderr
    return int(json.loads(status.stdout)["queues"]["orderboard-work-dlq"]["visible"])


async def test_the_page_comes_alive(page: Page) -> None:
    """The board shows numbers within seconds: nothing waits, one worker runs."""
    await eventually(lambda: page.text("#live") == "live", within_s=20)
    await eventually(lambda: page.text("#diagram .worker") == "worker-1", within_s=10)

    assert page.waiting("work") == 0
    assert "the page" not in page.text("#trouble")


async def test_numbers_move_in_a_burst(page: Page) -> None:
    """A burst is accepted, flows over the edges, and is recorded."""
    await page.turn("burst")

    await eventually(lambda: "300 accepted" in page.text("#knobs"), within_s=40)
    await eventually(lambda: "300 recorded" in page.text("#diagram"), within_s=60)
    assert any(page.driver.execute_script("return document.querySelector('.spark-line').getAttribute('d')"))


async def test_an_outage_is_swallowed(page: Page, orderboard: Command) -> None:
    """With the worker stopped orders are accepted and the backlog grows; started again, it drains."""
    pid = _worker(orderboard)
    await page.turn("worker-1.stop")
    await eventually(lambda: not psutil.pid_exists(pid) or _is_over(pid), within_s=30)

    await page.turn("burst")
    await eventually(lambda: "600 accepted" in page.text("#knobs"), within_s=40)
    await eventually(lambda: page.waiting("work") + page.waiting("express") == 300, within_s=20)
    assert "oldest" in page.text('[data-queue="work"]')
    assert "does not run" in page.greyed("worker-1.kill")
    assert page.text("#proof .verdict") == "Orders on their way"

    await page.turn("worker-1.start")
    await eventually(lambda: page.waiting("work") + page.waiting("express") == 0, within_s=60)
    assert _worker(orderboard) != pid
    await eventually(lambda: "Nothing was lost" in page.text("#proof .verdict"), within_s=20)
    assert "600 accepted" in page.text("#proof")
    assert "600 completed" in page.text("#proof")


async def test_freeze_and_thaw(page: Page, orderboard: Command) -> None:
    """A frozen worker is shown as frozen; thawed, it runs again."""
    await page.turn("worker-1.freeze")
    await eventually(lambda: psutil.Process(_worker(orderboard)).status() == psutil.STATUS_STOPPED)
    await eventually(lambda: page.driver.find_elements("css selector", "svg circle.frozen"), within_s=10)

    await page.turn("worker-1.thaw")
    await eventually(lambda: page.driver.find_elements("css selector", "svg circle.running"), within_s=10)


async def test_a_poisoned_order_is_redriven(page: Page, orderboard: Command) -> None:
    """A poisoned order reaches the DLQ, its story says so, and the page moves it back, from where it returns."""
    await page.turn("poisoned")
    await eventually(lambda: page.dead("work") == 1, within_s=60)
    await eventually(lambda: "dead-lettered" in page.text("#follow"), within_s=15)
    assert "poison" in page.text("#follow")

    await page.turn("work.redrive")
    await eventually(lambda: "1 moved from orderboard-work-dlq" in page.text("#knobs"), within_s=30)
    # The board may still show the letter as it lay before it was moved; status asks the queue.
    await eventually(lambda: _dead_letters(orderboard) == 1, within_s=60)
    await eventually(lambda: page.dead("work") == 1, within_s=20)


async def test_what_is_purged_is_missing(page: Page) -> None:
    """A dead letter counts as resting; thrown away it is gone, and the proof does not hide that."""
    await eventually(lambda: "1 in a DLQ" in page.text("#proof"), within_s=15)
    assert "Nothing was lost" in page.text("#proof")

    await page.turn("work.purge")
    await eventually(lambda: page.dead("work") == 0, within_s=20)

    assert "purge-queue" in page.text(".call")
    await eventually(lambda: "1 missing" in page.text("#proof"), within_s=30)
    assert page.text("#proof .verdict") == "Orders are missing"


async def test_hostile_text_stays_text(page: Page) -> None:
    """What an order says is shown as it was written, in its story and in the queue, and nothing of it runs."""
    await page.turn("worker-1.freeze")
    page.driver.execute_script("document.querySelector('#knobs details').open = true")
    page.find("#note").send_keys(HOSTILE)
    page.driver.execute_script("document.getElementById('sku-tea').value = 1")
    page.press(".order-form button.main")
    page.press('[data-queue="work"]')

    def lies_there() -> bool:
        page.press("#peek button.main")
        return "onerror" in page.text("#peek .messages")

    await eventually(lies_there, within_s=20, every_s=0.5)
    assert page.driver.find_elements("css selector", "#peek img, #peek script, #follow img") == []

    await page.turn("worker-1.thaw")
    page.press("#tab-follow")
    await eventually(lambda: HOSTILE in page.text("#follow"), within_s=30)
    assert page.driver.title == "Order Board"


async def test_junk_in_a_queue_is_shown_as_it_came(page: Page, system: dict[str, Any]) -> None:
    """What is no event, nested without end, or turned round by a bidi override, can be looked at beside the others."""
    named = system["environment"]
    sqs = boto3.client(
        "sqs",
        endpoint_url=system["endpoint_url"],
        region_name=named["AWS_REGION"],
        aws_access_key_id=named["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=named["AWS_SECRET_ACCESS_KEY"],
    )
    inbox = sqs.get_queue_url(QueueName=named["ORDERBOARD_INBOX_QUEUE"])["QueueUrl"]
    sqs.purge_queue(QueueUrl=inbox)  # the bursts' announcements: of a long queue the page shows the first fifty
    for body in (HOSTILE, "[" * 5_000, json.dumps({"type": "\u202etxet", "subject": "\u202eabc"}), "W" * 5_000):
        sqs.send_message(QueueUrl=inbox, MessageBody=body)
    page.driver.execute_script("document.getElementById('peek-queue').value = 'inbox'")
    page.press("#tab-peek")

    def shown() -> bool:
        page.press("#peek button.main")
        return HOSTILE in page.text("#peek .messages") and "[" * 5_000 in page.text("#peek .messages")

    await eventually(shown, within_s=20, every_s=0.5)
    turned = "getComputedStyle(document.querySelector('#peek summary strong')).unicodeBidi"
    assert page.driver.execute_script(f"return {turned}") == "isolate"
    assert page.driver.find_elements("css selector", "#peek img, #peek script") == []
    assert page.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth") <= 0


async def test_why_it_did_not_match(page: Page) -> None:
    """An event is explained against every rule and policy, and the backend agrees with each answer."""
    page.press("#tab-match")
    page.press("#match .chip")

    await eventually(lambda: "orderboard-large-order" in page.text("#match"), within_s=10)
    told = page.text("#match")
    assert "detail.data.total_cents is 320; wanted: >= 10000" in told
    assert told.count("the backend agrees") == 4
    assert "OTHERWISE" not in told


async def test_a_phone_shows_the_numbers(page: Page) -> None:
    """On a phone the board is a table that fits the screen."""
    override = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", override)

    await eventually(lambda: page.find("#glance").is_displayed(), within_s=5)
    wide = page.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 0


async def test_the_browser_had_nothing_to_complain_of(page: Page) -> None:
    """No error and no warning in the browser's console in all of this; nothing was loaded from elsewhere."""
    assert page.complaints() == []
    loaded = page.driver.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert [each for each in loaded if not each.startswith(page.url)] == []


async def test_a_foreign_page_presses_nothing(http: httpx.AsyncClient, system: dict[str, Any]) -> None:
    """An action from another origin, or by another host name, is refused; from the page's own it is done."""
    headers = {"Origin": "https://example.com"}
    own = {"Origin": system["console_url"]}

    assert (await http.post("/api/do/purge", json={"queue": "express"}, headers=headers)).status_code == 403
    assert (await http.post("/api/do/purge", json={"queue": "express"})).status_code == 403
    assert (await http.get("/", headers={"Host": "attacker.example"})).status_code == 403
    assert (await http.post("/api/do/purge", json={"queue": "express"}, headers=own)).status_code == 200


async def test_wrong_actions_are_told_so(http: httpx.AsyncClient, system: dict[str, Any]) -> None:
    """What makes no sense is answered with what would, and harms nothing."""
    own = {"Origin": system["console_url"]}
    for action, body in [
        ("place", {"kind": "nonesuch"}),
        ("stream", {"per_s": "many"}),
        ("stream", {"per_s": 1e9}),
        ("worker", {"name": "worker-1", "action": "obliterate"}),
        ("worker", {"name": "order-api", "action": "kill"}),
        ("redrive", {"queue": "nonesuch"}),
        ("purge", {"queue": "work", "x": 1} | {"queue": 7}),
    ]:
        answer = await http.post(f"/api/do/{action}", json=body, headers=own)
        assert answer.status_code == 422, (action, answer.text)
        assert answer.json()["said"]
    deep = '{"event": ' + "[" * 20_000
    for path in ("/api/do/place", "/api/match"):
        answer = await http.post(path, content=deep, headers={**own, "Content-Type": "application/json"})
        assert answer.status_code == 422, (path, answer.text)
    assert (await http.post("/api/do/nonesuch", json={}, headers=own)).status_code == 404


async def test_workers_come_and_are_replaced(
    http: httpx.AsyncClient, system: dict[str, Any], orderboard: Command
) -> None:
    """One more worker runs and is known to `down`; a preparation time replaces those that run."""
    own = {"Origin": system["console_url"]}
    first = _worker(orderboard)

    assert (await http.post("/api/do/add-worker", json={}, headers=own)).status_code == 200
    assert (await http.post("/api/do/preparation", json={"milliseconds": 50}, headers=own)).status_code == 200

    state = json.loads((orderboard.state_dir / "state.json").read_text())
    assert [each["name"] for each in state["processes"] if each["name"].startswith("worker")] == [
        "worker-1",
        "worker-2",
    ]
    assert _worker(orderboard) != first


async def test_the_notifier_pauses_and_the_archive_replays(http: httpx.AsyncClient, system: dict[str, Any]) -> None:
    """The mapping is paused and let go on; the archive is replayed; each answer has the command to copy."""
    own = {"Origin": system["console_url"]}

    paused = await http.post("/api/do/mapping", json={"enabled": False}, headers=own)
    going = await http.post("/api/do/mapping", json={"enabled": True}, headers=own)
    replayed = await http.post("/api/do/replay", json={}, headers=own)

    assert "--no-enabled" in paused.json()["command"]
    assert "--enabled" in going.json()["command"]
    assert "start-replay" in replayed.json()["command"]


async def test_a_system_that_others_started(orderboard: Command, system: dict[str, Any]) -> None:
    """A console on a named backend shows its queues; what it did not start is unknown, and cannot be turned."""
    port = free_port()
    console = orderboard.start("console", "--endpoint-url", system["endpoint_url"], "--port", str(port))
    try:
        url = f"http://127.0.0.1:{port}"
        await eventually(lambda: answers(f"{url}/healthz"), within_s=_STARTS_WITHIN_S)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http, http.stream("GET", "/api/events") as seen:
            board = await anext(
                json.loads(line.removeprefix("data: ")) async for line in seen.aiter_lines() if '"queues"' in line
            )
    finally:
        console.terminate()
        console.communicate(timeout=15)

    assert board["queues"]["work"]["waiting"] is not None
    assert board["workers"] is None
    assert "not started on this machine" in board["knobs"]["worker.add"]["reason"]
    for name in ("poisoned", "normal", "burst", "stream"):
        assert "not known here" in board["knobs"][name]["reason"]


def test_down_ends_the_console_and_its_workers(orderboard: Command, system: dict[str, Any]) -> None:
    """`down` ends the console, and what the console started."""
    state = json.loads((orderboard.state_dir / "state.json").read_text())

    orderboard.run("down")

    assert [each["name"] for each in state["processes"] if not _is_over(each["pid"])] == []


def _is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_page_ships_whole() -> None:
    """Nothing of the page comes from elsewhere, and it has no script or style in it."""
    from orderboard.console.routes import STATIC  # noqa: PLC0415 - slow, and only here

    html = (STATIC / "index.html").read_text()

    assert "style=" not in html
    assert "<style" not in html
    for path in sorted(Path(STATIC).iterdir()):
        said = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in said, path
        assert "https://" not in said, path
        assert "innerHTML" not in said, path
