"""Writes schemas/*.json and asyncapi.yaml from the models and localstack/template.yaml; --check only compares.

A change that would break a consumer is not written without --accept-breaking: it belongs in a new version of the event
beside the old one.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from asyncapi_document import asyncapi
from compatibility import Break, breaks
from event_schemas import schemas
from template_file import TemplateError, load

HERE: Final = Path(__file__).parent
TEMPLATE: Final = HERE.parent / "localstack" / "template.yaml"
_BANNER: Final = "# Made by contracts/generate.py from the models and localstack/template.yaml. Do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: a reader should not have to look up what stands elsewhere."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out, also what is there twice."""
        return True


def generated(template: Path = TEMPLATE) -> dict[Path, str]:
    """Every generated file, by its path below contracts/, with its text."""
    version = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["version"]
    document = asyncapi(load(template), version)
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return {
        **{Path("schemas", f"{name}.json"): _json(schema) for name, schema in schemas().items()},
        Path("asyncapi.yaml"): _BANNER + text,
    }


def committed_schemas(root: Path = HERE) -> dict[str, Any]:
    """The schemas as they were last written: the baseline that a change is compared with."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((root / "schemas").glob("*.json"))}


def breaking_changes(root: Path = HERE) -> list[Break]:
    """What the models would break, compared with the schemas that were last written."""
    consumers = yaml.safe_load((HERE / "consumers.yaml").read_text())
    return breaks(committed_schemas(root), schemas(), consumers)


def stale(files: Mapping[Path, str], root: Path) -> list[Path]:
    """The files that are missing, differ, or should not be there any more."""
    left_over = {path.relative_to(root) for path in (root / "schemas").glob("*.json")} - files.keys()
    differing = {
        path for path, text in files.items() if not (root / path).is_file() or (root / path).read_text() != text
    }
    return sorted(differing | left_over)


def write(files: Mapping[Path, str], root: Path) -> list[Path]:
    """Write what is stale, take away what is left over, and say which files those were."""
    changed = stale(files, root)
    for path in changed:
        target = root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path])
        else:
            target.unlink()
    return changed


def main(arguments: Sequence[str] | None = None, *, root: Path = HERE) -> int:
    """Run the command line; the answer is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 naming the files that are stale")
    parser.add_argument("--accept-breaking", action="store_true", help="write also what breaks consumers")
    parser.add_argument("--template", type=Path, default=TEMPLATE, help="the CloudFormation template to read")
    options = parser.parse_args(arguments)
    try:
        files = generated(options.template)
    except (TemplateError, OSError) as exc:
        print(f"{options.template}: {exc}", file=sys.stderr)
        return 1
    broken = breaking_changes(root)
    for each in broken:
        print(f"breaking: {each}", file=sys.stderr)
    if options.check:
        return _check(files, root)
    if broken and not options.accept_breaking:
        print("Nothing is written. Add a new version of the event, or --accept-breaking.", file=sys.stderr)
        return 1
    for path in write(files, root):
        print(f"wrote contracts/{path}" if path in files else f"removed contracts/{path}")
    return 0


def _check(files: Mapping[Path, str], root: Path) -> int:
    wrong = stale(files, root)
    for path in wrong:
        print(f"stale: contracts/{path}; mend it with: python contracts/generate.py", file=sys.stderr)
    return 1 if wrong else 0


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
