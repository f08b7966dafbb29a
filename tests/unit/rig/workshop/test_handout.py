"""The handout: one page with everything, and nothing for attendees that is for the trainer."""

from html.parser import HTMLParser

from orderboard.workshop.catalogue import everything
from orderboard.workshop.handout import handout
from orderboard.workshop.html import to_html
from orderboard.workshop.quiz import questions
from orderboard.workshop.readme import FOR_TRAINERS


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in ("src", "srcset") or tag == "link"]


def test_attendees_get_every_exercise_and_question_without_solutions() -> None:
    """The page has each title and question; wrong answers, hints and solutions are the trainer's."""
    page = handout(everything(), questions())

    for each in everything():
        assert f'id="exercise-{each.number}"' in page
        assert to_html(each.readme.sections["Goal"]) in page
        assert to_html(each.solution) not in page
        assert to_html(each.exercise.hints[2]) not in page
    assert FOR_TRAINERS not in page
    assert page.count('class="question"') == 15


def test_the_trainers_page_has_hints_solutions_and_answers() -> None:
    """Everything that the checks expect can be read in advance."""
    page = handout(everything(), questions(), for_trainers=True)

    for each in everything():
        assert to_html(each.readme.sections[FOR_TRAINERS]) in page
        assert to_html(each.solution) in page
        assert all(to_html(hint) in page for hint in each.exercise.hints)
    assert all(f"Proof: {each.proof}" in page for each in questions())


def test_the_page_loads_nothing() -> None:
    """No image, script or style from elsewhere: it prints without a network."""
    links = _Links()
    links.feed(handout(everything(), questions(), for_trainers=True))

    assert links.loaded == []


def test_markup_in_a_text_is_shown_as_text() -> None:
    """Markdown may hold code in angle brackets; it must not become a part of the page."""
    assert to_html("a <b>bold</b> `<i>`") == "<p>a &lt;b&gt;bold&lt;/b&gt; <code>&lt;i&gt;</code></p>\n"
