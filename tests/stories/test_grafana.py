"""The alerts for Grafana's own alerting: that they are those of Prometheus, in Grafana's form.

Grafana reads what it does not know without a word, and starts without an alert that it cannot
read, so every key is held to the types of its API, and every text to what becomes of it on reading.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, Tools
from harness.typescript import compile_all

RULES = yaml.safe_load((ROOT / "alerts" / "grafana" / "rules.yaml").read_text())
NOTIFY = yaml.safe_load((ROOT / "alerts" / "grafana" / "notify.yaml").read_text())
QUIET = yaml.safe_load((ROOT / "deploy" / "compose" / "grafana-quiet.yaml").read_text())
# What both kinds of alerting know of a rule; Grafana's own annotations lead to a panel.
WORDS = ("group", "expr", "for", "keep_firing_for", "labels", "annotations")
TEXTS = ("summary", "description", "runbook_url", "dashboard_url")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(duration: str) -> int:
    """A duration of one unit."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def of_prometheus() -> list[dict[str, Any]]:
    """Every alert of the rule files, with the name of its group.

    Those on shares of bad events stand in the file of whoever has such objectives.
    """
    paths = [*(ROOT / "alerts" / "rules").iterdir(), ROOT / "tests/promtool/queried/rules.yaml"]
    files = [yaml.safe_load(path.read_text()) for path in paths]
    groups = [group for file in files for group in file["groups"]]
    rules = [rule | {"group": group["name"]} for group in groups for rule in group["rules"]]
    return [rule for rule in rules if "alert" in rule]


def of_grafana() -> list[dict[str, Any]]:
    """Every rule, with the name of its group and how often it is evaluated."""
    return [
        rule | {"group": group["name"], "every": seconds(group["interval"])}
        for group in RULES["groups"]
        for rule in group["rules"]
    ]


def test_each_alert_of_prometheus_is_one_rule_and_the_same() -> None:
    """Expression, patience, labels and texts, once they are read as Grafana reads them."""

    def key(rule: dict[str, Any]) -> tuple[Any, ...]:
        return (rule["group"], rule["name"], sorted(rule["labels"].items()))

    def prometheus(rule: dict[str, Any]) -> dict[str, Any]:
        given = {"for": "0s", "keep_firing_for": None} | rule
        return {name: given[name] for name in WORDS} | {"name": rule["alert"]}

    def grafana(rule: dict[str, Any]) -> dict[str, Any]:
        texts = {name: rule["annotations"][name] for name in TEXTS}
        number = "$values.A.Value"
        return {
            "name": rule["title"].split()[0],
            "group": rule["group"],
            "expr": rule["data"][0]["model"]["expr"],
            "for": rule["for"],
            "keep_firing_for": rule.get("keepFiringFor"),
            "labels": {name: text.replace("$$", "$") for name, text in rule["labels"].items()},
            "annotations": {name: text.replace(number, "$value") for name, text in texts.items()},
        }

    theirs = sorted(map(grafana, of_grafana()), key=key)
    assert len(theirs) > 20
    assert theirs == sorted(map(prometheus, of_prometheus()), key=key)


def test_nothing_is_lost_when_grafana_reads_a_text() -> None:
    """Variables of the environment are put in for `$NAME`: everywhere but where templates are.

    Annotations and models are taken as they stand, but for `${NAME}` in the former.
    """
    for rule in of_grafana():
        assert all("${" not in text for text in rule["annotations"].values()), rule["title"]
        plain = [rule["title"], rule["uid"], *rule["labels"].values()]
        assert all("$" not in text.replace("$$", "") for text in plain), rule["title"]
        assert "$" not in rule["data"][0]["model"]["expr"], rule["title"]
        # The text that `$value` is in Grafana names every step with its labels.
        texts = " ".join(rule["annotations"].values())
        assert not re.search(r"\$value\b", texts), rule["title"]


