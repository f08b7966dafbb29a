"""`orderboard journal` on a localbus alone, and its reader."""

import json
from contextlib import closing

import pytest
from localbus.pytest_plugin import Localbus
from orderboard.errors import RigError
from orderboard.orders import journal_reader
from orderboard.orders.journal_reader import JournalReader, follow_entries
from orderboard.system.localbus import JournalEntry
from orderboard.system.localbus import Localbus as Engine
from support.localbus import new_queue
from unit.rig.resources.commands import run, run_json


def _published(localbus: Localbus) -> tuple[str, str]:
    """Publish to a topic with a queue; return the ids of the message in both."""
    queue, sns = new_queue(localbus, "mine"), localbus.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    published = sns.publish(TopicArn=topic, Message="hello")["MessageId"]
    (message,) = queue.receive()
    return published, message["MessageId"]


def test_a_message_is_followed_through_what_it_became(localbus: Localbus) -> None:
    """From the topic to the queue, where it has another id, to its end; in order, each step in words."""
    published, received = _published(localbus)

    entries = run_json(localbus, "journal", published)["entries"]

    assert [each["event"] for each in entries] == ["published", "delivered", "received", "deleted"]
    assert {each["message_id"] for each in entries} == {published, received}
    assert entries[0]["title"] == "Published to news"
    assert [each["who"] for each in entries][2:] == ["SQS mine", "SQS mine"]
    in_queue = run_json(localbus, "journal", received)["entries"]
    assert [each["event"] for each in in_queue] == ["sent", "received", "deleted"]


def test_a_message_that_did_not_arrive_has_a_reason_and_a_fix(localbus: Localbus) -> None:
    """A queue without a policy gets nothing from a topic; the fix is a command. One that was purged is said to be."""
    queue, sns = new_queue(localbus, "mine", open_to=None), localbus.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    published = sns.publish(TopicArn=topic, Message="hello")["MessageId"]

    (ending,) = run_json(localbus, "journal", published)["arrival"]["endings"]
    assert ending["verdict"] == "stopped"
    assert "policy does not allow" in ending["why"]
    assert "set-queue-attributes" in ending["command"]
    shown = run(localbus, "journal", published).stdout
    assert f" {ending['why']}\n   {ending['fix']}\n   {ending['command']}\n" in shown

    sent = queue.sqs.send_message(QueueUrl=queue.url, MessageBody="one")["MessageId"]
    queue.sqs.purge_queue(QueueUrl=queue.url)
    assert "purge" in run(localbus, "journal", sent).stdout.lower()


def test_a_queue_has_its_own_journal(localbus: Localbus) -> None:
    """Other queues are left out, also one whose name ends alike; the last entries are shown."""
    for name in ("mine", "not-mine"):
        queue = new_queue(localbus, name)
        for body in ("one", "two"):
            queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body)

    assert len(run_json(localbus, "journal", "--queue", "mine")["entries"]) == 2
    assert len(run_json(localbus, "journal")["entries"]) == 4
    assert [each["number"] for each in run_json(localbus, "journal", "--last", "1")["entries"]] == [4]
    shown = run(localbus, "journal", "--queue", "mine").stdout.splitlines()
    assert ["Arrived in mine" in line for line in shown] == [True, True]


def test_a_queue_that_is_gone_still_has_its_journal(localbus: Localbus) -> None:
    """A queue that never was is an error with the near names."""
    queue = new_queue(localbus, "mine")
    new_queue(localbus, "nine")
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="one")
    queue.sqs.delete_queue(QueueUrl=queue.url)

    assert len(run_json(localbus, "journal", "--queue", "mine")["entries"]) == 1
    assert "The journal has nothing of nine." in run(localbus, "journal", "--queue", "nine").stdout
    unknown = run(localbus, "journal", "--queue", "nime")
    assert (unknown.exit_code, "Unknown queue 'nime'. Did you mean nine?" in unknown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (
            ["00000000-0000-4000-8000-000000000000"],
            1,
            "The journal has nothing of 00000000-0000-4000-8000-",
        ),
        (["9b2d1f0e"], 2, "'9b2d1f0e' is not the id of a message: expected 36 characters."),
        (["9b2d1f0e", "--queue", "mine"], 2, "Give an id or --queue, not both."),
        (["--last", "0"], 2, "--last 0: expected a whole number from 1."),
    ],
)
def test_what_has_no_journal_is_an_error(localbus: Localbus, arguments: list[str], code: int, error: str) -> None:
    """The exit code tells an id that is not one from one that nothing has."""
    done = run(localbus, "journal", *arguments)

    assert (done.exit_code, done.stdout) == (code, "")
    assert error in done.stderr


def test_new_entries_follow_the_last_ones(localbus: Localbus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, however often the journal is read, and only from the end that was asked for."""
    monkeypatch.setattr(journal_reader, "_POLL_S", 0)
    queue = new_queue(localbus, "mine")
    for body in ("one", "two", "three"):
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    with closing(Engine(localbus.url)) as engine:
        entries = follow_entries(JournalReader(engine).all(2, queue.arn))

        assert [next(entries).number for _ in range(2)] == [2, 3]
        queue.bodies()
        assert [next(entries).event for _ in range(6)] == ["received"] * 3 + ["deleted"] * 3


def test_an_engine_that_is_started_again_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is away the reader waits, and then goes on with the new journal, whose numbers begin at 1."""
    monkeypatch.setattr(journal_reader, "_POLL_S", 0)

    class Restarting:
        """Has 50 entries, then does not answer, then has 2."""

        def __init__(self) -> None:
            self.journals: list[list[int] | None] = [list(range(1, 51)), None, None, [1, 2]]

        def entries(self, *, last: int | None = None, resource: str = "", after: int = 0) -> list[JournalEntry]:
            """Return those of the current journal."""
            del resource
            numbers = self.journals.pop(0) if len(self.journals) > 1 else self.journals[0]
            if numbers is None:
                raise RigError("localbus did not answer")
            found = [number for number in numbers if number > after][-(last or 0) :]
            return [JournalEntry(number, float(number), "sent", "arn") for number in found]

    entries = follow_entries(JournalReader(Restarting()).all(3))  # type: ignore[arg-type]

    assert [next(entries).number for _ in range(5)] == [48, 49, 50, 1, 2]


def test_an_engine_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader does not wait for ever."""
    monkeypatch.setattr(journal_reader, "_POLL_S", 0)
    monkeypatch.setattr(journal_reader, "_RESTARTS_WITHIN_S", 0.05)

    def read() -> list[JournalEntry]:
        raise RigError("localbus did not answer")

    with pytest.raises(RigError, match="did not answer"):
        next(follow_entries(read))


def test_other_backends_have_no_journal(localbus: Localbus, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so, with exit code 1."""
    monkeypatch.setattr("orderboard.system.localbus.find", lambda _: None)

    done = run(localbus, "journal")

    assert (done.exit_code, done.stderr) == (1, "orderboard: Only localbus keeps a journal; the backend is embedded.\n")


def test_one_entry_a_line_is_json_too(localbus: Localbus, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --follow and --json every line is a document; it ends by Ctrl-C, here after what there is."""
    _published(localbus)
    monkeypatch.setattr("orderboard.orders.journal_reader.follow_entries", lambda read: iter(read()))

    lines = run(localbus, "journal", "--follow", "--json").stdout.splitlines()

    assert [json.loads(line)["event"] for line in lines] == ["published", "sent", "delivered", "received", "deleted"]
