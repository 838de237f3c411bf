"""The figures as bars, an SVG for light and dark pages. Each job has a scale of its own."""

from __future__ import annotations

from html import escape

from bench import Bench, Row
from comparisons import Comparison
from report import figure, lead_text

WIDTH = 860
LABELS, BAR, HEIGHT, GAP, TITLE = 150, 440, 18, 6, 40
_STYLE = """
  text { font: 13px sans-serif; fill: #24292f }
  .title { font-weight: bold }
  .quiet { fill: #57606a }
  .bar { fill: #afb8c1 }
  .weir { fill: #0969da }
  .spread { stroke: #24292f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #8d96a0 }
    .bar { fill: #484f58 }
    .weir { fill: #2f81f7 }
    .spread { stroke: #e6edf3 }
  }
"""


def chart(bench: Bench) -> str:
    y, parts = 0.0, []
    for comparison, rows in bench.comparisons:
        drawn, height = _group(comparison, rows, y)
        parts += drawn
        y += height
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + GAP:.0f}" '
        f'width="{WIDTH}" height="{y + GAP:.0f}" role="img">'
    )
    title = "<title>weir and other programs at the same jobs: medians</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _group(comparison: Comparison, rows: list[Row], top: float) -> tuple[list[str], float]:
    better = "more is better" if comparison.more_is_better else "less is better"
    note = f"{comparison.title} ({comparison.unit}, {better})"
    parts = [
        f'<text class="title" x="0" y="{top + 26:.0f}">{escape(comparison.name)}'
        f'<tspan class="quiet" dx="10" font-weight="normal">{escape(note)}</tspan></text>'
    ]
    longest = max((max(row.values) for row in rows if row.values), default=0.0)
    for index, row in enumerate(rows):
        parts += _bar(rows, row, top + TITLE + index * (HEIGHT + GAP), longest)
    return parts, TITLE + len(rows) * (HEIGHT + GAP)


def _bar(rows: list[Row], row: Row, y: float, longest: float) -> list[str]:
    base = y + HEIGHT - 4
    label = f'<text x="{LABELS - 8}" y="{base:.0f}" text-anchor="end">{escape(row.program)}</text>'
    if row.median is None:
        return [label, f'<text class="quiet" x="{LABELS}" y="{base:.0f}">not measured</text>']
    scale = BAR / longest
    low, high = (LABELS + value * scale for value in (min(row.values), max(row.values)))
    kind = "bar weir" if row.program.startswith("weir") else "bar"
    ratio = lead_text(rows, row)
    words = figure(row.median) + (f" ({rows[0].program}: {ratio} times as fast)" if ratio else "")
    middle = y + HEIGHT / 2
    return [
        label,
        f'<rect class="{kind}" x="{LABELS}" y="{y:.0f}" width="{row.median * scale:.1f}" '
        f'height="{HEIGHT}" rx="2"/>',
        f'<path class="spread" d="M{low:.1f} {middle:.1f}H{high:.1f}"/>',
        f'<text x="{high + 8:.1f}" y="{base:.0f}">{escape(words)}</text>',
    ]
