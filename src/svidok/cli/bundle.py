"""`svidok verify`: check a disclosure bundle, as a stranger would: no account, no database, no network."""

import hashlib
import json
import sys
from pathlib import Path

import click

from svidok.base import BadInput, from_us
from svidok.evidence.bundle.faults import Fault, Report, Verdict
from svidok.evidence.bundle.files import Files
from svidok.evidence.bundle.verify import TRUST_FILE, verify_bundle
from svidok.evidence.bundle.zipped import open_bundle

EXITS = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.PARTIAL: 3}


@click.command("verify")
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option("--trust", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The trust file: whose keys count. Get it from elsewhere than the bundle.")  # fmt: skip
@click.option(
    "--trust-sha256", help="Or its fingerprint (64 hex digits), published elsewhere: the bundle's copy is taken."
)
@click.option("--json", "as_json", is_flag=True, help="Say it in JSON.")
def verify_bundle_command(bundle: Path, *, trust: Path | None, trust_sha256: str | None, as_json: bool) -> None:
    """Check the disclosure BUNDLE (a folder or a ZIP): every clip, every file, every proof.

    Exit codes: 0 valid; 3 partial (nothing is false, but something is not proven); 1 invalid.
    """
    try:
        files = open_bundle(bundle)
    except (OSError, ValueError) as error:
        raise BadInput("bundle-unreadable", f"{bundle} is no bundle: {error}") from error
    report = verify_bundle(files, _trust(files, trust, trust_sha256))
    if as_json:
        click.echo(json.dumps(told_report(report), ensure_ascii=False, indent=1))
    else:
        _tell(report)
    sys.exit(EXITS[report.verdict])


def _trust(files: Files, path: Path | None, fingerprint: str | None) -> bytes | None:
    if path is not None:
        return path.read_bytes()
    if fingerprint is None:
        return None
    try:
        with files.open(TRUST_FILE) as file:
            own = file.read()
    except (OSError, KeyError) as error:
        raise BadInput("trust-missing", "The bundle holds no trust file. Give one with --trust.") from error
    if hashlib.sha256(own).hexdigest() != "".join(fingerprint.lower().split()):
        raise BadInput("trust-differs", "The bundle's keys are not those of this fingerprint. Do not trust it.")
    return own


def told_report(report: Report) -> dict[str, object]:
    """The report as JSON: what all verifiers say alike is in `verdict`, `items` and `codes`."""
    return {
        "verdict": str(report.verdict),
        "items": {name: str(verdict) for name, verdict in report.items},
        "codes": list(report.codes()),
        "faults": [
            {"item": one.item, "code": one.code, "verdict": str(one.verdict), "where": one.where, "says": one.says}
            for one in report.faults
        ],
    }


def _tell(report: Report) -> None:
    for name, verdict in report.items:
        click.echo(f"{verdict!s:8} {_plain(name)}")
        for fault in report.faults:
            if fault.item == name:
                click.echo(_plain(f"         {fault.code}  {fault.where}{_when(fault)}"))
                click.echo(_plain(f"             {fault.says}"))
    click.echo(f"{report.verdict}: {len(report.items)} items, {len(report.faults) or 'no'} faults")


def _plain(text: str) -> str:
    """`text` without letters that steer a terminal: names in a bundle are chosen by who may wish to look valid.

    >>> print(_plain("a" + chr(27) + "[2Jb"), _plain("data/Ї"))
    a\\x1b[2Jb data/Ї
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _when(fault: Fault) -> str:
    if fault.start_us is None or fault.end_us is None:
        return ""
    place = f", second {fault.second} of the clip" if fault.second is not None else ""
    return f", {from_us(fault.start_us).isoformat()} to {from_us(fault.end_us).isoformat()}{place}"
