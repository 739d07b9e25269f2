"""What a run found, as JSON for programs and as one HTML page for people.

The page holds everything itself: no script, no picture, no address. All that
comes from the table is escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from typing import Any

from pilothouse.kinds.synthesis.attempt import Outcome
from pilothouse.kinds.synthesis.gauge import TITLES, verdict
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.plan import Plan
from pilothouse.kinds.synthesis.table import Table

MARKS = {"pass": "✓ pass", "warn": "▲ warn", "fail": "✕ fail"}
BAR_WIDTH, BAR_HEIGHT, GAP = 16, 60, 4

STYLE = """
:root { color-scheme: light dark; } @media (max-width: 40rem) { table { display: block; overflow-x: auto; } h1 { font-size: 1.5rem; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #111827; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { border-bottom: 1px solid #d1d5db; padding: .3rem .8rem; text-align: left; }
.pass { color: #0b6b45; } .warn { color: #8a5a00; } .fail { color: #b01212; } figure { display: inline-block; margin: 0 1.5rem 1rem 0; }
.real { fill: #0072b2; } .synthetic { fill: #d55e00; } figcaption { font-size: 13px; }
@media (prefers-color-scheme: dark) {
  body { color: #e5e9f0; background: #172033; } td, th { border-color: #2b3850; }
  .pass { color: #74dcab; } .warn { color: #f7c267; } .fail { color: #ff8a98; } .real { fill: #4ea3dc; } .synthetic { fill: #f0843c; }
}
"""  # noqa: E501


def of(
    params: Params, plan: Plan, table: Table, outcomes: Sequence[Outcome], best: Outcome | None
) -> dict[str, Any]:
    """The report as data."""
    source = params.example or params.path or f"{len(params.rows)} rows of the params"
    return {
        "table": {"source": source, "rows": table.rows, "columns": table.described()},
        "seed": params.seed,
        "plan": plan.data(),
        "kept": best.number if best else None,
        "attempts": [_attempt(outcome) for outcome in outcomes],
        "comparison": best.comparison if best else [],
    }


def _attempt(outcome: Outcome) -> dict[str, Any]:
    return {
        "attempt": outcome.number,
        "method": outcome.step.method,
        "epochs": outcome.step.epochs,
        "error": outcome.error,
        "verdict": verdict(outcome.gauges) if outcome.gauges else None,
        "gauges": {
            gauge.name: {
                "value": gauge.value,
                "limit": gauge.limit,
                "warn": gauge.warn,
                "verdict": gauge.verdict,
            }
            for gauge in outcome.gauges
        },
    }


def as_json(told: dict[str, Any]) -> str:
    """The report for programs; NaN and Infinity, which JSON lacks, become null."""
    return json.dumps(_finite(told), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value


def as_html(told: dict[str, Any]) -> str:
    """The report for people."""
    table, kept = told["table"], told["kept"]
    summary = f"{table['rows']:,} rows, {len(table['columns'])} columns, from {table['source']}"
    result = f"Attempt {kept} is kept." if kept else "No attempt gave a table."
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8"><title>Synthetic table</title>',
        f"<style>{STYLE}</style>",
        f"<h1>Synthetic table</h1><p>{escape(summary)}. {escape(result)}</p>",
        f"<h2>Plan</h2><p>{escape(told['plan']['rationale'])} (planned by {escape(told['plan']['by'])})</p>",
        "<h2>Attempts</h2>",
        _attempts(told["attempts"]),
        "<h2>Real against synthetic</h2><p>The worst columns first. Left bar: real. Right bar: synthetic.</p>",
        *(_figure(row) for row in told["comparison"]),
        "<h2>Columns</h2>",
        _columns(table["columns"]),
        "</html>\n",
    ]
    return "\n".join(parts)


def _attempts(attempts: list[dict[str, Any]]) -> str:
    heading = "".join(f"<th>{escape(title)}</th>" for title in ("Attempt", "Method", *TITLES.values()))
    return f"<table><tr>{heading}</tr>{''.join(_row(attempt) for attempt in attempts)}</table>"


def _row(attempt: dict[str, Any]) -> str:
    if attempt["error"]:
        cells = f'<td colspan="{len(TITLES)}" class="fail">✕ {escape(attempt["error"])}</td>'
    else:
        cells = "".join(_gauge(attempt["gauges"][name]) for name in TITLES)
    return f"<tr><td>{attempt['attempt']}</td><td>{escape(attempt['method'])}</td>{cells}</tr>"


def _gauge(gauge: dict[str, Any]) -> str:
    if gauge["value"] is None:
        return "<td>not measurable</td>"
    text = f"{gauge['value']:.3f} {MARKS[gauge['verdict']]} (≤ {gauge['limit']:g})"
    return f'<td class="{gauge["verdict"]}">{text}</td>'


def _columns(columns: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td>{escape(column['column'])}</td><td>{column['type']}</td>"
        f"<td>{column['missing']:.1%}</td><td>{escape(column['hint'])}</td></tr>"
        for column in columns
    )
    return f"<table><tr><th>Column</th><th>Type</th><th>Missing</th><th>Noticed</th></tr>{rows}</table>"


def _figure(row: dict[str, Any]) -> str:
    highest = max([*row["real"], *row["synthetic"], 1e-9])
    bars = []
    for number, (label, real, synthetic) in enumerate(
        zip(row["labels"], row["real"], row["synthetic"], strict=True)
    ):
        left, half = number * (BAR_WIDTH + GAP), BAR_WIDTH / 2
        title = f"<title>{escape(str(label))}: {real:.1%} real, {synthetic:.1%} synthetic</title>"
        pair = _bar(left, real / highest, "real") + _bar(left + half, synthetic / highest, "synthetic")
        bars.append(f"<g>{title}{pair}</g>")
    width = max(1, len(row["labels"])) * (BAR_WIDTH + GAP)
    caption = f"{escape(row['column'])}: {row['ks']:.3f}"
    return (
        f'<figure><svg width="{width}" height="{BAR_HEIGHT}" role="img">{"".join(bars)}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _bar(left: float, share: float, name: str) -> str:
    height = round(share * BAR_HEIGHT, 1)
    top = round(BAR_HEIGHT - height, 1)
    return f'<rect class="{name}" x="{left:g}" y="{top:g}" width="{BAR_WIDTH / 2:g}" height="{height:g}"/>'
