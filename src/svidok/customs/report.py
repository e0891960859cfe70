"""The monthly report of a checkpoint as a printable PDF, in Ukrainian or English. Draws, and decides nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from svidok.base import new_id
from svidok.customs import checkpoints, dashboard
from svidok.customs.model import KYIV
from svidok.customs.report_words import EN, UK
from svidok.customs.sums import sum_due
from svidok.db import Database, Row

Progress = Callable[[int, int | None, str], None]
_INK, _DIM, _LINE, _BLUE, _SAND = (
    colors.HexColor(one) for one in ("#16212d", "#5a6d83", "#d5dde6", "#1668a8", "#c98a1b")
)
_WIDTH = A4[0] - 36 * mm - 12  # a frame keeps six points on each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report is drawn from."""

    checkpoint: Row
    first: date
    last: date
    figures: dict[str, Any]
    comparison: dict[str, Any]
    at: datetime


def make_report(
    database: Database, folder: Path, *, checkpoint_id: UUID, month: date, language: str, at: datetime,
    progress: Progress,
) -> str:  # fmt: skip
    """Make the report of the month of `month` into `folder`; its id."""
    progress(0, 5, "sums")
    sum_due(database)
    first, last = dashboard.month_of(month)
    progress(1, 5, "figures")
    with database.transaction() as tx:
        checkpoint = checkpoints.checkpoint(tx, checkpoint_id)
        figures = dashboard.overview(tx, checkpoint_id=checkpoint_id, first=first, last=last)
        progress(2, 5, "comparison")
        days = (last - first).days + 1
        comparison = dashboard.before_after(tx, checkpoint_id=checkpoint_id, kind=None, split=first, days=days)
    progress(3, 5, "drawing")
    data = draw(
        Told(checkpoint=checkpoint, first=first, last=last, figures=figures, comparison=comparison, at=at), language
    )
    report_id = str(new_id())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report_id}.pdf"
    path.write_bytes(data)
    progress(5, 5, path.name)
    return report_id


def draw(told: Told, language: str) -> bytes:
    """The PDF. The same figures make the same pages."""
    words = UK if language == "uk" else EN
    _fonts()
    style = _styles()
    name = told.checkpoint["name_uk"] if language == "uk" else told.checkpoint["name_en"] or told.checkpoint["name_uk"]
    figures = told.figures
    story: list[Flowable] = [
        Paragraph(words["title"], style["title"]),
        Paragraph(f"{name} · {told.checkpoint['code']} · {told.first:%d.%m.%Y} – {told.last:%d.%m.%Y}", style["under"]),
        Paragraph(words["about"].format(n=figures["threshold"]), style["dim"]),
        Spacer(1, 5 * mm),
        _key_figures(figures["all"], words, style),
        *_section(words["trend"], style, _trend(figures["trend"])),
        *_section(words["comparison"], style, Paragraph(_sentence(told.comparison, words), style["text"])),
        *_section(words["by_kind"], style, _facet(figures["kind"], words["kind"], words, style)),
        *_section(words["by_lane"], style, _facet(figures["lane"], words["lane"], words, style)),
        *_section(words["by_hour"], style, _hours(figures["hour"])),
        *_section(words["irregularities"], style,
                  _pairs(figures["irregularities"], (words["cause"], words["condition"]), words, style)),
        *_section(words["missing"], style,
                  _pairs(figures["missing"], (words["requirement"], words["why"]), words, style)),
        *_section(words["method"], style, Paragraph(words["method_text"], style["dim"])),
    ]  # fmt: skip
    into = BytesIO()
    made = words["made"].format(at=f"{told.at.astimezone(KYIV):%d.%m.%Y %H:%M}")

    def foot(canvas: Any, _document: Any) -> None:
        canvas.setFont("Roboto", 8)
        canvas.setFillColor(_DIM)
        canvas.drawString(18 * mm, 10 * mm, made)
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, words["page"].format(n=canvas.getPageNumber()))

    SimpleDocTemplate(
        into, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=18 * mm,
        title=f"{words['title']} · {name}", author="Svidok", lang=language, invariant=1,
    ).build(story, onFirstPage=foot, onLaterPages=foot)  # fmt: skip
    return into.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> None:
    for name, file in (("Roboto", "Roboto-Regular.ttf"), ("Roboto-Bold", "Roboto-Bold.ttf")):
        path = resources.files("font_roboto").joinpath("files", file)
        pdfmetrics.registerFont(TTFont(name, str(path)))


@lru_cache(maxsize=1)
def _styles() -> dict[str, ParagraphStyle]:
    base = ParagraphStyle("text", fontName="Roboto", fontSize=9.5, leading=13, textColor=_INK)
    return {
        "text": base,
        "dim": ParagraphStyle("dim", base, fontSize=8.5, leading=12, textColor=_DIM),
        "title": ParagraphStyle("title", base, fontName="Roboto-Bold", fontSize=19, leading=24),
        "under": ParagraphStyle("under", base, fontSize=11, leading=16, textColor=_BLUE, spaceAfter=4),
        "head": ParagraphStyle("head", base, fontName="Roboto-Bold", fontSize=12, leading=16, spaceBefore=10,
                               spaceAfter=4),
        "figure": ParagraphStyle("figure", base, fontName="Roboto-Bold", fontSize=16, leading=20),
    }  # fmt: skip


def _section(title: str, style: dict[str, ParagraphStyle], body: Flowable) -> list[Flowable]:
    return [KeepTogether([Paragraph(title, style["head"]), body])]


