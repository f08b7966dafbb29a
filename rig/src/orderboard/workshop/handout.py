"""The handout: all exercises and the quiz as one HTML page to print, which loads nothing."""

import html
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Final

from orderboard.workshop.catalogue import Entry
from orderboard.workshop.html import to_html
from orderboard.workshop.quiz import Question
from orderboard.workshop.readme import FOR_TRAINERS, SECTIONS

_LETTERS: Final = "abcd"
_INTRO: Final = """
A cashier (order-api) posts orders on a board (queues), a barista (worker) makes them, an announcer (notifier) calls
them out. Nobody waits for anybody: that is what you are going to see, to break, and to prove.

```sh
orderboard workshop start     # starts the system and opens the first exercise
orderboard workshop check     # solved, or what is not yet right, and why
orderboard workshop hint      # three hints, each says more
orderboard workshop solution  # shows it; --apply does it
orderboard workshop open 5    # another exercise
```

The console, a page in your browser, has the same under *Workshop*. `orderboard status` says what runs, and its address.
"""


def handout(entries: Sequence[Entry], questions: Sequence[Question], *, for_trainers: bool = False) -> str:
    """Return the page. for_trainers: with the usual wrong answers, the hints, the solutions and the quiz's answers."""
    title = "Order Board: the workshop" + (", for the trainer" if for_trainers else "")
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        to_html(_INTRO),
        _contents(entries),
        *(_exercise(each, for_trainers=for_trainers) for each in entries),
        _quiz(questions, for_trainers=for_trainers),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(title)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _style() -> str:
    return files("orderboard.workshop").joinpath("handout.css").read_text()


def _contents(entries: Sequence[Entry]) -> str:
    rows = (
        f'<tr><td><span class="box"></span></td><td class="number">{each.number}</td>'
        f'<td><a href="#exercise-{each.number}">{html.escape(each.readme.title)}</a></td>'
        f'<td class="number">{each.readme.minutes} min</td></tr>'
        for each in entries
    )
    minutes = sum(each.readme.minutes for each in entries)
    total = f'<tr><td></td><td></td><td>in all</td><td class="number">{minutes} min</td></tr>'
    return f"<table>{''.join(rows)}{total}</table>"


def _exercise(entry: Entry, *, for_trainers: bool) -> str:
    parts = [
        f'<section id="exercise-{entry.number}"><h2>{html.escape(str(entry))}</h2>',
        f'<p class="minutes">{entry.readme.minutes} minutes</p>',
        *(
            f"<h3>{name}</h3>{to_html(entry.readme.sections[name])}"
            for name in SECTIONS
            if for_trainers or name != FOR_TRAINERS
        ),
        *(_for_trainer(entry) if for_trainers else ("<h3>Notes</h3>", '<div class="notes"></div>' * 3)),
        "</section>",
    ]
    return "\n".join(parts)


def _for_trainer(entry: Entry) -> Iterator[str]:
    yield "<h3>Hints</h3><ol>"
    yield from (f"<li>{to_html(each)}</li>" for each in entry.exercise.hints)
    yield f"</ol><h3>Solution</h3><aside>{to_html(entry.solution)}"
    for name in entry.exercise.files:
        text = (entry.folder / "solution" / name).read_text()
        yield f"<p><code>{html.escape(name)}</code></p><pre><code>{html.escape(text)}</code></pre>"
    yield "</aside>"


def _quiz(questions: Sequence[Question], *, for_trainers: bool) -> str:
    parts = [
        "<section><h2>Quiz</h2>",
        to_html("`orderboard workshop quiz` and the console's page *Workshop* ask the same, and explain each answer."),
    ]
    for number, each in enumerate(questions, start=1):
        answers = "".join(f"<li>{html.escape(answer)}</li>" for answer in each.answers)
        parts.append(f'<div class="question"><p>{number}. {html.escape(each.text)}</p><ol>{answers}</ol>')
        if for_trainers:
            right = f"{_LETTERS[each.right - 1]}. {each.why} Proof: {each.proof}"
            parts.append(f"<aside>{html.escape(right)}</aside>")
        parts.append("</div>")
    return "\n".join([*parts, "</section>"])
