"""`orderboard workshop`: exercises on the running system, whose checks read what happened there."""

from typing import Final

from orderboard.cli.workshop import exercises, quiz, wall

COMMANDS: Final = (
    (
        "start",
        exercises.start,
        ("orderboard workshop start", "orderboard workshop start --name Ada --wall http://192.0.2.1:8090/#TOKEN"),
    ),
    ("list", exercises.list_exercises, ("orderboard workshop list",)),
    ("open", exercises.open_exercise, ("orderboard workshop open 3", "orderboard workshop open the-outage")),
    ("check", exercises.check, ("orderboard workshop check", "orderboard workshop check --json")),
    ("deploy", exercises.deploy, ("orderboard workshop deploy",)),
    ("hint", exercises.hint, ("orderboard workshop hint", "orderboard workshop hint --level 3")),
    ("solution", exercises.solution, ("orderboard workshop solution", "orderboard workshop solution --apply")),
    ("skip", exercises.skip, ("orderboard workshop skip",)),
    ("reset", exercises.reset, ("orderboard workshop reset 5", "orderboard workshop reset --all")),
    ("status", exercises.status, ("orderboard workshop status",)),
    ("quiz", quiz.quiz, quiz.EXAMPLES),
    (
        "handout",
        exercises.handout,
        ("orderboard workshop handout", "orderboard workshop handout --trainer --out trainer.html"),
    ),
    ("wall", wall.wall, wall.WALL_EXAMPLES),
    ("join", wall.join, wall.JOIN_EXAMPLES),
    ("leave", wall.leave, wall.LEAVE_EXAMPLES),
)