def _key_figures(whole: dict[str, Any], words: dict[str, str], style: dict[str, ParagraphStyle]) -> Table:
    cells = (
        (words["procedures"], _count(whole["procedures"])), (words["median"], _time(whole["median_s"], words)),
        (words["p90"], _time(whole["p90_s"], words)), (words["wait"], _time(whole["wait_median_s"], words)),
        (words["queue"], "–" if whole["queue"] is None else f"{whole['queue']:.1f}"),
    )  # fmt: skip
    row = [
        [Paragraph(text, style["figure"]) for _, text in cells],
        [Paragraph(name, style["dim"]) for name, _ in cells],
    ]
    table = Table(row, colWidths=[_WIDTH / len(cells)] * len(cells))
    table.setStyle(TableStyle([("LINEABOVE", (0, 0), (-1, 0), 1, _BLUE), ("LINEBELOW", (0, 1), (-1, 1), 0.5, _LINE),
                               ("LEFTPADDING", (0, 0), (-1, -1), 0)]))  # fmt: skip
    return table


def _trend(points: Sequence[dict[str, Any]]) -> Drawing:
    """Median and 90th percentile by day, in minutes."""
    drawing = Drawing(_WIDTH, 52 * mm)
    known = [(n, one) for n, one in enumerate(points, start=1) if one["median_s"] is not None]
    if len(known) < 2:
        drawing.add(String(0, 26 * mm, "–", fontName="Roboto", fontSize=9, fillColor=_DIM))
        return drawing
    plot = LinePlot()
    plot.x, plot.y, plot.width, plot.height = 24, 18, _WIDTH - 34, 52 * mm - 26
    plot.data = [[(n, one[name] / 60) for n, one in known] for name in ("median_s", "p90_s")]
    for number, colour in enumerate((_BLUE, _SAND)):
        plot.lines[number].strokeColor, plot.lines[number].strokeWidth = colour, 1.6
    plot.xValueAxis.valueMin, plot.xValueAxis.valueMax = 1, max(2, len(points))
    plot.xValueAxis.valueSteps = list(range(1, len(points) + 1, max(1, len(points) // 10)))
    plot.xValueAxis.labelTextFormat = lambda n: f"{points[int(n) - 1]['day']:%d.%m}"
    plot.yValueAxis.valueMin, plot.yValueAxis.labelTextFormat = 0, "%d"
    _plain(plot.xValueAxis, plot.yValueAxis)
    drawing.add(plot)
    drawing.add(String(_WIDTH - 110, 52 * mm - 8, "— p50", fontName="Roboto", fontSize=8, fillColor=_BLUE))
    drawing.add(String(_WIDTH - 60, 52 * mm - 8, "— p90", fontName="Roboto", fontSize=8, fillColor=_SAND))
    return drawing


def _hours(cells: Sequence[dict[str, Any]]) -> Drawing:
    drawing, by_hour = Drawing(_WIDTH, 42 * mm), {one["value"]: one["procedures"] or 0 for one in cells}
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 24, 18, _WIDTH - 34, 42 * mm - 24
    chart.data = [[by_hour.get(f"{hour:02d}", 0) for hour in range(24)]]
    chart.categoryAxis.categoryNames = [f"{hour:02d}" for hour in range(24)]
    chart.bars[0].fillColor, chart.bars[0].strokeColor = _BLUE, None
    chart.valueAxis.valueMin, chart.valueAxis.labelTextFormat = 0, "%d"
    _plain(chart.categoryAxis, chart.valueAxis)
    drawing.add(chart)
    return drawing


def _plain(*axes: Any) -> None:
    for axis in axes:
        axis.labels.fontName, axis.labels.fontSize, axis.labels.fillColor = "Roboto", 7.5, _DIM
        axis.strokeColor = _LINE


def _facet(
    cells: Sequence[dict[str, Any]], name: str, words: dict[str, str], style: dict[str, ParagraphStyle]
) -> Flowable:
    head = [name, words["procedures"], words["median"], words["p90"], words["wait"]]
    rows = [
        [words.get(one["value"], one["value"]), _count(one["procedures"]), _time(one["median_s"], words),
         _time(one["p90_s"], words), _time(one["wait_median_s"], words)]
        for one in cells
    ]  # fmt: skip
    return _table([head, *rows], words, style)


def _pairs(
    cells: Sequence[dict[str, Any]], names: tuple[str, str], words: dict[str, str], style: dict[str, ParagraphStyle]
) -> Flowable:
    rows = [[words.get(one["what"], one["what"]), words.get(one["why"], one["why"]), _count(one["count"])]
            for one in cells[:16]]  # fmt: skip
    return _table([[*names, words["count"]], *rows], words, style)


def _table(rows: list[list[str]], words: dict[str, str], style: dict[str, ParagraphStyle]) -> Flowable:
    if len(rows) == 1:
        return Paragraph(words["none"], style["dim"])
    cells = [[Paragraph(text, style["dim" if n == 0 else "text"]) for text in row] for n, row in enumerate(rows)]
    table = Table(cells, colWidths=[_WIDTH / len(rows[0])] * len(rows[0]), repeatRows=1)
    table.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE), ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]))  # fmt: skip
    return table


def _sentence(found: dict[str, Any], words: dict[str, str]) -> str:
    shown = {name: "–" if found[name] is None else f"{found[name]:.2f}" for name in ("ratio", "low", "high")}
    return words[found["verdict"]].format(m=found["before"], n=found["after"], **shown)


def _count(count: int | None) -> str:
    return "–" if count is None else f"{count:,}".replace(",", "\u202f")


def _time(seconds: float | None, words: dict[str, str]) -> str:
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    whole = timedelta(minutes=minutes)
    if whole >= timedelta(hours=2):
        return f"{seconds / 3600:.1f} {words['h']}"
    return f"{minutes} {words['min']}" if minutes else f"1 {words['min']}"
