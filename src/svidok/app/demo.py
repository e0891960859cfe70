"""The demonstration: its cameras served over real RTSP, and its people, duties and history entered once.

Nothing in it is special to the product: cameras are recorded, sealed and
watched as any others are. Only the accounts are a convenience of the
demonstration, and the interface says so.
"""

import asyncio
import json
import secrets
from datetime import UTC, datetime, time
from pathlib import Path

import structlog

from svidok.access import Actor, Role, accounts
from svidok.app import demo_bodyworn, demo_customs, demo_evidence, demo_plates, demo_traffic
from svidok.app.settings import Settings
from svidok.base import Clock, SystemClock, new_id
from svidok.db import Database, Transaction
from svidok.fleet import inspection, registry
from svidok.fleet.credentials import Safe
from svidok.fleet.importing import import_cameras
from svidok.governance import ReferenceKind, keeping, purposes
from svidok.simulate import CameraServer, SimulatedCamera, parse_fault
from svidok.simulate.packets import Footage, load_footage
from svidok.simulate.region import CAMERAS, LVIV, stories
from svidok.simulate.scenes import prepare, sub_of
from svidok.simulate.signing import Identity, kept_identity
from svidok.simulate.sound import make_sound

log = structlog.get_logger("demo")

PEOPLE = (
    ("operator", "Олена Коваль", [Role.OPERATOR]),
    ("investigator", "Андрій Мельник", [Role.INVESTIGATOR]),
    ("supervisor", "Ірина Шевченко", [Role.SUPERVISOR, Role.OPERATOR]),
    ("dispatcher", "Тарас Бойко", [Role.DISPATCHER]),
    ("deputy", "Петро Гнатюк", [Role.SUPERVISOR]),
    ("auditor", "Богдан Лисенко", [Role.AUDITOR]),
    ("officer", "Тарас Гнатів", [Role.OFFICER]),
)
_BASIS = "Закон України «Про Національну поліцію», ст. 40 (демонстрація)"
_RETENTION_CLASS = "demo-street"
_KEEP_DAYS = 30


def seed(database: Database, settings: Settings, clock: Clock, port: int) -> dict[str, str]:
    """Enter the demonstration's people, cameras and history, once; logins and passwords."""
    kept = settings.data / "demo" / "accounts.json"
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    at = clock.now()
    with database.transaction() as tx:
        people = _people(tx, at)
        service = _service(tx, at)
        supervisor, investigator = _actor(tx, "supervisor"), _actor(tx, "investigator")
        purposes.open_reference(
            tx,
            actor=supervisor,
            kind=ReferenceKind.DUTY,
            number="Ч-1",
            title="Чергування ситуаційного центру",
            legal_basis=_BASIS,
            at=at,
        )
        purposes.open_reference(
            tx,
            actor=supervisor,
            kind=ReferenceKind.INCIDENT,
            number="2026-1107",
            title="Викрадення авто, Городоцька",
            legal_basis="КПК України, ст. 214 (демонстрація)",
            at=at,
        )
        rule = keeping.make_rule(
            tx, actor=supervisor, retention_class=_RETENTION_CLASS, keep_days=_KEEP_DAYS, legal_basis=_BASIS, at=at
        )
        keeping.agree_to_rule(tx, actor=_actor(tx, "deputy"), rule_id=rule, at=at)
    safe = Safe(settings.keys / "credentials.key")
    import_cameras(database, _csv(port, at).encode(), actor=service, safe=safe, at=at, progress=lambda *_: None)
    with database.transaction() as tx:
        _tell_stories(tx, at)
        inspection.set_policies(
            tx,
            actor=service,
            makers={"dahua": "isolate", "hikvision": "isolate"},
            firmware_csv="maker,model,firmware,advisory\nDahua,IPC-HFW2*,2.800,demo advisory\n",
            at=at,
        )
    demo_plates.seed(database, settings, service=service, at=at, plates=demo_traffic.wanted())
    demo_evidence.seed(database, settings, investigator=investigator, supervisor=supervisor, at=at)
    demo_bodyworn.seed(database, settings, supervisor=supervisor, service=service, at=at)
    demo_customs.seed(database, settings, service=service, at=at)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(people, ensure_ascii=False), "utf-8")
    return people


def signing_identity(settings: Settings, at: datetime) -> Identity:
    """The key of the demonstration's signing cameras, under a maker's root of its own, made once."""
    return kept_identity(settings.data / "demo" / "maker", "Demonstration camera", valid_from=at)


