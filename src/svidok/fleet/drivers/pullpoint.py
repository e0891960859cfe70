"""Events of one camera by ONVIF PullPoint (Core specification, 9.2): subscribe, pull, renew, unsubscribe.

We ask the camera and hold the line until it has something to tell, so nothing
must be reachable from the camera's network. Messages come out as `onveef`
reads them; `topics` says what they mean. Nothing here tries again.
"""

import asyncio
import contextlib
from typing import Any

from onveef import AsyncOnvifClient, OnvifOperationNotSupportedError

from svidok.fleet.drivers.onvif import CameraAnswer, parse_address, understood

_MOST_BYTES = 1024 * 1024
_MOST_MESSAGES = 50
_TIMEOUT_S = 6.0


class PullPoint:
    """A subscription at the camera at `address` (host:port); `async with`, then `pull` again and again.

    `hold_s`: for how long the camera keeps it without a word from us; `wait_s`: how long one pull waits for news.
    """

    def __init__(
        self, address: str, *, username: str, password: str, hold_s: float = 120.0, wait_s: float = 30.0
    ) -> None:
        host, port = parse_address(address)
        self._hold_s, self._wait_s = hold_s, wait_s
        self._client = AsyncOnvifClient(
            host, port, username, password, use_https=port in (443, 8443), timeout_s=_TIMEOUT_S, retries=0,
            verify_tls=False, max_response_bytes=_MOST_BYTES,
        )  # fmt: skip
        # onveef 0.6 lengthens its timeout for a pull in a way that httpx 0.28 refuses unless it is a plain number.
        self._client._timeout = _TIMEOUT_S  # type: ignore[assignment]
        self._url = ""
        self._renew_at = 0.0

    async def __aenter__(self) -> "PullPoint":
        try:
            with understood():
                await self._client.connect()
                if "events" not in self._client.endpoint.services:
                    raise await self._why_no_events()
                made = await self._client.events_create_pull_point(termination_time=_duration(self._hold_s))
        except CameraAnswer:
            await self._client.aclose()
            raise
        self._url = str(made.get("subscription_url") or "")
        self._renew_at = asyncio.get_running_loop().time() + self._hold_s / 2
        if not self._url.startswith(("http://", "https://")):
            await self._client.aclose()
            raise CameraAnswer("camera-answer", "The camera names no place to pull its events from.")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unsubscribe as politely as can be done at once: cameras have few places for subscribers."""
        with contextlib.suppress(CameraAnswer, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                with understood():
                    await self._client.events_unsubscribe(subscription_url=self._url)
        await self._client.aclose()

    async def pull(self) -> list[dict[str, Any]]:
        """Wait for messages; none when the time is over. Raises `CameraAnswer`."""
        with understood():
            if asyncio.get_running_loop().time() >= self._renew_at:
                await self._renew()
            answer = await self._client.events_pull_messages(
                subscription_url=self._url, timeout=_duration(self._wait_s), message_limit=_MOST_MESSAGES
            )
        messages = answer.get("messages")
        if not isinstance(messages, list) or not (messages or answer.get("current_time")):
            raise CameraAnswer("camera-answer", "The camera answered a pull with something that is no answer.")
        return messages[:_MOST_MESSAGES]

    async def _renew(self) -> None:
        with contextlib.suppress(OnvifOperationNotSupportedError):  # at such a camera each pull renews
            await self._client.events_renew(subscription_url=self._url, termination_time=_duration(self._hold_s))
        self._renew_at = asyncio.get_running_loop().time() + self._hold_s / 2

    async def _why_no_events(self) -> CameraAnswer:
        """A camera without events, or one that did not say what it has: ask it something all can answer."""
        if not await self._client.get_services():
            return CameraAnswer("camera-answer", "The camera answered with something that is no answer.")
        return CameraAnswer("camera-no-events", "The camera offers no events over ONVIF.")


def _duration(seconds: float) -> str:
    return f"PT{seconds:g}S"
