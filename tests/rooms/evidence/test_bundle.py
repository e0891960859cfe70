"""A clean bundle is valid, whatever is changed in it is named, and other people's tools agree on its parts."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import zipfile

import bagit
import pypdf
import pytest
import rfc3161_client
from archives import odd_zips
from click.testing import CliRunner
from cryptography import x509
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from svidok.cli.bundle import verify_bundle_command
from svidok.evidence.bundle.faults import Verdict
from svidok.evidence.bundle.files import FolderFiles, MemoryFiles
from svidok.evidence.bundle.verify import verify_bundle
from svidok.evidence.bundle.writer import write_bundle, zip_bundle
from svidok.evidence.bundle.zipped import open_bundle

pytestmark = pytest.mark.timeout(300)  # whoever comes first waits for ffmpeg and three bundles


def check(files: dict[str, bytes], trust: bytes | None):
    return verify_bundle(MemoryFiles(files), trust)


def codes(files: dict[str, bytes], trust: bytes | None) -> set[str]:
    return set(check(files, trust).codes())


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def remade(files: dict[str, bytes]) -> dict[str, bytes]:
    """The manifests made anew, as anybody can."""

    def manifest(names: list[str]) -> bytes:
        return "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(names)).encode()

    files["manifest-sha256.txt"] = manifest([n for n in files if n.startswith("data/")])
    tags = [n for n in files if not n.startswith("data/") and n != "tagmanifest-sha256.txt"]
    files["tagmanifest-sha256.txt"] = manifest(tags)
    return files


def test_clean_bundles_are_what_they_are(bundles) -> None:
    for seed in "ab":
        report = verify_bundle(FolderFiles(bundles[seed].folder), bundles[seed].trust)
        assert (report.verdict, report.faults) == (Verdict.VALID, ())
    partial = check(bundles["c"].files, bundles["c"].trust)
    assert partial.verdict == Verdict.PARTIAL
    assert set(partial.codes()) == {
        "data/clips/01.mp4 not-signed", "data/files/02/blurred.txt derivative-not-original",
    }  # fmt: skip


def test_keys_that_come_with_the_bundle_prove_nothing(bundles) -> None:
    one = bundles["a"]
    report = check(one.files, None)
    assert (report.verdict, report.codes()) == (Verdict.PARTIAL, ("trust keys-unconfirmed",))
    assert check(one.files, bundles["b"].trust).verdict == Verdict.INVALID
    assert {"statement untrusted-key", "log untrusted-key", "witnesses witness-quorum-missing"} <= codes(
        one.files, bundles["b"].trust
    )


def test_a_changed_picture_is_named_to_the_second(bundles) -> None:
    one = bundles["a"]
    clip = one.files["data/clips/01.mp4"]
    report = check(one.files | {"data/clips/01.mp4": flipped(clip, len(clip) - 10)}, one.trust)
    (fault,) = report.faults
    assert (fault.code, fault.second) == ("fragment-changed", 7)
    assert "fragment 2" in fault.where


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("data/custody.json", "bag hash-mismatch"),
        ("data/clips/01.proof.json", "data/clips/01.mp4 hash-mismatch"),
        ("data/checkpoint", "log hash-mismatch"),
        ("proof/statement.json", "statement hash-mismatch"),
        ("proof/stamp-1.tst", "stamps hash-mismatch"),
        ("verify.html", "statement hash-mismatch"),
        ("data/page-one.pdf", "bag hash-mismatch"),
    ],
)
def test_a_flipped_bit_in_any_file_is_found(bundles, name: str, code: str) -> None:
    one = bundles["a"]
    data = one.files[name]
    changed = flipped(data, len(data) // 2)
    found = codes(one.files | {name: changed}, one.trust)
    assert code in found
    again = check(remade(one.files | {name: changed}), one.trust)
    assert again.verdict == Verdict.INVALID


def test_without_manifests_nothing_is_examined_and_nothing_is_clear(bundles) -> None:
    one = bundles["a"]
    report = check(one.files | {"manifest-sha256.txt": b"x"}, one.trust)
    assert {verdict for _, verdict in report.items} == {Verdict.INVALID}


def test_a_clip_cut_short_or_grown_or_exchanged_is_found(bundles) -> None:
    one, other = bundles["a"], bundles["b"]
    clip = one.files["data/clips/01.mp4"]
    assert "data/clips/01.mp4 bytes-missing" in codes(one.files | {"data/clips/01.mp4": clip[:-1]}, one.trust)
    assert codes(one.files | {"data/clips/01.mp4": clip + b"x"}, one.trust) == {"data/clips/01.mp4 extra-bytes"}
    assert codes(one.files | {"data/clips/01.mp4": flipped(clip, 300)}, one.trust) == {
        "data/clips/01.mp4 header-changed"
    }
    swapped = {"data/clips/01.mp4": other.files["data/clips/01.mp4"],
               "data/clips/01.proof.json": other.files["data/clips/01.proof.json"]}  # fmt: skip
    assert check(remade(one.files | swapped), one.trust).verdict == Verdict.INVALID


def test_a_file_too_many_and_a_file_too_few(bundles) -> None:
    one = bundles["a"]
    assert "bag extra-file" in codes(one.files | {"data/more.txt": b""}, one.trust)
    assert "bag extra-file" in codes(one.files | {"readme.txt": b""}, one.trust)
    for name in one.files:
        rest = {key: value for key, value in one.files.items() if key != name}
        assert check(rest, one.trust).verdict == Verdict.INVALID, name


def test_a_stolen_signing_key_does_not_bend_log_stamps_or_witnesses(bundles, tmp_path) -> None:
    """Whoever has every key but those of witnesses and authorities cannot date back, nor leave an event out."""
    court = bundles["a"].court
    files = dict(bundles["a"].files)
    told = json.loads(files["data/custody.json"])
    del told["events"][1]
    files["data/custody.json"] = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    found = codes(resigned(files, court), bundles["a"].trust)
    assert {"stamps tsa-untrusted", "stamps tsa-quorum-missing"} <= found
    assert "statement bad-signature" not in found
    files = dict(bundles["a"].files)
    note = files["data/checkpoint"].decode()
    files["data/checkpoint"] = "\n".join([*note.split("\n")[:5], ""]).encode()  # our signature and no witness's
    assert "witnesses witness-quorum-missing" in codes(resigned(files, court), bundles["a"].trust)


def resigned(files: dict[str, bytes], court) -> dict[str, bytes]:
    """Manifests and statement made anew with the discloser's own key."""
    from svidok.evidence.bundle.signing import PREDICATE_TYPE, STATEMENT_TYPE, write_envelope
    from svidok.ledger.cosigning import Key

    files = remade(files)
    subjects = [{"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}} for name, data in sorted(files.items())
                if not name.startswith("data/") and name not in ("tagmanifest-sha256.txt", "proof/statement.json")]  # fmt: skip
    statement = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": {}}
    key = Key.parse(court.trust.signer)
    files["proof/statement.json"] = write_envelope(statement, key=key, sign=court.signer.sign)
    return remade(files)


def test_a_zip_says_the_same_as_its_folder(bundles, tmp_path) -> None:
    target = zip_bundle(bundles["a"].folder, tmp_path / "a.zip")
    assert verify_bundle(open_bundle(target), bundles["a"].trust).verdict == Verdict.VALID


def test_other_peoples_tools_agree(bundles) -> None:
    one = bundles["a"]
    assert bagit.Bag(str(one.folder)).is_valid()
    envelope = Envelope.from_dict(json.loads(one.files["proof/statement.json"]) | {"signatures": [
        {"keyid": s["keyid"], "sig": s["sig"]} for s in json.loads(one.files["proof/statement.json"])["signatures"]]})  # fmt: skip
    raw = base64.b64decode(one.court.trust.signer.split("+", 2)[2])[1:]
    key = SSlibKey(
        json.loads(one.files["proof/statement.json"])["signatures"][0]["keyid"],
        "ed25519",
        "ed25519",
        {"public": raw.hex()},
    )
    assert envelope.verify([key], 1)
    manifest = one.files["manifest-sha256.txt"]
    for number, authority in enumerate(one.court.trust.authorities, 1):
        token = one.files[f"proof/stamp-{number}.tst"]
        body = b"\x30\x03\x02\x01\x00" + token
        answer = b"\x30\x82" + len(body).to_bytes(2, "big") + body
        verifier = (
            rfc3161_client.VerifierBuilder()
            .add_root_certificate(x509.load_der_x509_certificate(authority.root))
            .build()
        )
        assert verifier.verify_message(rfc3161_client.decode_timestamp_response(answer), manifest)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(one.folder / "data/page-one.pdf").pages)
    assert "Що не доведено" in text
    assert "What is not proven" in text
    for clip in ("01", "02"):
        subprocess.run(
            ["ffmpeg", "-v", "error", "-xerror", "-i", str(one.folder / f"data/clips/{clip}.mp4"), "-f", "null", "-"],
            check=True,
        )


