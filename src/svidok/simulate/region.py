"""The demonstration region: cameras at real places of Lviv Oblast, with invented numbers and states. Pure data.

Places are public; that a camera stands there, and everything about it, is made
up. The stories: most work, one stalls now and then, one has a wrong clock, one
sends H.265, one keeps its maker's password, and some sixty more were destroyed
and are being restored. The first signs its video.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from svidok.simulate.scenes import Scene

LVIV = "UA46000000000026241"
_CAR = "car-detection.mp4"
_ROOM = "one-by-one-person-detection.mp4"
_NIGHT = "lutyuv=y=val*0.42:u=(val-128)*0.35+128:v=(val-128)*0.35+131,noise=alls=12:allf=t"
_DUSK = "lutyuv=y=val*0.7:u=(val-128)*0.8+124:v=(val-128)*0.8+134"
_LOCAL = ("UA", "UA", "UA", "UA", "UA", "PL")
_BORDER = ("UA", "PL", "UA", "PL", "DE", "SK", "RO")
_GREY = "hue=s=0.15,lutyuv=y=val*0.85+20"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCamera:
    """One camera that sends pictures. `fault` as `svidok simulate` writes it; `tone_hz` is what it hears, 0 nothing."""

    number: str
    name_uk: str
    name_en: str
    site: str
    kind: str
    owner: str
    lat: float
    lon: float
    heading: int
    px_m: str
    scene: Scene
    fault: str = "none"
    tone_hz: int = 0
    signs: bool = False
    login: tuple[str, str] = ("svidok", "a long and own password")
    maker: str = "Axis"
    model: str = "P1465-LE"
    firmware: str = "11.9.60"
    facts: dict[str, object] = field(default_factory=dict)


def _car(name: str, crop: str, light: str = "", **more: object) -> Scene:
    return Scene(name=name, clip=_CAR, filters=f"crop={crop}" + (f",{light}" if light else ""), **more)  # type: ignore[arg-type]


def _room(name: str, crop: str, start: float, light: str = "", **more: object) -> Scene:
    return Scene(name=name, clip=_ROOM, start_s=start, filters=f"crop={crop}" + (f",{light}" if light else ""), **more)  # type: ignore[arg-type]


CAMERAS: tuple[DemoCamera, ...] = (
    DemoCamera(
        number="LV-0001", name_uk="Площа Ринок, північ", name_en="Rynok Square, north", site="Львів, центр",
        kind="overview", owner="municipality", lat=49.8420, lon=24.0316, heading=185, px_m="outline",
        scene=_car("rynok", "760:428:4:2"), signs=True,
    ),
    DemoCamera(
        number="LV-0002", name_uk="Проспект Свободи", name_en="Svobody Avenue", site="Львів, центр",
        kind="overview", owner="municipality", lat=49.8440, lon=24.0262, heading=10, px_m="discern",
        scene=_car("svobody", "560:315:30:60", "hflip"),
    ),
    DemoCamera(
        number="LV-0003", name_uk="Вокзал, головний вхід", name_en="Railway station, main entrance",
        site="Львів, вокзал", kind="face_capable", owner="police", lat=49.8399, lon=23.9942, heading=95,
        px_m="characterise", scene=_room("station", "760:428:0:0", 8), tone_hz=330, facts={"profiles": ["T", "M"]},
    ),
    DemoCamera(
        number="LV-0004", name_uk="Вокзал, підземний перехід", name_en="Railway station, underpass",
        site="Львів, вокзал", kind="overview", owner="municipality", lat=49.8394, lon=23.9951, heading=270,
        px_m="perceive", scene=_room("underpass", "600:338:140:40", 40, _GREY), fault="stall,after=50,for=25,every=150",
    ),
    DemoCamera(
        number="LV-0005", name_uk="Вул. Городоцька, в'їзд до міста", name_en="Horodotska Street, inbound",
        site="Львів, захід", kind="plate", owner="police", lat=49.8290, lon=23.9290, heading=75, px_m="validate",
        scene=_car("horodotska", "720:405:24:20", plates=_LOCAL, length_s=24.0, kbit_s=2000),
        facts={"profiles": ["T", "M"]},
    ),
    DemoCamera(
        number="LV-0006", name_uk="Вул. Стрийська, виїзд", name_en="Stryiska Street, outbound", site="Львів, південь",
        kind="plate", owner="police", lat=49.7840, lon=24.0190, heading=190, px_m="validate",
        scene=_car("stryiska", "480:270:60:20", _DUSK), fault="clock-wrong,seconds=47",
    ),
    DemoCamera(
        number="LV-0007", name_uk="Автовокзал, стоянка", name_en="Bus station, parking", site="Львів, південь",
        kind="overview", owner="private", lat=49.7868, lon=24.0166, heading=320, px_m="outline",
        scene=_car("bus", "640:360:100:50", _NIGHT), login=("admin", "12345"), maker="Dahua", model="IPC-HFW2431",
        firmware="2.800", facts={"profiles": ["S"], "weak_login": "default-password"},
    ),
    DemoCamera(
        number="LV-0008", name_uk="Рава-Руська, смуга 1", name_en="Rava-Ruska, lane 1", site="МПП «Рава-Руська»",
        kind="plate", owner="customs", lat=50.2590, lon=23.6050, heading=330, px_m="validate",
        scene=_car("rava-1", "520:293:200:90", plates=_BORDER, length_s=22.0, kbit_s=2000), tone_hz=262,
        facts={"profiles": ["T"]},
    ),
    DemoCamera(
        number="LV-0009", name_uk="Рава-Руська, зала контролю", name_en="Rava-Ruska, control hall",
        site="МПП «Рава-Руська»", kind="overview", owner="customs", lat=50.2586, lon=23.6057, heading=45,
        px_m="perceive", scene=_room("rava-hall", "700:394:60:30", 70), tone_hz=392,
    ),
    DemoCamera(
        number="LV-0010", name_uk="Шегині, пішохідний перехід", name_en="Shehyni, pedestrian crossing",
        site="МПП «Шегині»", kind="face_capable", owner="customs", lat=49.7990, lon=22.9590, heading=265,
        px_m="characterise", scene=_room("shehyni", "640:360:20:60", 100, "hflip"),
    ),
    DemoCamera(
        number="LV-0011", name_uk="Краковець, черга вантажівок", name_en="Krakovets, lorry queue",
        site="МПП «Краковець»", kind="overview", owner="customs", lat=49.9600, lon=23.1640, heading=280,
        px_m="outline", scene=_car("krakovets", "700:394:30:20", _NIGHT, codec="h265"), maker="Hanwha",
        model="XNO-8083R", firmware="2.23.02", facts={"profiles": ["T", "G"]},
    ),
    DemoCamera(
        number="LV-0012", name_uk="Траса М11, 24-й км", name_en="M11 road, km 24", site="Траса М11", kind="plate",
        owner="police", lat=49.8180, lon=23.6900, heading=255, px_m="validate",
        scene=_car("m11", "440:248:300:120", plates=_LOCAL, length_s=20.0, kbit_s=2000, night=True),
    ),
    DemoCamera(
        number="LV-0013", name_uk="Дрогобич, площа Ринок", name_en="Drohobych, Rynok Square", site="Дрогобич",
        kind="overview", owner="municipality", lat=49.3497, lon=23.5060, heading=120, px_m="discern",
        scene=_car("drohobych", "600:338:160:90", f"hflip,{_DUSK}"),
    ),
    DemoCamera(
        number="LV-0014", name_uk="Стрий, вокзал", name_en="Stryi, station", site="Стрий", kind="overview",
        owner="municipality", lat=49.2570, lon=23.8560, heading=200, px_m="perceive",
        scene=_room("stryi", "560:315:100:70", 25, _DUSK), fault="cut,after=70,for=1,every=120",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A camera without pictures, and the changes of its state, oldest first: (day, state, reason)."""

    number: str
    name_uk: str
    name_en: str
    kind: str
    owner: str
    lat: float
    lon: float
    heading: int
    changes: tuple[tuple[date, str, str], ...]


