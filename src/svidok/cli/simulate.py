"""`svidok simulate`: cameras that are not there."""

import asyncio
from pathlib import Path

import click

from svidok.cli.simulate_customs import customs
from svidok.simulate import FAULTS, CameraServer, SimulatedCamera, parse_fault
from svidok.simulate.packets import load_footage
from svidok.simulate.scenes import Scene, prepare, sub_of
from svidok.simulate.sound import SOUNDS, SoundCodec, make_sound


@click.group()
def simulate() -> None:
    """Play a part that the real world usually plays."""


@simulate.command()
@click.option("--count", default=4, show_default=True, help="How many cameras.")
@click.option("--port", default=18554, show_default=True, help="Port on loopback.")
@click.option("--footage", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An MP4 of your own.")
@click.option("--username", default="", help="Name the cameras ask for.")
@click.option("--password", default="", help="Password the cameras ask for.")
@click.option("--sound", type=click.Choice(SOUNDS), help="A tone in this codec; none: the cameras are mute.")
@click.option("--fault", "faults", multiple=True, help="Number or *, then a fault: 3=stall,after=10,for=20")
@click.option("--cache", default=Path("data/simulate"), type=click.Path(path_type=Path), show_default=True)
def cameras(
    count: int,
    port: int,
    footage: Path | None,
    username: str,
    password: str,
    sound: SoundCodec | None,
    faults: tuple[str, ...],
    cache: Path,
) -> None:
    """Serve cameras over RTSP: rtsp://127.0.0.1:PORT/camera-1/main and /sub.

    Faults: none, stall, cut, garbage, slow, flood, loss, unauthorised, refuse, clock-wrong, clock-jump, sps-change,
    frozen. Each takes after=, for= and every= in seconds, and seconds= for clocks.
    """
    scene = Scene(name="car-park", filters="crop=720:405:24:20")
    main = footage or prepare([scene], cache)[scene.name]
    small = prepare([sub_of(scene)], cache)[sub_of(scene).name]
    pictures, sub = load_footage(main), load_footage(small)
    served = [
        SimulatedCamera(
            name=f"camera-{number}", main=pictures, sub=sub, other=sub, username=username, password=password,
            sound=make_sound(sound, tone_hz=220 + 40 * (number % 12)) if sound else None,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip
    for given in faults:
        number, _, text = given.partition("=")
        try:
            fault = parse_fault(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}. Known faults: {', '.join(FAULTS)}") from error
        for camera in served if number == "*" else [c for c in served if c.name == f"camera-{number}"]:
            camera.fault = fault
    asyncio.run(_serve(CameraServer(served, port=port)))


async def _serve(server: CameraServer) -> None:
    port = await server.start()
    click.echo(f"{len(server.cameras)} cameras at rtsp://127.0.0.1:{port}/camera-1/main")
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()


simulate.add_command(customs)