def test_nothing_is_left_where_a_bundle_cannot_be_made(bundles, tmp_path) -> None:
    court = bundles["a"].court

    def fail(_: bytes):
        raise OSError("no authority")

    disclosure = __import__("svidok.evidence.bundle.model", fromlist=["Disclosure"]).Disclosure(
        id=court.new_id(), case=_case(court), made_at=court.at, made_by=_party(), given_to=_party(), legal_basis="",
        ranges=(),
    )  # fmt: skip
    with pytest.raises(OSError):
        write_bundle(tmp_path / "out", disclosure, court.means(court.note(), stamp=fail))
    assert list(tmp_path.iterdir()) == []


def _case(court):
    from svidok.evidence.bundle.model import CaseFacts

    return CaseFacts(id=court.new_id(), number="1", title="", legal_basis="", subjects="", unit="")


def _party():
    from svidok.evidence.bundle.model import Party

    return Party(name="Хтось")


def test_the_command_says_it_in_words_and_by_its_exit(bundles, tmp_path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(bundles["a"].trust)
    run = CliRunner().invoke
    clean = run(verify_bundle_command, [str(bundles["a"].folder), "--trust", str(trust)])
    assert clean.exit_code == 0
    assert "valid: " in clean.output
    fingerprint = hashlib.sha256(bundles["a"].trust).hexdigest()
    assert run(verify_bundle_command, [str(bundles["a"].folder), "--trust-sha256", fingerprint]).exit_code == 0
    assert run(verify_bundle_command, [str(bundles["a"].folder)]).exit_code == 3
    told = run(verify_bundle_command, [str(bundles["b"].folder), "--trust", str(trust), "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["verdict"] == "invalid"


def test_a_zip_that_two_programs_unpack_differently_is_refused(bundles, tmp_path) -> None:
    clean = zip_bundle(bundles["a"].folder, tmp_path / "a.zip").read_bytes()
    assert verify_bundle(open_bundle(tmp_path / "a.zip"), bundles["a"].trust).verdict == Verdict.VALID
    for number, (why, data) in enumerate(odd_zips(clean).items()):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        with pytest.raises(ValueError):
            open_bundle(path)
            pytest.fail(why)
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in bundles["a"].files.items():
            archive.writestr(f"розкриття/{name}", data)
    assert verify_bundle(open_bundle(packed), bundles["a"].trust).verdict == Verdict.VALID
    torn = packed.read_bytes()
    at = torn.index(b"data/clips/01.mp4") + 2000
    packed.write_bytes(torn[:at] + bytes([torn[at] ^ 255]) + torn[at + 1 :])
    assert verify_bundle(open_bundle(packed), bundles["a"].trust).verdict == Verdict.INVALID


def test_links_and_letters_that_steer_a_terminal_do_no_harm(bundles, tmp_path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundles["a"].folder, folder)
    (folder / "\x1b[2Jvalid").write_bytes(b"")
    (folder / os.fsdecode(b"\xff")).write_bytes(b"")
    told = CliRunner().invoke(verify_bundle_command, [str(folder)])
    assert told.exit_code == 1
    assert "\x1b" not in told.output
    (folder / "data" / "elsewhere").symlink_to(tmp_path)
    assert "bag malformed" in set(verify_bundle(open_bundle(folder), bundles["a"].trust).codes())


def test_a_disk_that_says_another_thing_each_time_is_not_believed(bundles) -> None:
    class Fickle(MemoryFiles):
        def open(self, name: str):
            asked.append(name)
            data = bundles["a"].files[name]
            return io.BytesIO(data.replace(b"0123", b"9999") if asked.count(name) > 1 else data)

    asked: list[str] = []
    report = verify_bundle(Fickle(bundles["a"].files), bundles["a"].trust)
    assert "disclosure hash-mismatch" in report.codes()
