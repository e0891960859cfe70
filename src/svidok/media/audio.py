"""Sound out of RTP: AAC (RFC 3640, AAC-hbr) and G.711 (RFC 3551). Kept as it came, never decoded."""

from svidok.media.model import AudioRun, AudioTrack

AAC_SAMPLES = 1024
_MAX_RUN_BYTES = 4 * 1024 * 1024
_MAX_UNIT_BYTES = 8191  # what 13 bits of size can say
_AU_HEADER_BITS = 16  # AAC-hbr: 13 bits of size, 3 of index


class AudioGatherer:
    """Gathers the sound of one camera until a group of pictures takes it along."""

    def __init__(self, track: AudioTrack) -> None:
        self._track = track
        self._run = AudioRun()
        self._partial = bytearray()

    def packet(self, packet: memoryview) -> None:
        """Take one RTP packet; what is malformed is dropped."""
        if len(packet) < 13 or len(self._run.data) > _MAX_RUN_BYTES:
            return
        at = 12 + 4 * (packet[0] & 15)
        if packet[0] & 0x10 and len(packet) >= at + 4:
            at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        payload = packet[at:]
        if not payload:
            return
        if self._track.codec == "aac":
            self._aac(payload, bool(packet[1] & 0x80))
        else:
            self._run.data += payload
            self._run.sizes.append(len(payload))
            self._run.durations.append(len(payload) // max(1, self._track.channels))

    def take(self) -> AudioRun | None:
        """What was gathered since the last time, or nothing."""
        run, self._run = self._run, AudioRun()
        return run if run.sizes else None

    def _aac(self, payload: memoryview, marker: bool) -> None:
        headers = (payload[0] << 8 | payload[1]) // _AU_HEADER_BITS if len(payload) > 2 else 0
        at = 2 + 2 * headers
        if headers == 0 or at > len(payload):
            return
        sizes = [(payload[2 + 2 * i] << 8 | payload[3 + 2 * i]) >> 3 for i in range(headers)]
        if (headers == 1 and sizes[0] > len(payload) - at) or self._partial:
            self._fragment(payload[at:], sizes[0], marker)
            return
        for size in sizes:
            if at + size > len(payload) or size == 0:
                return
            self._keep(payload[at : at + size])
            at += size

    def _fragment(self, part: memoryview, size: int, marker: bool) -> None:
        self._partial += part
        if len(self._partial) > _MAX_UNIT_BYTES:  # its end never came
            self._partial.clear()
        elif marker:
            if len(self._partial) == size:
                self._keep(memoryview(bytes(self._partial)))
            self._partial.clear()

    def _keep(self, unit: memoryview) -> None:
        self._run.data += unit
        self._run.sizes.append(len(unit))
        self._run.durations.append(AAC_SAMPLES)