def serve(settings: Settings, port: int) -> None:
    """Serve the demonstration's cameras until killed; their scenes are encoded at the first start."""
    demo_traffic.write_truth(settings.data)
    scenes = [camera.scene for camera in CAMERAS]
    places = prepare([*scenes, *map(sub_of, scenes)], settings.data / "demo" / "scenes")
    footage: dict[Path, Footage] = {}

    def load(name: str) -> Footage:
        return footage.setdefault(places[name], load_footage(places[name]))

    identity = signing_identity(settings, SystemClock().now())
    cameras = [
        SimulatedCamera(
            name=camera.number,
            main=load(camera.scene.name),
            sub=load(sub_of(camera.scene).name),
            username=camera.login[0],
            password=camera.login[1],
            fault=parse_fault(camera.fault),
            sound=make_sound("aac", tone_hz=camera.tone_hz) if camera.tone_hz else None,
            identity=identity if camera.signs else None,
        )
        for camera in CAMERAS
    ]
    asyncio.run(_serve(CameraServer(cameras, port=port)))


async def _serve(server: CameraServer) -> None:
    await server.start()
    log.info("cameras", count=len(server.cameras))
    await asyncio.Event().wait()


def _people(tx: Transaction, at: datetime) -> dict[str, str]:
    unit = accounts.add_unit(tx, by=None, name="Ситуаційний центр (демо)", at=at)
    people = {}
    for login, name, roles in PEOPLE:
        password = f"{secrets.choice(_WORDS)}-{secrets.choice(_WORDS)}-{secrets.randbelow(9000) + 1000}"
        accounts.add_account(tx, by=None, login=login, name=name, password=password, roles=roles, unit_id=unit, at=at)
        people[login] = password
    return people


_WORDS = ("kalyna", "smereka", "barvinok", "dzvin", "veselka", "krynytsia", "lastivka", "zhaivir", "polonyna", "skelia")


def _service(tx: Transaction, at: datetime) -> Actor:
    """Whoever enters the demonstration: a service without a way to sign in."""
    service = accounts.add_account(
        tx, by=None, login="demo-service", name="Демонстрація", password=None, roles=[], unit_id=None, at=at
    )
    tx.run("UPDATE access.account SET kind = 'service' WHERE id = %(id)s", id=service.id)
    return Actor(
        id=service.id,
        login=service.login,
        name=service.name,
        unit_id=None,
        unit="",
        roles=frozenset([Role.ADMINISTRATOR]),
        kind="service",
    )


def _actor(tx: Transaction, login: str) -> Actor:
    return accounts.actor_of(tx.one(accounts.SQL["account_by_login"], login=login))


def _csv(port: int, at: datetime) -> str:
    header = (
        "number;name_uk;name_en;site;kind;owner;katotth;lat;lon;heading;fov;px_m_class;lawful_basis;"
        "retention_class;maker;model;firmware;life;url;sub_url;username;password"
    )
    lines = [header]
    for c in CAMERAS:
        base = f"rtsp://127.0.0.1:{port}/{c.number}"
        lines.append(
            f"{c.number};{c.name_uk};{c.name_en};{c.site};{c.kind};{c.owner};{LVIV};{c.lat};{c.lon};{c.heading};70;"
            f"{c.px_m};{_BASIS};{_RETENTION_CLASS};{c.maker};{c.model};{c.firmware};planned;{base}/main;{base}/sub;"
            f"{c.login[0]};{c.login[1]}"
        )
    for s in stories(at.date()):
        lines.append(
            f"{s.number};{s.name_uk};{s.name_en};;{s.kind};{s.owner};{LVIV};{s.lat};{s.lon};{s.heading};70;discern;"
            f"{_BASIS};{_RETENTION_CLASS};;;;{s.changes[-1][1]};;;;"
        )
    return "\n".join(lines) + "\n"


def _tell_stories(tx: Transaction, at: datetime) -> None:
    """Give each camera the history that the restoration chart tells."""
    ids = {row["number"]: row["id"] for row in tx.all("SELECT number, id FROM fleet.camera")}
    for story in stories(at.date()):
        camera_id = ids[story.number]
        tx.run("DELETE FROM fleet.life_change WHERE camera_id = %(id)s", id=camera_id)
        before = None
        for day, state, reason in story.changes:
            when = datetime.combine(day, time(9), UTC)
            tx.run(
                registry.SQL["add_life_change"],
                id=new_id(),
                camera_id=camera_id,
                before=before,
                after=state,
                at=when,
                reason=reason,
                actor_id=None,
            )
            before = state
            tx.run(registry.SQL["set_life"], camera_id=camera_id, after=state, at=when, reason=reason)
    for camera in CAMERAS:
        if camera.facts:
            tx.run(
                "UPDATE fleet.camera SET facts = %(facts)s WHERE id = %(id)s",
                id=ids[camera.number],
                facts=json.dumps(camera.facts),
            )