def test_names_and_paces_are_such_as_grafana_takes() -> None:
    """Unique uids of 40 letters at most, unique titles in a folder, evaluations by its tick."""
    rules = of_grafana()
    for name in ("uid", "title"):
        assert len({rule[name] for rule in rules}) == len(rules)
    assert len({group["folder"] for group in RULES["groups"]}) == 1
    for rule in rules:
        assert re.fullmatch(r"[a-z0-9-]{1,40}", rule["uid"])
        assert rule["every"] % 10 == 0
        assert seconds(rule["for"]) % rule["every"] == 0, rule["title"]
        keep = seconds(rule.get("keepFiringFor", "0s"))
        assert rule["missing_series_evals_to_resolve"] == max(1, keep // rule["every"])
    asked = {rule["title"]: rule["execErrState"] for rule in rules}
    assert [title for title, state in asked.items() if state != "OK"] == ["RedoraAbsent"]
    assert {rule["noDataState"] for rule in rules} == {"OK"}


def test_what_a_rule_names_is_there() -> None:
    """The data source, the panel, and the steps one after the other."""
    sources = ROOT / "dashboards" / "provisioning" / "datasources" / "redora.yaml"
    uids = {source["uid"] for source in yaml.safe_load(sources.read_text())["datasources"]}
    for rule in of_grafana():
        query, number, condition = rule["data"]
        assert query["datasourceUid"] in uids
        assert [step["refId"] for step in rule["data"]] == ["A", "B", "C"]
        assert all(step["model"]["refId"] == step["refId"] for step in rule["data"])
        assert number["model"]["expression"].count("$A") == 3
        assert condition["model"]["expression"] == number["refId"]
        assert rule["condition"] == condition["refId"]
        board = json.loads((ROOT / "dashboards" / f"{rule['dashboardUid']}.json").read_text())
        panels = {panel["id"]: panel for panel in board["panels"]}
        assert panels[rule["panelId"]]["type"] != "row"
        told = {name: rule["annotations"][name] for name in ("__dashboardUid__", "__panelId__")}
        assert told == {
            "__dashboardUid__": rule["dashboardUid"],
            "__panelId__": str(rule["panelId"]),
        }
        assert f"/d/{rule['dashboardUid']}" in rule["annotations"]["dashboard_url"]


@pytest.mark.parametrize("major", ["2", "3"])
def test_every_query_parses(tools: Tools, tmp_path: Path, major: str) -> None:
    """As a rule of Prometheus, in both its generations."""
    rules = [
        {
            "record": f"asked:{rule['uid'].replace('-', '_')}",
            "expr": rule["data"][0]["model"]["expr"],
        }
        for rule in of_grafana()
    ]
    path = tmp_path / "asked.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    folder = {"2": tools.prometheus_2, "3": tools.prometheus_3}[major]
    command = [folder / "promtool", "check", "rules", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_go_where_alertmanager_sends_them() -> None:
    """The same routes with the same patience to contact points that are there."""
    config = yaml.safe_load((ROOT / "alerts" / "alertmanager.yml").read_text())
    paces = ("receiver", "group_wait", "group_interval", "repeat_interval", "continue")

    def bones(route: dict[str, Any], matchers: list[str]) -> dict[str, Any]:
        return {name: route.get(name) for name in paces} | {"matchers": matchers}

    (policy,) = NOTIFY["policies"]
    ours = [bones(policy, [])]
    for route in policy["routes"]:
        words = [f'{name}{how}"{value}"' for name, how, value in route["object_matchers"]]
        ours.append(bones(route, words))
    theirs = [bones(config["route"], [])]
    theirs += [bones(route, route["matchers"]) for route in config["route"]["routes"]]
    assert ours == theirs
    names = {point["name"] for point in NOTIFY["contactPoints"]}
    assert names == {receiver["name"] for receiver in config["receivers"]}


def steps(file: dict[str, Any], place: int) -> dict[str, Any]:
    """The model of a step of the first rule."""
    model: dict[str, Any] = file["groups"][0]["rules"][0]["data"][place]["model"]
    return model


FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a key of the file": lambda file: file.update(group=[]),
    "a key of a group": lambda file: file["groups"][0].update(every="1m"),
    "a key of a rule": lambda file: file["groups"][0]["rules"][0].update(keep_firing_for="1m"),
    "a state": lambda file: file["groups"][0]["rules"][0].update(noDataState="Ok"),
    "a rule without a title": lambda file: file["groups"][0]["rules"][0].pop("title"),
    "a kind of expression": lambda file: steps(file, 1).update(type="maths"),
    "a comparison": lambda file: steps(file, 2)["conditions"][0]["evaluator"].update(type="above"),
    "a key of a query": lambda file: steps(file, 0).update(query="up"),
    "a data source": lambda file: file["groups"][0]["rules"][0]["data"][0].update(
        datasourceUid="prometheus"
    ),
    "a key of a contact point": lambda file: file["contactPoints"][0].update(type="webhook"),
    "a setting": lambda file: file["contactPoints"][0]["receivers"][0]["settings"].update(key="k"),
    "a matcher": lambda file: file["policies"][0]["routes"][0]["object_matchers"].append(
        ["a", "b"]
    ),
    "a key of a route": lambda file: file["policies"][0]["routes"][0].update(group_for="1m"),
    "a mute time": lambda file: file["muteTimes"][0]["time_intervals"][0]["times"][0].pop(
        "end_time"
    ),
}


def test_every_key_is_one_of_grafanas(tools: Tools, tmp_path: Path) -> None:
    """By the types of its API; planted faults are found, each in its own file."""
    documents = {"rules": RULES, "notify": NOTIFY, "quiet": QUIET}
    whole = RULES | NOTIFY | {"muteTimes": QUIET["muteTimes"]}
    for place, plant in enumerate(FAULTS.values()):
        broken = copy.deepcopy(whole)
        # One rule is enough to be broken, and is compiled in a moment.
        broken["groups"] = [broken["groups"][0] | {"rules": broken["groups"][0]["rules"][:1]}]
        plant(broken)
        documents[f"fault{place}"] = broken
    said = compile_all(tools.node_modules, tmp_path, "alerting", "File", documents)
    lines = [line for line in said.splitlines() if not line.startswith((" ", "fault"))]
    assert not lines, said
    for place, fault in enumerate(FAULTS):
        assert f"fault{place}.ts(" in said, f"{fault} was not found:\n{said}"
