"""What an administrator may set: a file `svidok.toml`, or `SVIDOK_*` in the environment, which wins.

Nothing here has a default where the law wants a stated basis: how long footage
is kept is a retention rule in the database, entered with its legal basis.
"""

import os
import secrets
import socket
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

SETTINGS_FILE = "SVIDOK_SETTINGS"
_ORIGIN = "ledger.origin"


class Settings(BaseSettings):
    """One installation. Every field may be set as `SVIDOK_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SVIDOK_", extra="forbid")

    data: Path = Field(Path("data"), description="Folder of everything that must survive: footage, ledger, keys.")
    node: str = Field(default_factory=socket.gethostname, description="The name of this machine among the others.")
    host: str = Field("127.0.0.1", description="Address the web door listens on.")
    port: int = Field(8480, description="Port of the web door.")
    public_origin: str | None = Field(None, description="How browsers reach us, e.g. https://svidok.example.ua")
    database_url: SecretStr | None = Field(None, description="An outside PostgreSQL >= 15; unset: we start our own.")
    bus_url: SecretStr | None = Field(None, description="An outside NATS with JetStream; unset: we start our own.")
    bus_port: int = Field(14222, description="Loopback port of our own NATS.")
    demo_port: int = Field(18554, description="Loopback port of the demonstration's cameras.")
    ledger_origin: str | None = Field(None, description="The ledger's name in its checkpoints (C2SP tlog-checkpoint).")
    ledger_pkcs11_module: Path | None = Field(None, description="PKCS#11 library of the ledger's key; unset: a file.")
    ledger_pkcs11_token: str = Field("svidok", description="Label of the token that holds the ledger's key.")
    ledger_pkcs11_key: str = Field("ledger", description="Label of the key in the token (Ed25519).")
    ledger_pkcs11_pin: SecretStr | None = Field(None, description="PIN of the token; better in the environment.")
    witnesses: list[str] = Field(default_factory=list, description="Who countersigns checkpoints: `URL verifier-key`.")
    witness_quorum: int = Field(0, description="How many of the witnesses must sign.")
    time_stamps: list[str] = Field(
        default_factory=list, description="Time-stamping authorities: `NAME|URL|file of its root certificate`."
    )
    footage: list[Path] = Field(default_factory=list, description="Folders (disks) for footage; unset: <data>/footage.")
    footage_quota_gib: int | None = Field(None, description="What footage may take in each folder; unset: the disk.")
    device_roots: Path | None = Field(None, description="Certificates (PEM) of makers whose cameras sign video.")
    copies: list[str] = Field(default_factory=list, description="Second copies: s3://bucket/prefix, file:///folder.")
    s3_endpoint: str | None = Field(None, description="Where the S3 store is; unset: AWS.")
    s3_region: str = Field("us-east-1", description="Region of the S3 store.")
    s3_access_key: str | None = Field(None, description="Access key of the S3 store.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of the S3 store; better in the environment.")
    s3_lock_days: int | None = Field(
        None, gt=0, description="Object Lock in compliance mode for this long; unset: none."
    )
    exhibits: Path | None = Field(None, description="Folder (volume) for exhibits' files; unset: <data>/exhibits.")
    clamav_socket: Path | None = Field(None, description="ClamAV's socket, e.g. /run/clamav/clamd.ctl; unset: no scan.")
    dock_port: int | None = Field(None, description="Port of the door for docks (TLS); unset: no door.")
    dock_host: str = Field("127.0.0.1", description="Address the door for docks listens on; in its certificate.")
    dock_origin: str | None = Field(None, description="How docks reach their door, e.g. https://10.0.0.5:8490")
    worn: list[Path] = Field(default_factory=list, description="Two folders (disks) for originals of worn cameras.")
    worn_watched: Path | None = Field(None, description="Folder below which USB disks of worn cameras appear.")
    plate_countries: list[str] = Field(
        default_factory=list, description="Whose plates are expected, the likeliest first, e.g. UA, PL; unset: ours."
    )
    map_tiles: Path | None = Field(None, description="Your own base map, a .pmtiles file; unset: the plain one.")
    metrics_token: SecretStr | None = Field(None, description="Bearer token for /metrics from beyond loopback.")
    oidc_issuer: str | None = Field(None, description="OpenID Connect provider.")
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_roles: dict[str, str] = Field(default_factory=dict, description="Group of the provider -> our role.")
    plates_age_tier_days: int = Field(90, ge=1, le=366, description="Older plate reads need an authorisation.")
    plates_searches_an_hour: int = Field(60, ge=1, le=10_000, description="Plate searches of one person in an hour.")
    plates_searches_a_day: int = Field(300, ge=1, le=100_000, description="Plate searches of one person in a day.")
    plates_mqtt_url: SecretStr | None = Field(None, description="The broker of cameras: mqtts://user:password@host")
    log_format: str = Field("text", description="text or json")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get(SETTINGS_FILE, "svidok.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def keys(self) -> Path:
        """Where the keys are (mode 0700)."""
        return self.data / "keys"

    @property
    def ledger(self) -> Path:
        """The ledger's tiles and checkpoint."""
        return self.data / "ledger"

    def origin(self) -> str:
        """The ledger's name: the one set, or one made at the first start and kept."""
        if not self.known_origin():
            self.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.keys / _ORIGIN).write_text(f"svidok.invalid/{self.node}/{secrets.token_hex(4)}\n")
        return self.known_origin()

    def known_origin(self) -> str:
        """The ledger's name; empty on a machine that keeps none: a witness's, a stranger's."""
        kept = self.keys / _ORIGIN
        return self.ledger_origin or (kept.read_text().strip() if kept.exists() else "")

    def volumes(self) -> list[Path]:
        """The folders for footage."""
        return [folder.resolve() for folder in self.footage] or [(self.data / "footage").resolve()]

    def worn_volumes(self) -> list[Path]:
        """The folders for originals of worn cameras: the first takes uploads, the others second copies."""
        named = self.worn or [self.data / "worn" / "first", self.data / "worn" / "second"]
        return [folder.resolve() for folder in named]


def load_settings(**given: Any) -> Settings:
    """The settings of this process; what is `given` (not None) wins over file and environment."""
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    settings.data = settings.data.resolve()
    return settings
