"""Page one of a bundle, for a person in court: as HTML in each language, and as one PDF in both.

It says on what legal basis, who, when, which device, how obtained, how far the
clock was off, what is missing, what is proven and what is not. Verifiers do not
read it: they take everything from `disclosure.json`, of which this is a print.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import font_roboto
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from svidok.evidence.bundle.model import Disclosure, Trust
from svidok.evidence.bundle.words import HOW, LANGUAGES, NOT_PROVEN, PROVEN, REASONS, WORDS
from svidok.ledger import JSON

__all__ = ["LANGUAGES", "Facts", "write_html", "write_pdf"]

_KYIV = ZoneInfo("Europe/Kyiv")

Row = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What page one is written from: the disclosure, as it is told in JSON too, whose keys, and the ledger's size."""

    disclosure: Disclosure
    told: dict[str, JSON]
    trust: Trust
    trust_sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A heading, then rows of a name and what it is, then a list of sentences."""

    heading: str
    rows: tuple[Row, ...] = ()
    lines: tuple[str, ...] = ()


def _sections(facts: Facts, language: str) -> Iterator[_Section]:
    words, one = WORDS[language], facts.disclosure
    rows = [
        (words["case_number"], f"{one.case.number}  {one.case.title}".strip()),
        (words["legal_basis"], one.legal_basis or one.case.legal_basis),
        (words["subjects"], one.case.subjects), (words["unit"], one.case.unit),
        (words["made_by"], _party(one.made_by.name, one.made_by.role, one.made_by.service)),
        (words["given_to"], _party(one.given_to.name, one.given_to.role, one.given_to.service)),
        (words["made_at"], _instant(one.made_at)), (words["note"], one.note), (words["id"], str(one.id)),
    ]  # fmt: skip
    yield _Section(heading=words["case"], rows=tuple(row for row in rows if row[1]))
    told: Any = facts.told
    for item in [*told["clips"], *told["files"]]:
        yield _Section(heading=f"{words['exhibit']} {item['number']}  {item['title']}", rows=_exhibit(item, language))
    yield _Section(heading=words["custody"], rows=_custody(one), lines=() if one.custody else (words["no_custody"],))
    yield _Section(heading=words["proven"], lines=PROVEN[language])
    yield _Section(heading=words["not_proven"], lines=NOT_PROVEN[language])
    yield _Section(heading=words["keys"], rows=_keys(facts, language), lines=(words["keys_text"],))


def _exhibit(item: dict[str, Any], language: str) -> tuple[Row, ...]:
    words = WORDS[language]
    device = item["device"] or {}
    made = " ".join(filter(None, [device.get("name"), device.get("maker"), device.get("model"), device.get("serial")]))
    rows = [(words["file"], item["path"]), (words["how"], HOW[language][item["how"]])]
    if "from" in item:
        rows.append((words["from_to"], f"{_told_instant(item['from'])} – {_told_instant(item['to'])}"))
    if made:
        rows.append((words["device"], made))
    if device.get("place"):
        rows.append((words["place"], device["place"]))
    if "from" in item:
        rows.append((words["clock"], _clock(item["clock"], words)))
        px = device.get("zone_px_m")
        rows.append((words["detail"], words["px_m"].format(px=px) if px else words["no_detail"]))
        rows.append((words["gaps"], "; ".join(_gap(gap, language) for gap in item["gaps"]) or words["no_gaps"]))
    signature = item["device_signature"]
    rows.append((words["device_signature"], ", ".join(signature["findings"]) if signature else words["no_signature"]))
    if item.get("derived_from"):
        by = item["derived_from"]
        rows.append((words["derived"], words["derived_from"].format(of=by["sha256"], by=by["made_by"])))
    if "sha256" in item:
        rows.append((words["sha256"], item["sha256"]))
    rows.append((words["size"], f"{item['size_bytes'] / 1e6:.1f} MB"))
    if item["note"]:
        rows.append((words["note"], item["note"]))
    return tuple(rows)


def _clock(clock: dict[str, Any] | None, words: dict[str, str]) -> str:
    if clock is None:
        return words["no_clock"]
    form = words["ahead"] if clock["offset_us"] >= 0 else words["behind"]
    return form.format(ms=round(abs(clock["offset_us"]) / 1000), error=round(clock["error_us"] / 1000))


def _gap(gap: dict[str, Any], language: str) -> str:
    end = _told_instant(gap["to"]) if gap["to"] else "…"
    return f"{_told_instant(gap['from'])} – {end}: {REASONS[language].get(gap['reason'], gap['reason'])}"


def _custody(one: Disclosure) -> tuple[Row, ...]:
    numbers = {item.exhibit: item.number for item in one.ranges} | {item.exhibit: item.number for item in one.files}
    rows = []
    for event in one.custody:
        payload = json.loads(event.payload)
        kind = event.entry.kind.partition(".")[2]
        number = numbers.get(event.entry.subject, "")
        rows.append((_instant(event.entry.at), f"{number}  {kind}  {payload.get('actor', '')}".strip()))
    return tuple(rows)


def _keys(facts: Facts, language: str) -> tuple[Row, ...]:
    words, trust = WORDS[language], facts.trust
    stamps = [f"{one.name} ({words['test']})" if one.is_test else one.name for one in trust.authorities]
    quorum = words["witnesses_text"].format(quorum=trust.quorum, count=len(trust.witnesses))
    return (
        ("SHA-256", facts.trust_sha256), (words["log"], str(facts.size)), (words["witnesses"], quorum),
        (words["authorities"], "; ".join(stamps) or "–"),
    )  # fmt: skip


def _party(name: str, role: str, service: str) -> str:
    return ", ".join(filter(None, [name, role, service]))


def _instant(at: datetime) -> str:
    local = at.astimezone(_KYIV)
    return f"{local:%d.%m.%Y %H:%M:%S} (UTC{local:%z})"


def _told_instant(text: str) -> str:
    return _instant(datetime.strptime(text.removesuffix("Z") + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z"))


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#16212d;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.05rem;margin:1.6rem 0 .4rem;border-bottom:1px solid #d5dde6}
table{border-collapse:collapse;width:100%}td{padding:.2rem .8rem .2rem 0;vertical-align:top;overflow-wrap:anywhere}
td:first-child{color:#546579;width:13rem}ul{padding-left:1.2rem}@media print{body{margin:0}}
"""


