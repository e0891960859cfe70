"""ONVIF's topics in our words: what makers send, what we keep, what we leave, and that nothing a camera sends raises."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svidok.fleet.drivers.topics import States, translate
from svidok.fleet.events import MOST_A_MINUTE, Ration
from svidok.fleet.model import EventKind

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def message(topic: str, data: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"topic": topic, "data": data, "source": {}, "utc_time": "2026-11-24T12:00:00Z"} | more


@pytest.mark.parametrize(
    ("topic", "data", "kind", "active"),
    [
        ("tns1:RuleEngine/CellMotionDetector/Motion", {"IsMotion": "true"}, EventKind.MOTION, True),
        ("tns1:VideoSource/MotionAlarm", {"State": "false"}, EventKind.MOTION, False),
        ("tns1:RuleEngine/tns1:MotionRegionDetector/tns1:Motion", {"State": "1"}, EventKind.MOTION, True),
        ("tns1:RuleEngine/TamperDetector/Tamper", {"IsTamper": "true"}, EventKind.TAMPER, True),
        ("tns1:VideoSource/GlobalSceneChange/ImagingService", {"State": "true"}, EventKind.TAMPER, True),
        ("tns1:VideoSource/ImageTooDark/AnalyticsService", {"State": "0"}, EventKind.TAMPER, False),
        ("tns1:VideoSource/SignalLoss", {"State": "true"}, EventKind.SIGNAL_LOSS, True),
        ("tns1:Device/Trigger/DigitalInput", {"LogicalState": "true"}, EventKind.DIGITAL_INPUT, True),
        ("tns1:RecordingConfig/JobState", {"State": "Active"}, EventKind.OWN_RECORDING, True),
        ("tns1:RecordingConfig/JobState", {"State": "Idle"}, EventKind.OWN_RECORDING, False),
        ("tns1:Device/HardwareFailure/StorageFailure", {"Failed": "true"}, EventKind.STORAGE_FAILURE, True),
        ("tns1:VideoSource/MotionAlarm", {"State": "perhaps"}, EventKind.MOTION, None),
    ],
)
def test_what_onvif_names_is_understood(topic: str, data: dict[str, str], kind: EventKind, active: bool | None) -> None:
    told = translate(message(topic, data))
    assert told is not None
    assert (told.kind, told.active, told.camera_at) == (kind, active, NOON)


@pytest.mark.parametrize(
    "topic", ["", "tns1:Monitoring/OperatingTime/LastReboot", "tnsx:Motion", "tns1:RuleEngine/FaceDetector/Face"]
)
def test_what_nobody_named_is_no_event(topic: str) -> None:
    assert translate(message(topic, {"State": "true"})) is None


def test_the_source_is_short_and_printable_and_a_deleted_part_rests() -> None:
    told = translate(
        message(
            "tns1:VideoSource/MotionAlarm", {"State": "true"}, source={"b": "x\x00\n" * 90, "a": "first"},
            property_operation="Deleted", utc_time="not a time",
        )
    )  # fmt: skip
    assert told is not None
    assert (told.active, told.camera_at, told.source[:8], len(told.source)) == (False, None, "first xx", 80)


def test_a_time_with_another_zone_is_the_same_instant() -> None:
    told = translate(message("tns1:VideoSource/MotionAlarm", {}, utc_time="2026-11-24T14:00:00+02:00"))
    assert told is not None
    assert told.camera_at == NOON


@given(st.dictionaries(st.sampled_from(["topic", "data", "source", "utc_time", "property_operation"]),
                       st.one_of(st.text(), st.none(), st.dictionaries(st.text(), st.text()))))  # fmt: skip
def test_nothing_that_a_camera_sends_raises(sent: dict[str, Any]) -> None:
    translate(sent)
    translate({**sent, "topic": "tns1:VideoSource/MotionAlarm"})


def test_only_what_changes_is_news() -> None:
    states = States()

    def news(value: str, operation: str = "Changed", source: str = "v1") -> bool:
        told = translate(
            message(
                "tns1:VideoSource/MotionAlarm", {"State": value}, source={"s": source}, property_operation=operation
            )
        )
        assert told is not None
        return states.is_news(told)

    assert not news("false", "Initialized")
    assert [news("true"), news("true"), news("false"), news("false")] == [True, False, True, False]
    assert news("true", "Initialized"), "motion that lasts when we come is news"
    assert not news("true", "Initialized"), "but not again at the next subscription"
    assert news("true", source="v2"), "another part has a state of its own"
    assert sum(news("true", source=f"made up {n}") for n in range(1000)) < 200, "parts made up for ever are bounded"


def test_a_ration_leaves_out_what_is_too_much_and_says_how_much() -> None:
    ration = Ration()
    taken = [ration.take(NOON) for _ in range(MOST_A_MINUTE + 7)]
    assert (sum(taken), ration.left_out(NOON)) == (MOST_A_MINUTE, 0)
    later = NOON.replace(minute=1)
    assert (ration.left_out(later), ration.left_out(later), ration.take(later)) == (7, 0, True)
