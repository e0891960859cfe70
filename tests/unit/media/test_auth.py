"""The examples of the standards, and what cameras send instead of them."""

import pytest

from svidok.media.rtsp_auth import authorization, parse_challenges


def part(header: str, name: str) -> str:
    return next(one.split("=", 1)[1].strip('"') for one in header.split(", ") if one.split("=")[0].endswith(name))


def test_rfc_2617_section_3_5() -> None:
    challenge = parse_challenges([
        ('Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"')
    ])  # fmt: skip
    header = authorization(
        challenge, method="GET", uri="/dir/index.html", username="Mufasa", password="Circle Of Life", cnonce="0a4f113b"
    )
    assert part(header, "response") == "6629fae49393a05397450978507c4ef1"
    assert part(header, "nc") == "00000001"
    assert part(header, "opaque") == "5ccc069c403ebaf9f0171e9517f40e41"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = parse_challenges([
        ('Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"')
    ])  # fmt: skip
    header = authorization(
        challenge, method="GET", uri="/dir/index.html", username="Mufasa", password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )  # fmt: skip
    assert part(header, "response") == response


def test_the_strongest_challenge_is_answered_and_odd_ones_are_read() -> None:
    weak, strong = 'Digest realm="r",nonce="n"', 'digest  realm=bare , nonce="m", algorithm=sha-256'
    assert parse_challenges(["Basic realm=x", weak]).scheme == "digest"
    assert parse_challenges([weak, strong, "Basic"]).parts["nonce"] == "m"
    assert parse_challenges(["Basic"]).scheme == "basic"
    for nothing in ([], ["Negotiate"], ["Digest realm=x"], ['Digest nonce="n", algorithm=SHA-512'], [""]):
        assert parse_challenges(nothing) is None


def test_without_qop_the_old_form_is_used_and_counts_grow_with_it() -> None:
    old = parse_challenges(['Digest realm="r", nonce="n"'])
    plain = authorization(old, method="PLAY", uri="rtsp://c/1", username="u", password="p")
    assert "qop" not in plain
    assert plain == authorization(old, method="PLAY", uri="rtsp://c/1", username="u", password="p")
    new = parse_challenges(['Digest realm="r", nonce="n", qop=auth'])
    counts = [part(authorization(new, method="PLAY", uri="u", username="u", password="p"), "nc") for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


def test_basic_keeps_every_letter() -> None:
    challenge = parse_challenges(['Basic realm="x"'])
    assert authorization(challenge, method="X", uri="u", username="оператор", password="п:1") == (
        "Basic 0L7Qv9C10YDQsNGC0L7RgDrQvzox"
    )