def write_html(facts: Facts, language: str) -> bytes:
    """Page one in `language` as a page of its own, with nothing fetched from anywhere."""
    words = WORDS[language]
    parts = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(words["title"])}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>',
        f"<h1>{escape(words['title'])}</h1><p>{escape(words['lead'])}</p>",
    ]
    for section in _sections(facts, language):
        parts.append(f"<h2>{escape(section.heading)}</h2>")
        if section.rows:
            rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in section.rows)
            parts.append(f"<table>{rows}</table>")
        if section.lines:
            parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in section.lines) + "</ul>")
    return "\n".join([*parts, "</html>\n"]).encode()


def write_pdf(facts: Facts) -> bytes:
    """Page one in each language, one after the other, as a PDF."""
    _register_fonts()
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target, pagesize=A4, topMargin=16 * mm, bottomMargin=16 * mm, leftMargin=18 * mm, rightMargin=18 * mm,
        title=WORDS["uk"]["title"], author=facts.trust.name, invariant=1,
    )  # fmt: skip
    story: list[Flowable] = []
    for language in LANGUAGES:
        if story:
            story.append(PageBreak())
        story += _flowables(facts, language)
    document.build(story, onFirstPage=_footer(facts), onLaterPages=_footer(facts))
    return target.getvalue()


_TEXT = ParagraphStyle("text", fontName="Roboto", fontSize=9, leading=12.5, textColor=colors.HexColor("#16212d"))
_DIM = ParagraphStyle("dim", parent=_TEXT, textColor=colors.HexColor("#546579"))
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Roboto-Bold", fontSize=17, leading=21, spaceAfter=4)
_HEADING = ParagraphStyle("heading", parent=_TEXT, fontName="Roboto-Bold", fontSize=10.5, leading=14, spaceBefore=9)
_LINES = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1),
                     ("BOTTOMPADDING", (0, 0), (-1, -1), 1), ("LEFTPADDING", (0, 0), (-1, -1), 0)])  # fmt: skip


def _register_fonts() -> None:
    folder = Path(font_roboto.__file__).parent / "files"
    for name, file in (("Roboto", "Roboto-Regular.ttf"), ("Roboto-Bold", "Roboto-Bold.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / file))


def _flowables(facts: Facts, language: str) -> list[Flowable]:
    words = WORDS[language]
    story: list[Flowable] = [Paragraph(escape(words["title"]), _TITLE), Paragraph(escape(words["lead"]), _DIM)]
    for section in _sections(facts, language):
        story.append(Paragraph(escape(section.heading), _HEADING))
        if section.rows:
            rows = [[Paragraph(escape(name), _DIM), Paragraph(escape(text), _TEXT)] for name, text in section.rows]
            story.append(Table(rows, colWidths=[44 * mm, 130 * mm], style=_LINES, hAlign="LEFT"))
        story += [Paragraph("•  " + escape(line), _TEXT) for line in section.lines]
    story.append(Spacer(1, 4 * mm))
    return story


def _footer(facts: Facts) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.setFont("Roboto", 7)
        canvas.setFillColor(colors.HexColor("#546579"))
        canvas.drawString(18 * mm, 9 * mm, f"{facts.disclosure.case.number}  {facts.disclosure.id}")
        canvas.drawRightString(192 * mm, 9 * mm, str(document.page))

    return draw


def fingerprint(trust: bytes) -> str:
    """The SHA-256 of a trust file, by which a person compares it."""
    return hashlib.sha256(trust).hexdigest()
