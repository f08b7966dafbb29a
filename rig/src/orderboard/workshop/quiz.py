"""The quiz at the end of the workshop: questions, answers, and the experiment of the lab that proves each."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orderboard.errors import RigError, UsageError
from orderboard.system.workspace import find_workspace


class Question(BaseModel):
    """A question. right: the number of the right answer, from 1. proof: the name of an experiment of the lab."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    answers: tuple[str, ...] = Field(min_length=2, max_length=4)
    right: int = Field(ge=1)
    why: str
    proof: str

    @model_validator(mode="after")
    def _has_the_right_answer(self) -> "Question":
        if self.right > len(self.answers):
            raise ValueError(f"right is {self.right}, and there are {len(self.answers)} answers")
        return self


@dataclass(frozen=True)
class Answered:
    """An answer that was given. choice: its number, from 1."""

    question: Question
    choice: int

    @property
    def right(self) -> bool:
        """True if it is the right one."""
        return self.choice == self.question.right


@cache
def questions() -> tuple[Question, ...]:
    """Return all questions; raise RigError if the file is damaged."""
    path = find_workspace().root / "workshop" / "quiz.toml"
    try:
        return tuple(Question.model_validate(each) for each in tomllib.loads(path.read_text())["question"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValidationError) as exc:
        raise RigError(f"{path} cannot be read: {exc}") from exc


def question(number: int) -> Question:
    """Return the question with this number, from 1; raise UsageError if there is none."""
    if not 1 <= number <= len(questions()):
        raise UsageError(f"Question {number}: expected 1 to {len(questions())}.")
    return questions()[number - 1]


@dataclass(frozen=True)
class Score:
    """The result of the answers given so far, of all questions."""

    right: int
    answered: int
    of: int

    def __str__(self) -> str:
        rest = "" if self.answered == self.of else f" so far; {self.of} questions in all"
        return f"{self.right} of {self.answered} right{rest}."


def score(answers: Mapping[int, int]) -> Score:
    """Return the result of these answers, by question."""
    given = [(each, answers[number]) for number, each in enumerate(questions(), start=1) if number in answers]
    return Score(sum(choice == each.right for each, choice in given), len(given), len(questions()))


def answered(question: Question, typed: str) -> Answered:
    """Return the answer for what was typed, a letter or a number; raise UsageError if it names none."""
    letters = "abcd"[: len(question.answers)]
    text = typed.strip().lower()
    choice = letters.find(text) + 1 if len(text) == 1 and text.isalpha() else int(text) if text.isdecimal() else 0
    if not 1 <= choice <= len(question.answers):
        raise UsageError(f"{typed.strip()!r} is not an answer: expected {', '.join(letters[:-1])} or {letters[-1]}.")
    return Answered(question, choice)
