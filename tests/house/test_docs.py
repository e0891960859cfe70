"""The docs cannot fall behind: decisions are numbered without holes, links lead somewhere, every room is described."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_decisions_are_numbered_without_holes_or_doubles() -> None:
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_links_lead_somewhere() -> None:
    dead = []
    for page in DOCS:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)} -> {target}")
    assert dead == []


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = [p.parent.name for p in (ROOT / "src" / "svidok").glob("*/__init__.py")]
    assert [room for room in rooms if f"`{room}`" not in text] == []


def test_every_setting_is_documented() -> None:
    from svidok.app.settings import Settings

    text = (ROOT / "docs" / "howto" / "administrator.md").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_dependency_has_its_decision() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = "\n".join(p.read_text("utf-8") for p in (ROOT / "docs" / "decisions").glob("*.md"))
    named = [re.split(r"[\[<>=]", one)[0] for one in project["dependencies"]]
    assert [name for name in named if f"`{name}`" not in text] == []
