"""An experiment as a Python program with boto3, which a person can keep, run alone and change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from orderboard.lab.catalogue import Entry
from orderboard.lab.program import Program
from orderboard.lab.programs.boto3_helpers import HELPERS, RESERVED, Helper, text_of, with_needed
from orderboard.lab.programs.boto3_story import Story
from orderboard.lab.programs.introduction import introduction
from orderboard.lab.programs.names import names_of
from orderboard.lab.programs.python_text import WIDTH
from orderboard.lab.steps import Start


def boto3_program(entry: Entry) -> str:
    """Return the text of a program that takes the steps of an experiment; if it is a program already, that."""
    experiment = entry.experiment
    if isinstance(experiment, Program):
        return experiment.path.read_text(encoding="utf-8")
    story = Story(names_of(experiment, {*HELPERS, *RESERVED}))
    story.begin(in_background=any(isinstance(each, Start) for each in experiment.all_steps()))
    story.steps(experiment.steps)
    helpers = with_needed(story.helpers | ({"clean_up"} if "at_end" in story.helpers else set()))
    codes = [f'{name} = """\\\n{_inner(code.strip())}\n"""' for code, name in story.codes.items()]
    head = [_docstring(entry), _imports(story.imports, helpers), "\n".join([*_constants(helpers), *codes])]
    functions = ["\n".join(_experiment(story)), *(text_of(each, story.rules) for each in helpers)]
    main = "\n".join(_main(story))
    return "\n\n\n".join(["\n\n".join(head), *functions, main]) + "\n"


def _docstring(entry: Entry) -> str:
    command = f"python {entry.name.replace('-', '_')}.py"
    lines = introduction(entry, command=command, before=["pip install boto3"], width=WIDTH)
    return f'"""{_inner(chr(10).join(lines))}\n"""'


def _inner(text: str) -> str:
    """A text between triple quotes."""
    return text.replace("\\", "\\\\").replace('"""', '\\"""')


def _imports(of_story: Collection[str], helpers: Mapping[str, Helper]) -> str:
    wanted = {"import os", "import secrets", "import sys", *of_story}
    wanted |= {"from botocore.exceptions import BotoCoreError, ClientError"}
    wanted |= {each for helper in helpers.values() for each in helper.imports}
    ordered = sorted(wanted, key=lambda line: (line.startswith("from"), line.split()[1]))
    theirs = [line for line in ordered if line.split()[1].startswith(("boto", "jmespath"))]
    return "\n".join([*(line for line in ordered if line not in theirs), "", *theirs])


def _constants(helpers: Collection[str]) -> Iterator[str]:
    yield 'ENDPOINT = os.environ.get("AWS_ENDPOINT_URL")'
    yield 'RUN = f"lab-{secrets.token_hex(4)}"  # the beginning of all names'
    yield "DIFFERENCES = []"
    if "at_end" in helpers:
        yield "REMOVALS = []"
        yield 'GONE = ("NonExistentQueue", "NotFound", "ResourceNotFound", "NoSuchEntity")'
    yield "if ENDPOINT:  # a local engine takes any credentials"
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        yield f'    os.environ.setdefault("AWS_{name}", "{value}")'


def _experiment(story: Story) -> Iterator[str]:
    yield "def experiment():"
    yield '    """Put the claim to the proof."""'
    yield from "\n".join(story.lines).rstrip().split("\n")


def _main(story: Story) -> Iterator[str]:
    yield "def main():"
    yield '    """Run the experiment; remove what it made, also after Ctrl-C."""'
    if story.settings:
        yield "    if not clock():"
        yield '        print("Cannot occur here: it needs localbus, at AWS_ENDPOINT_URL.")'
        yield "        return 2"
    for kind in sorted(story.settings):
        yield f'    {kind} = localbus("GET", "/_localbus/{kind}")'
    yield "    try:"
    yield "        experiment()"
    yield "    except (BotoCoreError, ClientError) as error:"
    yield '        print(f"  DIFFERS  a call failed: {error}")'
    yield '        DIFFERENCES.append("a call")'
    yield "    except KeyboardInterrupt:"
    yield '        print("Broken off.")'
    yield "        return 130"
    if story.settings or "at_end" in story.helpers:
        yield "    finally:"
    for kind in sorted(story.settings):
        yield f'        localbus("PUT", "/_localbus/{kind}", {kind})'
    if "at_end" in story.helpers:
        yield "        clean_up()"
    yield '    print("\\nIt differs." if DIFFERENCES else "\\nReproduced.")'
    yield "    return 1 if DIFFERENCES else 0"
    yield ""
    yield ""
    yield 'if __name__ == "__main__":'
    yield "    sys.exit(main())"
