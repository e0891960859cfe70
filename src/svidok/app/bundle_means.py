"""What this installation makes bundles with: the key that signs them, whose word counts, who stamps, the page inside.

Nothing is made before the first bundle is: a hub that never discloses has no
key for it. Where no authority is set, two local test authorities stamp, and
their names say in every bundle that they prove nothing to a court.
"""

from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path

from svidok.app.settings import Settings
from svidok.app.witnessing import asked_witnesses
from svidok.base import Conflict, Unavailable
from svidok.evidence.bundle import model as m
from svidok.evidence.bundle.stamping import Stamper, by_http, local_authority, read_root, stamp_all
from svidok.evidence.bundle.writer import Footage, Means, own_key, told_trust
from svidok.evidence.disclosing import MakeMeans
from svidok.ledger.signer import FileSigner

_PAGE = Path(__file__).parents[3] / "web" / "dist" / "verify.html"
_NO_PAGE = b"<!doctype html><meta charset=utf-8><title>Svidok</title><p>svidok verify BUNDLE\n"


def bundle_means(settings: Settings, *, at: datetime) -> MakeMeans:
    """Makes the means of a bundle that rests on a checkpoint."""

    @cache
    def keys() -> tuple[FileSigner, list[Stamper]]:
        stampers = [_named_authority(line) for line in settings.time_stamps] or [
            local_authority(settings.keys / f"test-authority-{n}", name=f"Local test authority {n}", at=at)
            for n in (1, 2)
        ]
        return FileSigner(settings.keys / "disclosure.pem"), stampers

    def make(note: str) -> Means:
        signer, stampers = keys()
        trust = _trust(settings, signer, stampers)
        (settings.ledger / "trust.json").write_bytes(told_trust(trust))  # published beside the log, for whoever checks
        return Means(
            footage=_no_footage, ledger=settings.ledger, note=note, signer=signer,
            trust=trust, stamp=lambda data: stamp_all(stampers, data), page=_page(),
        )  # fmt: skip

    return make


def _named_authority(line: str) -> Stamper:
    """An authority as the settings name it."""
    name, url, root = [*line.split("|"), "", ""][:3]
    if not url.startswith(("http://", "https://")) or not root:
        raise Conflict("stamp-setting", f"{line!r} is not `NAME|URL|file of its root certificate`.")
    return Stamper(authority=m.Authority(name=name, root=read_root(Path(root)), is_test=False), ask=by_http(url))


def _trust(settings: Settings, signer: FileSigner, stampers: list[Stamper]) -> m.Trust:
    origin = settings.origin()
    try:
        ledger = (settings.ledger / "verifier.key").read_text("utf-8").strip()
    except OSError as error:
        raise Unavailable(
            "ledger-unavailable", "The ledger's public key cannot be read. Start intake first."
        ) from error
    return m.Trust(
        name=origin, ledger=ledger, signer=own_key(signer, f"{origin}/disclosure"),
        witnesses=tuple(one.key.text() for one in asked_witnesses(settings)), quorum=settings.witness_quorum,
        authorities=tuple(one.authority for one in stampers), stamps=len(stampers),
    )  # fmt: skip


def _page() -> bytes:
    """verify.html, as the build of the web interface or the package holds it."""
    inside = resources.files("svidok.evidence.bundle").joinpath("verify.html")
    for place in (_PAGE, inside):
        if place.is_file():
            return place.read_bytes()
    return _NO_PAGE


def _no_footage(item: m.RangeItem, note: str) -> Footage:
    raise Unavailable("footage-unreachable", "Footage is taken by whoever makes the bundle.")
