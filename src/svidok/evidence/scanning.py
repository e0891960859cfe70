"""Ask ClamAV about a file, over its own socket; say honestly where nobody could be asked.

The file is sent, not named: the scanner is another user and need not read our
volume. Where there is no scanner the verdict is `not-scanned`, never `clean`.
"""

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_PIECE = 256 * 1024
_WAIT_S = 120.0


class ScanVerdict(StrEnum):
    """What became of asking."""

    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not-scanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A verdict with what the scanner said."""

    verdict: ScanVerdict
    says: str


def scan_file(path: Path, scanner: Path | None) -> Scan:
    """Send a file to the scanner that listens at the socket `scanner`."""
    if scanner is None or not scanner.exists():
        return Scan(verdict=ScanVerdict.NOT_SCANNED, says="no scanner is set up")
    try:
        return read_answer(_ask(path, scanner))
    except OSError as error:
        return Scan(verdict=ScanVerdict.NOT_SCANNED, says=f"the scanner does not answer: {error.strerror or error}")


def read_answer(answer: str) -> Scan:
    """What an answer of ClamAV comes to. Pure.

    >>> read_answer("stream: OK").verdict.value, read_answer("stream: Eicar-Test FOUND").verdict.value
    ('clean', 'infected')
    >>> read_answer("INSTREAM size limit exceeded. ERROR").verdict.value
    'not-scanned'
    """
    text = answer.strip().removeprefix("stream:").strip()
    if text == "OK":
        return Scan(verdict=ScanVerdict.CLEAN, says="")
    if text.endswith("FOUND"):
        return Scan(verdict=ScanVerdict.INFECTED, says=text.removesuffix("FOUND").strip()[:200])
    return Scan(verdict=ScanVerdict.NOT_SCANNED, says=text[:200] or "the scanner said nothing")


def _ask(path: Path, scanner: Path) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, path.open("rb", buffering=0) as file:
        line.settimeout(_WAIT_S)
        line.connect(str(scanner))
        line.sendall(b"zINSTREAM\0")
        try:
            while piece := file.read(_PIECE):
                line.sendall(struct.pack(">I", len(piece)) + piece)
            line.sendall(struct.pack(">I", 0))
        except BrokenPipeError:
            pass  # it has seen enough, and says why
        answer = b""
        while not answer.endswith(b"\0") and (got := line.recv(4096)):
            answer += got
        return answer.rstrip(b"\0").decode("utf-8", "replace")
