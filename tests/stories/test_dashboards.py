"""The rendered boards against the types that Grafana publishes for its own panels.

JSON that Grafana does not know is not refused by it but ignored: a misspelt option is a panel that
looks almost right. The compiler of TypeScript reads every board as a literal, so that a key too
many is as much a fault as a wrong value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import ROOT, locate
from harness.typescript import compile_all

BOARDS = sorted((ROOT / "dashboards").glob("*.json"))


def compile_boards(directory: Path, boards: dict[str, Any]) -> str:
    """Type-check the boards, and say what the compiler said."""
    return compile_all(locate().node_modules, directory, "dashboard", "Board", boards)


def test_every_board_has_grafanas_types(tmp_path: Path) -> None:
    """Boards, variables, annotations, and each kind of panel with its own options."""
    assert len(BOARDS) == 9
    boards = {path.stem: json.loads(path.read_text()) for path in BOARDS}
    assert compile_boards(tmp_path, boards) == ""


def first(board: dict[str, Any], kind: str) -> dict[str, Any]:
    """The first panel of a kind."""
    return next(panel for panel in board["panels"] if panel["type"] == kind)


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "a key of the board": lambda board: board.update(refreshes="1m"),
    "a kind of panel": lambda board: first(board, "stat").update(type="stats"),
    "an option of a panel": lambda board: first(board, "stat")["options"].update(graph="area"),
    "a value of an option": lambda board: first(board, "stat")["options"].update(graphMode="big"),
    "a field of lines": lambda board: first(board, "timeseries")["fieldConfig"]["defaults"][
        "custom"
    ].update(lineWeight=2),
    "a mode of colours": lambda board: first(board, "table")["fieldConfig"]["defaults"].update(
        color={"mode": "rainbow"}
    ),
    "a place without a width": lambda board: first(board, "table")["gridPos"].pop("w"),
    "a query's form": lambda board: first(board, "table")["targets"][0].update(format="rows"),
    "a refresh of variables": lambda board: board["templating"]["list"][1].update(refresh=7),
}


def test_the_types_tell_a_fault(tmp_path: Path) -> None:
    """Planted faults are found, each in its own file: the types are not all of anything."""
    text = (ROOT / "dashboards" / "redora-red.json").read_text()
    boards = {}
    for place, plant in enumerate(FAULTS.values()):
        board = json.loads(text)
        plant(board)
        boards[f"fault{place}"] = board
    said = compile_boards(tmp_path, boards)
    for place, fault in enumerate(FAULTS):
        assert f"fault{place}.ts(" in said, f"{fault} was not found:\n{said}"