_TOWNS = (
    ("Львів", "Lviv", 49.8397, 24.0297), ("Дрогобич", "Drohobych", 49.3497, 23.5060),
    ("Червоноград", "Chervonohrad", 50.3912, 24.2352), ("Стрий", "Stryi", 49.2570, 23.8560),
    ("Самбір", "Sambir", 49.5185, 23.1975), ("Борислав", "Boryslav", 49.2860, 23.4340),
    ("Золочів", "Zolochiv", 49.8070, 24.9030), ("Яворів", "Yavoriv", 49.9390, 23.3930),
)  # fmt: skip


def stories(today: date, count: int = 66) -> list[Story]:
    """The rest of the region over the last eighteen months: destroyed, repaired, restored, planned. Always the same."""
    made = []
    for n in range(count):
        uk, en, lat, lon = _TOWNS[n % len(_TOWNS)]
        start = today - timedelta(days=540 - (n * 7) % 60)
        changes = [(start, "working", "введено в експлуатацію")]
        if n % 3 != 1:
            hit = today - timedelta(days=430 - (n * 13) % 280)
            changes.append((hit, "destroyed" if n % 2 else "damaged", "наслідок обстрілу"))
            if n % 4:
                repair = hit + timedelta(days=20 + (n * 5) % 50)
                changes.append((repair, "under_repair", "передано в ремонт"))
                if n % 5:
                    changes.append((repair + timedelta(days=12 + (n * 3) % 40), "restored", "встановлено нову камеру"))
        if n % 11 == 10:
            changes = [(today - timedelta(days=40 + n % 20), "planned", "погоджено встановлення")]
        made.append(
            Story(
                number=f"LV-{100 + n:04d}", name_uk=f"{uk}, перехрестя {n // len(_TOWNS) + 1}",
                name_en=f"{en}, crossing {n // len(_TOWNS) + 1}", kind=("overview", "overview", "plate")[n % 3],
                owner=("municipality", "police", "municipality", "private")[n % 4],
                lat=round(lat + ((n * 37) % 19 - 9) * 0.0022, 5), lon=round(lon + ((n * 53) % 23 - 11) * 0.0031, 5),
                heading=(n * 67) % 360, changes=tuple(change for change in changes if change[0] < today),
            )
        )  # fmt: skip
    return made
