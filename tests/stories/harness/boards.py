"""The boards and what Grafana makes of their queries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .prometheus import Prometheus

FOLDER = Path(__file__).resolve().parents[3] / "dashboards"

# How much of the past is shown, and what Grafana would put in for it.
SHOWN_SECONDS = 60
GLOBALS = {
    "__rate_interval": "5s",
    "__range_s": str(SHOWN_SECONDS),
    "__range": f"{SHOWN_SECONDS}s",
}
# What a viewer would have picked; a query may name what its board lets pick.
PICKED = {"service": "shop", "environment": "production", "window": "30d"}


def board(uid: str) -> dict[str, Any]:
    """A board by its uid."""
    read: dict[str, Any] = json.loads((FOLDER / f"{uid}.json").read_text())
    return read


def filled_in(expr: str, board: dict[str, Any], start: float) -> str:
    """The expression as Grafana sends it."""
    values = GLOBALS | {"__from": str(round(start * 1000))} | PICKED
    for variable in board["templating"]["list"]:
        values.setdefault(variable["name"], variable.get("allValue", ".+"))
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace(f"${name}", values[name])
    assert "$" not in expr
    return expr


def answers(
    server: Prometheus, board: dict[str, Any], end: float, words: Mapping[str, str] | None = None
) -> Iterator[tuple[str, bool]]:
    """Each query of a board by its panel and letter, and whether it found anything.

    `words` are replaced in every expression.
    """
    start = end - SHOWN_SECONDS
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expr = filled_in(target["expr"], board, start)
            for old, new in (words or {}).items():
                expr = expr.replace(old, new)
            if target["instant"]:
                rows = server.query(expr, end)
            else:
                asked = {"query": expr, "start": start, "end": end, "step": 1}
                rows = server.api("query_range", **asked)["result"]
            yield f"{panel['title']} {target['refId']}", bool(rows)
