"""report.html: it embeds everything, and hostile texts cannot break out of it."""

import json
import re
from typing import Any

import pytest
from orderboard.burst.model import Expectation, FaultMark, Finding, Summary, TimelineRow
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.report.html import embedded_json, render
from unit.rig.burst.page_elements import HOSTILE, Elements
from unit.rig.burst.summaries import ROW, SUMMARY


def a_run(text: str = "usual", *, measured: float = 3.0) -> BurstFiles:
    """A run whose texts are all this one."""
    changes: dict[str, Any] = {
        "settings": SUMMARY.settings.model_copy(
            update={"command": f"orderboard burst --from {text}", "profile": text, "mix": text, "faults": (text,)}
        ),
        "verdict": SUMMARY.verdict.model_copy(
            update={"endings": {text: {"lost": 1}}, "findings": (Finding(verdict="lost", type="Lost", text=text),)}
        ),
        "faults": (FaultMark(at_s=0.5, text=text),),
        "cost": SUMMARY.cost.model_copy(update={"prices_source": text}),
        "machine": SUMMARY.machine.model_copy(update={"system": text, "processor": text, "versions": {text: text}}),
        "expectations": (Expectation(text=text, measured=measured, met=False),),
    }
    return BurstFiles(SUMMARY.model_copy(update=changes), (ROW,))


def test_hostile_text_makes_no_element() -> None:
    """The page has the same elements whatever an order, a fault or a setting contains."""
    harmless, hostile = Elements(render(a_run())), Elements(render(a_run(HOSTILE)))

    assert hostile.elements[0][0] == "html"
    assert [name for name, _ in hostile.elements] == [name for name, _ in harmless.elements]
    assert len(hostile.scripts) == 3


def test_the_page_holds_the_whole_run() -> None:
    """The embedded JSON is the summary and the timeline, by column, to the last character."""
    run = a_run(HOSTILE)

    document = json.loads(Elements(render(run)).scripts[0])

    assert Summary.model_validate(document["summary"]) == run.summary
    assert document["timeline"]["accepted"] == [1]
    assert document["timeline"].keys() == TimelineRow.model_fields.keys()


def test_a_number_that_json_lacks_is_null() -> None:
    """An infinite measurement still gives JSON that parses."""
    document = json.loads(Elements(render(a_run(measured=float("inf")))).scripts[0])

    assert document["summary"]["expectations"][0]["measured"] is None


def test_the_page_loads_nothing() -> None:
    """No element has an address, and the policy forbids everything outside the page."""
    page = render(a_run())

    for _, attributes in Elements(page).elements:
        assert not attributes.keys() & {"src", "href", "srcset", "action"}
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", page)


def test_the_policy_lists_every_script_and_style() -> None:
    """Two scripts and two styles, by their hashes; unsafe-inline is absent."""
    page = render(a_run())

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)

    assert policy is not None
    assert len(set(re.findall(r"'sha256-[\w+/=]+'", policy[1]))) == 4
    assert "unsafe" not in policy[1]


@pytest.mark.parametrize("text", ["</script>", "<!--", "&lt;", "\u2028", "\U0001f600", 'a"b\\c'])
def test_embedded_json_is_json_without_markup(text: str) -> None:
    """It parses to the same text, and has no character that is special in HTML."""
    embedded = embedded_json({"text": text})

    assert json.loads(embedded) == {"text": text}
    assert not set(embedded) & set("<>&\u2028\u2029")


def test_the_report_carries_the_license_of_uplot() -> None:
    """uPlot's licence requires its notice in every copy."""
    assert "Copyright (c) 2022 Leon Sorokin" in render(a_run())
