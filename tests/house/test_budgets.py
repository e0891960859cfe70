"""The size of things, held by a test: the tail of long functions and files is where houses go wrong."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "svidok"
FILES = sorted(p for p in SOURCE.rglob("*.py"))
NESTING = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)

FUNCTION_LONGEST = 80
FUNCTION_95TH = 45
FILE_LONGEST = 600
FILE_95TH = 450
NESTING_DEEPEST = 4
FACE_LONGEST = 60
BASE_FILES = 6

# Loops that must outlive any one failure of what they tend. Each logs what it caught.
SUPERVISORS_WITH_BROAD_EXCEPT = 6

FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "handler", "core", "misc"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def percentile_95(values: list[int]) -> int:
    return sorted(values)[int(len(values) * 0.95)]


def depth(node: ast.AST, level: int = 0) -> int:
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        deeper = level + 1 if isinstance(child, NESTING) and not is_elif(node, child) else level
        deepest = max(deepest, depth(child, deeper))
    return deepest


def is_elif(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, ast.If) and parent.orelse == [child]


TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}


def test_no_function_is_too_long() -> None:
    lengths = {f"{p.relative_to(SOURCE)}:{f.name}": length(f) for p, t in TREES.items() for f in functions(t)}
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LONGEST} == {}
    assert percentile_95(list(lengths.values())) <= FUNCTION_95TH


def test_no_file_is_too_long() -> None:
    lengths = {str(p.relative_to(SOURCE)): len(p.read_text("utf-8").splitlines()) for p in FILES}
    assert {name: n for name, n in lengths.items() if n > FILE_LONGEST} == {}
    assert percentile_95(list(lengths.values())) <= FILE_95TH


def test_nothing_is_nested_too_deep() -> None:
    deep = {f"{p.relative_to(SOURCE)}:{f.name}": depth(f) for p, t in TREES.items() for f in functions(t)}
    assert {name: n for name, n in deep.items() if n > NESTING_DEEPEST} == {}


def test_every_module_says_what_it_is() -> None:
    assert [str(p.relative_to(SOURCE)) for p, t in TREES.items() if not ast.get_docstring(t)] == []


def test_faces_are_short_and_rooms_are_well_named() -> None:
    faces = {str(p.relative_to(SOURCE)): len(p.read_text("utf-8").splitlines()) for p in FILES if p.stem == "__init__"}
    assert {name: n for name, n in faces.items() if n > FACE_LONGEST} == {}
    assert [str(p) for p in FILES if p.stem in FORBIDDEN_NAMES or p.parent.name in FORBIDDEN_NAMES] == []
    assert len(list((SOURCE / "base").glob("*.py"))) <= BASE_FILES


def test_time_is_passed_in() -> None:
    """Only `base.time` asks the machine for the date; all others are told, so that they can be tested and replayed."""
    asking = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            names = isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
            if names and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}:
                asking.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert [place for place in asking if not place.startswith("base/time.py")] == []


def test_broad_excepts_are_few() -> None:
    broad = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
            ):
                broad.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert len(broad) <= SUPERVISORS_WITH_BROAD_EXCEPT, broad


@pytest.mark.parametrize("folder", ["src", "docs", "tests", "web/src", "benchmarks", ".ci"])
def test_the_house_speaks_of_the_product_alone(folder: str) -> None:
    """No path of a machine and no registry host: both would be true on one machine only."""
    root = Path(__file__).parents[2] / folder
    words = ("/work/" + "main", "/work/" + "shared", "files.python" + "hosted", "registry." + "npmjs")
    found = [
        f"{path.relative_to(root)}: {word}"
        for path in root.rglob("*")
        if path.is_file() and path.suffix in {".py", ".md", ".sql", ".ts", ".svelte", ".sh", ".toml", ".mjs", ""}
        for word in words
        if word in path.read_text("utf-8", errors="ignore")
    ]
    assert found == []
