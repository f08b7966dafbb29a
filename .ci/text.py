"""Checks the English of docstrings, comments and documents, by the rules in pyproject.toml, [tool.orderboard.text]."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print each place that breaks a rule, as path:line; exit with 1 if there is one."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["orderboard"]["text"]
    openings = re.compile(rf"({'|'.join(rules['openings'])})\b")
    phrases = re.compile(rf"\b({'|'.join(rules['phrases'])})\b", re.IGNORECASE)
    listed = subprocess.run(
        ["git", "ls-files", "--", *rules["files"]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if name in rules["except"] or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {match[0]!r} is not plain English" for match in phrases.finditer(line)]
        if path.suffix == ".py":
            for number, docstring in _docstrings(text):
                if match := openings.match(docstring):
                    found.append(f"{name}:{number}: a docstring opens with {match[0]!r}: use a noun or an imperative")
    print("\n".join(found) or "The text keeps to the rules.")
    sys.exit(bool(found))


def _docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


if __name__ == "__main__":
    main()
