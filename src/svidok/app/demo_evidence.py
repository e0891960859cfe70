"""The demonstration's case: opened by the investigator, with a picture from a passer-by, a note and its members.

Footage is not booked in here: there is none yet when the demonstration begins.
Whoever looks does it themselves, from the timeline, in two clicks.
"""

from datetime import datetime
from pathlib import Path

from svidok.access import Actor
from svidok.app.settings import Settings
from svidok.db import Database
from svidok.evidence import arriving, cases, deriving, exhibits
from svidok.evidence.model import DataSubjects, Source, Standing
from svidok.evidence.vault import Vault
from svidok.governance import ReferenceKind, purposes
from svidok.media.pictures import jpeg_of

_FILM = Path(__file__).parents[1] / "simulate" / "footage" / "car-detection.mp4"
_PICTURE = 120
_BASIS = "КПК України, ст. 214 (демонстрація)"


def seed(database: Database, settings: Settings, *, investigator: Actor, supervisor: Actor, at: datetime) -> None:
    """Enter the case, once."""
    vault = Vault(settings.exhibits or settings.data / "exhibits")
    with database.transaction() as tx:
        reference = purposes.open_reference(
            tx, actor=supervisor, kind=ReferenceKind.CASE, number="2026-1401",
            title="Викрадення авто, вул. Городоцька", legal_basis=_BASIS, at=at,
        )  # fmt: skip
        case_id = cases.open_case(
            tx, actor=investigator, reference_id=reference.id, at=at,
            data_subjects=[DataSubjects.SUSPECT, DataSubjects.VICTIM, DataSubjects.WITNESS],
            summary="Сірий легковик зник зі стоянки між 09:10 і 09:40.",
        )  # fmt: skip
        cases.let_in(
            tx, actor=investigator, case_id=case_id, login=supervisor.login, standing=Standing.INVESTIGATOR,
            reason="другий перегляд знеособлення", until_at=None, history=None, at=at,
        )  # fmt: skip
        exhibits.add_note(
            tx, actor=investigator, case_id=case_id, exhibit_id=None, instant=None, at=at,
            text="Перевірити камери на виїзді зі стоянки: позначити уривок у записах і внести його до справи.",
        )  # fmt: skip
    picture = jpeg_of(_FILM, _PICTURE, width=1280)
    told = arriving.Told(
        name="IMG_2041.jpg", size_bytes=len(picture), media_type="image/jpeg", title="Фото від перехожого",
        source=Source.PUBLIC, obtained="Надіслав очевидець електронною поштою; протокол огляду № 12 (демонстрація)",
    )  # fmt: skip
    with database.transaction() as tx:
        upload_id = arriving.announce(tx, vault, actor=investigator, case_id=case_id, told=told, at=at)
    arriving.receive(database, vault, actor=investigator, upload_id=upload_id, offset=0, piece=picture)
    exhibit_id = arriving.finish(database, vault, actor=investigator, upload_id=upload_id, at=at)
    arriving.scan_exhibit(
        database, vault, actor=investigator, exhibit_id=exhibit_id, socket=settings.clamav_socket, at=at
    )  # fmt: skip
    deriving.make_playable(database, vault, actor=investigator, exhibit_id=exhibit_id, at=at)
