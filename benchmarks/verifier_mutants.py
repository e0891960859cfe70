"""Mutation testing of our own verifier: does some bundle tell each wrong verifier from the right one?

    python benchmarks/verifier_mutants.py [changed bundles] [module …]

One operator at a time is changed in the modules that check signatures and proofs: a comparison turned, a condition
negated, `and` for `or`, a number moved by one. Each wrong verifier judges clean bundles and changed ones until it says
something else than the right one does; one that never does has survived, and is printed.
"""

import ast
import importlib
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "vectors"), str(ROOT / "tests" / "rooms" / "evidence")]

import making  # noqa: E402
from mutations import Mutator  # noqa: E402
from odd import odd, ranged  # noqa: E402
from stamped import stamped  # noqa: E402
from targeted import targeted  # noqa: E402

from svidok.evidence.bundle.told import MOST_JSON_BYTES  # noqa: E402

BUNDLE = "svidok.evidence.bundle"
MODULES = [
    "svidok.ledger.cosigning",
    f"{BUNDLE}.signing",
    f"{BUNDLE}.entries",
    f"{BUNDLE}.tokens",
    f"{BUNDLE}.clips",
    f"{BUNDLE}.verify",
]
TURNED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
PATIENCE_S = 300
FIRST = {"tokens": "stamped", "clips": "odd", "entries": "odd"}  # bundles that are likely to tell, asked first
# (module, part of what is changed, why no bundle could tell): changes that leave every verdict as it is.
EQUIVALENT: list[tuple[str, str, str]] = [
    ("tokens", "or 'the signature does not fit'`", "words for people, which no two verifiers share"),
    ("tokens", "LtE turned in `1 <= count <= 4`", "what needs four bytes of length is longer than a token may be"),
    (
        "verify",
        "or 'the entry is no event of custody of this exhibit'`",
        "words for people, which no two verifiers share",
    ),
    ("clips", "or 'the entry is not a gap'`", "words for people, which no two verifiers share"),
    ("clips", "and/or exchanged in `start is not None and end is not None`", "both are there, or neither"),
    ("clips", "Gt turned in `size > 0`", "to read no bytes ends the loop as well"),
    ("clips", "Lt turned in `size < at + media`", "asked only where the two differ"),
]


class Giant(bytes):
    """Bytes that say they are more than they are, in place of a quarter of a gigabyte."""

    claims = 0

    def __len__(self) -> int:
        return self.claims


def giant(data: bytes, claims: int) -> bytes:
    made = Giant(data)
    made.claims = claims
    return made


class Place(ast.NodeTransformer):
    """Changes the operator number `wanted`; with none wanted, counts them."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted, self.count, self.said = wanted, 0, ""

    def _mine(self, node: ast.AST, what: str) -> bool:
        self.count += 1
        if self.count - 1 == self.wanted:
            self.said = f"line {node.lineno}: {what}"
            return True
        return False

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for number, operator in enumerate(node.ops):
            if self._mine(node, f"{type(operator).__name__} turned in `{ast.unparse(node)}`"):
                node.ops[number] = TURNED[type(operator)]()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._mine(node, f"and/or exchanged in `{ast.unparse(node)}`"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and self._mine(node, f"not left out of `{ast.unparse(node)}`"):
            return node.operand
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._mine(node, f"condition never met: `{ast.unparse(node.test)}`"):
            node.test = ast.Constant(False)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, bool)
            and self._mine(node, "other truth returned")
        ):
            node.value = ast.Constant(not node.value.value)
        return node


def source_of(module: str) -> Path:
    return ROOT / "src" / (module.replace(".", "/") + ".py")


def count_of(module: str) -> int:
    place = Place()
    place.visit(ast.parse(source_of(module).read_text()))
    return place.count


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.tree = module, tree

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module) -> None:
        module.__file__ = str(source_of(self.module))
        exec(compile(self.tree, module.__file__, "exec"), module.__dict__)


def told(report) -> object:
    places = [(f.item, f.code, f.where, f.start_us, f.end_us, f.second) for f in report.faults]
    return str(report.verdict), [(n, str(v)) for n, v in report.items], report.codes(), places


def judge_in_child(module: str, tree: ast.Module, corpus: list, due: list) -> bool:
    """Whether a wrong verifier is found out; in a process of its own."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        status = 0
        try:
            for name in [n for n in sys.modules if n.startswith(BUNDLE) or n == module]:
                del sys.modules[name]
            sys.meta_path.insert(0, Loader(module, tree))
            files = importlib.import_module(f"{BUNDLE}.files")
            verify = importlib.import_module(f"{BUNDLE}.verify")
            for (bundle, trust), right in zip(corpus, due, strict=True):
                if told(verify.verify_bundle(files.MemoryFiles(bundle), trust)) != right:
                    status = 1
                    break
        except BaseException:  # noqa: BLE001 (whatever goes wrong, it says something else)
            status = 1
        os._exit(status)
    _, status = os.waitpid(child, 0)
    return status != 0


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 260
    modules = sys.argv[2:] or MODULES
    from svidok.evidence.bundle.files import MemoryFiles
    from svidok.evidence.bundle.verify import verify_bundle

    with tempfile.TemporaryDirectory(prefix="svidok-mutants-") as name:
        scratch = Path(name)
        clip = making.load_clip_maker()(scratch, name="clip", seconds=12, size="128x72", sound=True, b_frames=2)
        bundles = {}
        for seed in "abc":
            folder = scratch / f"bundle-{seed}"
            court = making.make_bundle(
                scratch / seed, folder, seed=seed, at=datetime.now(UTC), clip=clip, partial=seed == "c"
            )
            files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
            bundles[seed] = (court, files, court.trust_file())
        court, base, trust = bundles["a"]
        parts = {
            "clean": [(files, known) for _, files, own in bundles.values() for known in (own, None)],
            "targeted": targeted(court, base, bundles["c"]),
            "stamped": stamped(court, base),
            "mutated": [
                (change.apply(base), trust) for change in Mutator(base, bundles["b"][1], court, seed=7).make(count)
            ],
            "giant": [
                (base | {name: giant(base[name], MOST_JSON_BYTES + more)}, trust)
                for name in ("data/custody.json", "manifest-sha256.txt")
                for more in (0, 1)
            ],
            "odd": [*odd(court, base), *ranged(court, scratch, clip)],
        }
        judged = {
            name: [(one, told(verify_bundle(MemoryFiles(one[0]), one[1]))) for one in part]
            for name, part in parts.items()
        }
        survivors, equivalent, tried = [], 0, 0
        for module in modules:
            likely = FIRST.get(module.rpartition(".")[2], "targeted")
            order = [likely, *(name for name in judged if name != likely)]
            corpus, due = zip(*(pair for name in order for pair in judged[name]), strict=True)
            for number in range(count_of(module)):
                tree = ast.parse(source_of(module).read_text())
                place = Place(number)
                tree = ast.fix_missing_locations(place.visit(tree))
                tried += 1
                said = f"{module.rpartition('.')[2]} {place.said}"
                if any(said.startswith(known) and what in said for known, what, _ in EQUIVALENT):
                    equivalent += 1
                elif not judge_in_child(module, tree, corpus, due):
                    survivors.append(said)
                    print("survived:", said, flush=True)
            print(f"{module}: {count_of(module)} changes", flush=True)
        told_all = {"bundles": sum(map(len, parts.values())), "mutants": tried, "equivalent": equivalent}
        print(json.dumps({**told_all, "survivors": len(survivors)}))


if __name__ == "__main__":
    main()
