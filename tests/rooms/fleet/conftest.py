"""A small ONVIF device with events by PullPoint, for tests: asyncio's own server, and answers in recorded form.

`ipycam`, which plays the rest of ONVIF in the tests, has no events. The
answers here follow the ONVIF Core specification (section 9, real-time
pull-point notification), WS-BaseNotification and WS-Addressing, with the
namespaces, the order of elements and the odd habits of real devices: an
address of its own that nobody can reach, `Initialized` messages at each
subscription, a fault for a subscription it has forgotten. Only what our client
asks for is there.
UsernameToken digests are checked as WS-Security says.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tns1="http://www.onvif.org/ver10/topics"'
    ' xmlns:ter="http://www.onvif.org/ver10/error">'
    "<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_FAULT = (
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>"
    "<SOAP-ENV:Value>{code}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason>"
    '<SOAP-ENV:Text xml:lang="en">{text}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>'
)


@dataclass(slots=True)
class Subscription:
    """What the device holds of one subscriber."""

    ends_at: datetime
    waiting: list[str] = field(default_factory=list)
    renewed: int = 0


def message(
    topic: str, data: dict[str, str], *, source: dict[str, str] | None = None, at: datetime | None = None,
    operation: str = "Changed",
) -> str:  # fmt: skip
    """A notification message as devices write it."""

    def items(values: dict[str, str]) -> str:
        return "".join(f'<tt:SimpleItem Name="{name}" Value="{value}"/>' for name, value in values.items())

    utc = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{utc}" PropertyOperation="{operation}">'
        f"<tt:Source>{items(source or {})}</tt:Source><tt:Data>{items(data)}</tt:Data>"
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


class Device:
    """The device. Set `trouble` to garbage, silence, reset or no-events while it runs."""

    message = staticmethod(message)

    def __init__(self, *, username: str = "eye", password: str = "secret") -> None:
        self.username, self.password = username, password
        self.trouble = ""
        self.renewable = True
        self.standing: list[str] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.asked: list[str] = []
        self.made = 0
        self._news = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> str:
        """Listen; host:port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening, and cut who is connected."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def tell(self, *messages: str) -> None:
        """Give every subscriber `messages`."""
        async with self._news:
            for subscription in self.subscriptions.values():
                subscription.waiting += messages
            self._news.notify_all()

    async def restart(self) -> None:
        """Forget every subscription, as a device does that was switched off and on."""
        async with self._news:
            self.subscriptions.clear()
            self._news.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = int(re.search(r"content-length: (\d+)", head, re.I)[1])  # type: ignore[index]
                body = (await reader.readexactly(length)).decode()
                status, answer = await self._answer(head.split(" ")[1], body)
                if status == 0:
                    return
                data = answer.encode()
                line = f"HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
                writer.write(f"{line}Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the test is over, or the client went away
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, path: str, body: str) -> tuple[int, str]:
        found = re.search(r"Body>\s*<(?:\w+:)?(\w+)", body)
        operation = found[1] if found else ""
        self.asked.append(operation)
        if self.trouble == "silence":
            await asyncio.sleep(3600)
        if self.trouble == "reset":
            return 0, ""
        if self.trouble == "garbage":
            return 200, "<html><body>404 <b>not XML & never was"
        if operation not in ("GetSystemDateAndTime", "GetServices", "GetCapabilities") and not self._knows(body):
            return 400, self._fault("ter:NotAuthorized", "Sender not Authorized")
        answers = {
            "GetServices": self._services, "GetSystemDateAndTime": self._time,
            "CreatePullPointSubscription": self._subscribe,
        }  # fmt: skip
        if operation in answers:
            return 200, _ENVELOPE.format(body=answers[operation]())
        subscription = self.subscriptions.get(int(path.rpartition("_")[2] or 0)) if "_sub_" in path else None
        if subscription is None:
            return 400, self._fault("wsrf-rw:ResourceUnknownFault", "unknown subscription")
        if operation == "PullMessages":
            return 200, await self._pull(path, subscription, body)
        if operation == "Renew":
            return self._renew(subscription)
        if operation == "Unsubscribe":
            del self.subscriptions[int(path.rpartition("_")[2])]
            return 200, _ENVELOPE.format(body="<wsnt:UnsubscribeResponse/>")
        return 400, self._fault("ter:ActionNotSupported", "Optional Action Not Implemented")

    def _knows(self, body: str) -> bool:
        def part(name: str) -> str:
            found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)<", body)
            return found[1] if found else ""

        digest = hashlib.sha1(base64.b64decode(part("Nonce")) + part("Created").encode() + self.password.encode())
        return part("Username") == self.username and part("Password") == base64.b64encode(digest.digest()).decode()

    def _fault(self, code: str, text: str) -> str:
        return _ENVELOPE.format(body=_FAULT.format(code=code, text=text))

    def _services(self) -> str:
        names = {"device": "device/wsdl", "events": "events/wsdl"}
        if self.trouble == "no-events":
            del names["events"]
        return "<tds:GetServicesResponse>" + "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{space}</tds:Namespace>"
            f"<tds:XAddr>http://192.0.2.7/onvif/{name}_service</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for name, space in names.items()
        ) + "</tds:GetServicesResponse>"  # fmt: skip

    def _time(self) -> str:
        now = datetime.now(UTC)
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time>"
            f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
            f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _subscribe(self) -> str:
        self.made += 1
        now = datetime.now(UTC)
        self.subscriptions[self.made] = Subscription(now + timedelta(seconds=60), list(self.standing))
        return (
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
            f"<wsa5:Address>http://192.0.2.7/event/pull_sub_{self.made}</wsa5:Address></tev:SubscriptionReference>"
            f"{self._times(self.subscriptions[self.made])}</tev:CreatePullPointSubscriptionResponse>"
        ).replace("tev:CurrentTime", "wsnt:CurrentTime").replace("tev:TerminationTime", "wsnt:TerminationTime")  # fmt: skip

    def _times(self, subscription: Subscription) -> str:
        now = datetime.now(UTC)
        return (
            f"<tev:CurrentTime>{now:%Y-%m-%dT%H:%M:%SZ}</tev:CurrentTime>"
            f"<tev:TerminationTime>{subscription.ends_at:%Y-%m-%dT%H:%M:%SZ}</tev:TerminationTime>"
        )

    async def _pull(self, path: str, subscription: Subscription, body: str) -> str:
        wait = float(re.search(r"Timeout>PT([\d.]+)S", body)[1])  # type: ignore[index]
        most = int(re.search(r"MessageLimit>(\d+)", body)[1])  # type: ignore[index]
        number = int(path.rpartition("_")[2])
        try:
            async with asyncio.timeout(wait), self._news:
                await self._news.wait_for(lambda: subscription.waiting or number not in self.subscriptions)
        except TimeoutError:
            pass
        if number not in self.subscriptions:
            return self._fault("wsrf-rw:ResourceUnknownFault", "unknown subscription")
        told, subscription.waiting = subscription.waiting[:most], subscription.waiting[most:]
        times = self._times(subscription)
        return _ENVELOPE.format(body=f"<tev:PullMessagesResponse>{times}{''.join(told)}</tev:PullMessagesResponse>")

    def _renew(self, subscription: Subscription) -> tuple[int, str]:
        if not self.renewable:
            return 500, self._fault("ter:ActionNotSupported", "Optional Action Not Implemented")
        subscription.renewed += 1
        subscription.ends_at = datetime.now(UTC) + timedelta(seconds=60)
        times = self._times(subscription).replace("tev:", "wsnt:")
        return 200, _ENVELOPE.format(body=f"<wsnt:RenewResponse>{times}</wsnt:RenewResponse>")


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    """A device that listens; `type(device)()` makes another."""
    made = Device()
    await made.start()
    yield made
    await made.stop()
