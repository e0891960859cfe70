"""Bundles for tests: made once a session by the product's own writer, kept in memory, and mutated there."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"
sys.path.insert(0, str(VECTORS))

sys.path.insert(0, str(Path(__file__).parent))

import making  # noqa: E402


@dataclass
class Made:
    """A bundle on disk and in memory, with the court that made it."""

    court: making.Court
    folder: Path
    files: dict[str, bytes]
    trust: bytes


@pytest.fixture(scope="session")
def bundles(scratch: Path, tiny_clip) -> dict[str, Made]:
    """`a` is wholly proved, `b` is another case of another court, `c` holds what cannot be wholly proved."""
    at, made = datetime.now(UTC), {}
    for seed in "abc":
        folder = scratch / f"bundle-{seed}"
        court = making.make_bundle(scratch / seed, folder, seed=seed, at=at, clip=tiny_clip, partial=seed == "c")
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
        made[seed] = Made(court, folder, files, court.trust_file())
    return made


@pytest.fixture(scope="session")
def tiny_clip(scratch: Path):
    """Twelve seconds with sound, small."""
    return making.load_clip_maker()(scratch, name="tiny", seconds=12, size="128x72", sound=True, b_frames=2)
