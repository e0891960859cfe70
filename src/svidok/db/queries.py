"""SQL is text: each room keeps a `queries.sql`, and each query in it has a name and a sentence.

-- name: camera_by_id
-- One camera, whatever its state.
SELECT * FROM fleet.camera WHERE id = %(id)s;
"""

from collections.abc import Iterator
from importlib import resources


class Queries:
    """The named queries of one room, read once.

    >>> Queries.parse("-- name: one\\n-- Says one.\\nSELECT 1;")["one"]
    'SELECT 1'
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    @classmethod
    def of(cls, package: str) -> "Queries":
        """Read `queries.sql` of `package` (pass `__package__`)."""
        return cls.parse(resources.files(package).joinpath("queries.sql").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Queries":
        """Cut `text` at its `-- name:` lines; comments go, the statement stays."""
        texts: dict[str, str] = {}
        for block in text.split("-- name:")[1:]:
            name, _, body = block.partition("\n")
            lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
            if name.strip() in texts:
                raise ValueError(f"two queries are named {name.strip()}")
            texts[name.strip()] = "\n".join(lines).strip().rstrip(";").strip()
        return cls(texts)
