"""Many places out of two clips: each scene is a crop, a light and a length, encoded once and kept.

Preparing is the only encoding in the product. It is done at the first start of
a demonstration, in a few processes, and its results are kept in the data
folder under names that hold everything they depend on.
"""

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from svidok.simulate.traffic import Painter, Passing, schedule

FOOTAGE = Path(__file__).parent / "footage"
_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A stretch of a clip seen another way. `filters` is an FFmpeg filter chain that comes before scaling."""

    name: str
    clip: str = "car-detection.mp4"
    start_s: float = 0.0
    length_s: float = 20.0
    filters: str = "null"
    width: int = 1280
    height: int = 720
    codec: str = "h264"
    kbit_s: int = 1500
    plates: tuple[str, ...] = ()
    """Whose plates drive through it (`traffic`), by country; none: it stays as it was filmed."""
    night: bool = False

    def traffic(self) -> tuple[Passing, ...]:
        """Who drives through it, always the same."""
        if not self.plates:
            return ()
        seed = int.from_bytes(hashlib.sha256(self.name.removesuffix("-sub").encode()).digest()[:4], "big")
        return schedule(seed, length_s=self.length_s, countries=self.plates)

    def file_name(self) -> str:
        """The name its encoded form is kept under."""
        digest = hashlib.sha256(f"{_VERSION}{self!r}".encode()).hexdigest()[:16]
        return f"{self.name}-{digest}.mp4"


def sub_of(scene: Scene) -> Scene:
    """The same as a small sub-stream, always H.264."""
    return Scene(
        name=f"{scene.name}-sub", clip=scene.clip, start_s=scene.start_s, length_s=scene.length_s,
        filters=scene.filters, width=640, height=360, codec="h264", kbit_s=350, plates=scene.plates, night=scene.night,
    )  # fmt: skip


def prepare(scenes: list[Scene], folder: Path, *, processes: int = 2) -> dict[str, Path]:
    """Encode those of `scenes` that are not kept in `folder` yet; where each is, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {scene.name: folder / scene.file_name() for scene in scenes}
    missing = [scene for scene in scenes if not places[scene.name].exists()]
    if missing:
        with ProcessPoolExecutor(max_workers=processes) as pool:
            list(pool.map(_encode, missing, [places[scene.name] for scene in missing]))
    return places


def _encode(scene: Scene, to: Path) -> None:
    part = to.with_suffix(".part")
    with av.open(str(FOOTAGE / scene.clip)) as source, av.open(str(part), "w", format="mp4") as target:
        stream = source.streams.video[0]
        rate = Fraction(stream.average_rate or 12)
        encoded = target.add_stream("libx264" if scene.codec == "h264" else "libx265", rate=rate)
        encoded.width, encoded.height, encoded.pix_fmt = scene.width, scene.height, "yuv420p"
        encoded.bit_rate = scene.kbit_s * 1000
        encoded.gop_size = max(1, round(rate))
        encoded.options = dict(_options(scene, encoded.gop_size))
        graph = _graph(stream, scene)
        painter = Painter(scene.traffic(), night=scene.night, noise=3.0 if scene.night else 0.0)
        shown = 0
        for frame in source.decode(stream):
            if frame.time is None or frame.time < scene.start_s:
                continue
            if frame.time >= scene.start_s + scene.length_s:
                break
            graph.vpush(frame)
            changed = graph.vpull()
            if scene.plates:
                painted = painter.paint(np.asarray(changed.to_ndarray(format="bgr24"), np.uint8), float(shown / rate))
                changed = av.VideoFrame.from_ndarray(painted, format="bgr24").reformat(format="yuv420p")
            changed.pts, changed.time_base = shown, 1 / rate
            shown += 1
            for packet in encoded.encode(changed):
                target.mux(packet)
        for packet in encoded.encode(None):
            target.mux(packet)
    part.rename(to)


def _options(scene: Scene, gop: int) -> dict[str, str]:
    if scene.codec == "h265":
        return {"preset": "ultrafast", "x265-params": f"bframes=0:keyint={gop}:min-keyint={gop}:scenecut=0:log-level=0"}
    return {"preset": "superfast", "tune": "zerolatency", "bf": "0", "sc_threshold": "0", "x264-params":
            f"keyint={gop}:min-keyint={gop}:scenecut=0:sliced-threads=0:threads=1"}  # fmt: skip


def _graph(stream: "av.video.stream.VideoStream", scene: Scene) -> "av.filter.Graph":
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(template=stream)]
    chain = f"{scene.filters},scale={scene.width}:{scene.height}:flags=bicubic,format=yuv420p"
    for step in chain.split(","):
        name, _, arguments = step.partition("=")
        node = graph.add(name, arguments or None)
        nodes[-1].link_to(node)
        nodes.append(node)
    sink = graph.add("buffersink")
    nodes[-1].link_to(sink)
    graph.configure()
    return graph
