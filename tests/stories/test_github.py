"""A repository's deployments collected from what stands in for GitHub, and counted right."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from conftest import Tools, github_schema
from harness.dora import Dora, agree
from harness.github import TOKEN, Repository, Signed, delivery
from harness.github_graphql import GraphQL
from harness.histories import GovUk, at
from harness.process import Process, free_ports
from harness.serving import Reply, Request, Server
from harness.stand_ins import Prism, WireMock, after, mappings, pruned, undeclared
from harness.waiting import eventually

ENVIRONMENTS = {"integration", "staging", "production"}
# Four months with some hundred deployments, and with rollbacks in every environment.
MONTHS = ("2023-03", "2023-07")
# Four months with two kinds of tags, and often both of a commit.
TAGGED = ("2021-03", "2021-07")

# Troubles that pass, as GitHub tells them.
GATEWAY = {"status": 502, "headers": {"Content-Type": "text/html"}, "body": "<h1>502</h1>"}
LIMIT = {
    "status": 403,
    "headers": {"Content-Type": "application/json", "Retry-After": "1"},
    "body": '{"message": "You have exceeded a secondary rate limit."}',
}


def collector(tools: Tools, folder: Path, url: str, history: GovUk, **words: str) -> Dora:
    """A ledger whose one source is the repository at this address."""
    return Dora(tools.redora, folder, delivery(url, history, **words))


def check(dora: Dora, history: GovUk) -> None:
    """Compare the report of every environment with the numbers computed apart."""
    places = dora.report("--service", history.service)
    assert set(places) == ENVIRONMENTS
    for environment, place in places.items():
        agree(place, history.truth(environment))


def kinds(facts: Iterator[dict[str, Any]]) -> Counter[str]:
    """How many things there are facts of, by kind."""
    known = {
        (kind, fact["id"]) for fact in facts for kind in ("deployment", "commit") if kind in fact
    }
    return Counter(kind for kind, _ in known)


def test_four_years_are_collected_over_http_and_counted_right(tools: Tools, tmp_path: Path) -> None:
    """Every deployment and every commit that one contains; the report is that of the files."""
    history = GovUk()
    repository = Repository(history)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        dora = collector(tools, tmp_path, github.url, history)
        dora.backfill()
        first = len(github.exchanges)
        dora.backfill()
        again = len(github.exchanges) - first
    assert github.faults == []
    assert kinds(dora.facts()) == {"deployment": 4479, "commit": repository.reachable}
    check(dora, history)
    assert again < first / 10


def in_the_midst(place: int) -> Repository:
    """Those months moved to where this deployment is just being carried out."""
    midst_ms = Repository(GovUk(MONTHS)).all[place].created_ms + 30_000
    now_ms = int(time.time() * 1000)
    return Repository(GovUk(MONTHS, later_ms=now_ms - midst_ms), now_ms)


def collect_twice(dora: Dora, repository: Repository) -> None:
    """Once in the midst of the history, and once at its end."""
    dora.backfill()
    assert kinds(dora.facts())["deployment"] == len(repository.deployments)
    repository.now_ms = None
    dora.backfill()
    assert kinds(dora.facts())["deployment"] == len(repository.deployments)
    dora.at = at(max(one.statuses[-1][2] for one in repository.all) + 1000)
    check(dora, repository.history)


def test_what_comes_later_is_read_as_it_comes(tools: Tools, tmp_path: Path) -> None:
    """The past through GraphQL, the present through REST, and what was open at their seam."""
    repository = in_the_midst(200)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        collect_twice(collector(tools, tmp_path, github.url, repository.history), repository)
    asked = Counter(request.path.rpartition("/")[2] for request, _ in github.exchanges)
    # A page of deployments, of commits, of pull requests, and of what is deployed beside them.
    assert asked["graphql"] < 20
    # A list of each later deployment, and once more of the one that was open.
    assert 329 - 201 < asked["statuses"] < 150
    assert github.faults == []


def test_other_environments_are_left_where_they_are(tools: Tools, tmp_path: Path) -> None:
    """What is kept of one environment does not depend on the others."""
    history = GovUk(MONTHS)
    with Server(GraphQL(Repository(history), github_schema(tools))) as github:
        dora = collector(tools, tmp_path, github.url, history, environments="production")
        dora.backfill()
    (place,) = dora.report().values()
    assert place["environment"] == "production"
    agree(place, history.truth("production"))


def test_wiremock_is_collected_to_the_report_of_the_same_facts_imported(
    tools: Tools, tmp_path: Path
) -> None:
    """Through a 502 and a limit, and with no request that WireMock was not taught."""
    history = GovUk(MONTHS)
    repository = Repository(history)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        collector(tools, tmp_path / "taught", github.url, history).backfill()
    wiremock = WireMock(tools.node_modules, tmp_path)
    try:
        taught = mappings(github.exchanges, github.url, wiremock.url)
        # A query that fails is asked again in smaller pages, which are not taught; and a plan
        # that fails is no plan.
        plain = [
            at
            for at, one in enumerate(taught)
            if one["request"]["method"] == "GET" and not of_plan(json.dumps(one["request"]))
        ]
        troubles = {"limited": (plain[len(plain) // 2], LIMIT), "failing": (plain[1], GATEWAY)}
        for name, (at, trouble) in troubles.items():
            taught[at : at + 1] = after(trouble, taught[at], name)
        taught += mappings(one_by_one(github, repository), github.url, wiremock.url)
        wiremock.teach(taught)
        dora = collector(tools, tmp_path / "collected", wiremock.url, history)
        _, progress = dora.backfill()
        waits = [line for line in progress if "; waits until " in line]
        assert {line.rpartition(": ")[2] for line in waits} == {
            "the server failed",
            "too many requests in too short a time",
        }
        states = {row["name"]: row["state"] for row in wiremock.admin("scenarios")["scenarios"]}
        assert states == {"limited": "over", "failing": "over"}
        assert wiremock.admin("requests/unmatched")["requests"] == []
        assert wiremock.admin("requests/unmatched/near-misses")["nearMisses"] == []
        assert wiremock.process.stop() in (0, 143)
    finally:
        wiremock.process.kill()
    imported = Dora(tools.redora, tmp_path / "imported")
    imported.store(history.facts())
    check(dora, history)
    assert anonymous(dora.report()) == anonymous(imported.report())


def of_plan(asked: str) -> bool:
    """Whether a request is one that a plan is made from."""
    return "/rate_limit" in asked or bool(re.search(r"actions/runs\b.*per_page=1\W", asked))


def one_by_one(github: Server, repository: Repository) -> Iterator[tuple[Request, Reply]]:
    """Every deployment by its id: after a trouble in a page its rest is asked for so."""
    sample = next(request for request, _ in github.exchanges if request.method == "GET")
    for one in repository.deployments:
        path = f"/repos/{repository.name}/deployments/{one.id}"
        request = replace(sample, target=path, path=path, query={})
        yield request, github.answer(request)


def anonymous(places: dict[str, Any]) -> dict[str, Any]:
    """A report without the ids of its deployments, which GitHub numbers in its own way."""
    for place in places.values():
        for gap in place["gaps"]:
            del gap["id"]
    return places


def test_prism_finds_no_request_that_githubs_description_forbids(
    tools: Tools, tmp_path: Path
) -> None:
    """Nor an answer, so that the stand-in is held to the description as well."""
    repository = in_the_midst(200)
    description = pruned(tools.node_modules)
    (port,) = free_ports(1)
    public = f"http://127.0.0.1:{port}"
    with Server(GraphQL(repository, github_schema(tools), public)) as github:
        prism = Prism(tools.node_modules, tmp_path, description, github.url, port)
        try:
            folder = tmp_path / "collected"
            collect_twice(collector(tools, folder, prism.url, repository.history), repository)
            # Prism writes its log behind its answers: once it complains of this, all is written.
            headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "story"}
            wrong = f"{prism.url}/repos/{repository.name}/pulls?state=odd"
            assert requests.get(wrong, headers=headers, timeout=10).status_code == 422
            eventually(prism.complaints, "Prism complains of a request that is wrong")
            (complaint,) = prism.complaints()
            assert "/pulls" in complaint
            assert prism.received() == len(github.exchanges) + 1 > 200
            prism.process.stop()
        finally:
            prism.process.kill()
    asked = [request for request, _ in github.exchanges if request.method == "GET"]
    assert [word for request in asked for word in undeclared(description, request)] == []


def test_tags_and_releases_are_collected_as_they_come_and_counted_right(
    tools: Tools, tmp_path: Path
) -> None:
    """Past and present, with the requests of a plan and none that GitHub's description forbids."""
    # All but the last twenty are there now, and those come within the next round.
    later_ms = int(time.time() * 1000) - Repository(GovUk(TAGGED)).signed[-20].at_ms - 1
    repository = Repository(GovUk(TAGGED, later_ms=later_ms))
    description = pruned(tools.node_modules)
    (port,) = free_ports(1)
    graphql = GraphQL(repository, github_schema(tools), f"http://127.0.0.1:{port}")
    with Server(graphql) as github:
        prism = Prism(tools.node_modules, tmp_path, description, github.url, port)
        try:
            for sign in ('tags: ["*-release", "release_*"]', "releases: true"):
                truth = Signed(repository, releases=sign.startswith("releases"))
                folder = tmp_path / sign.partition(":")[0]
                dora = collector(tools, folder, prism.url, repository.history, sign=sign)
                repository.now_ms = repository.signed[-20].at_ms - 1
                announced = plan(dora)
                github.exchanges.clear()
                dora.backfill()
                points = planned(announced, "graphql_requests", "rest_requests")
                assert abs(points - counted(github, repository)) <= 3, announced
                known = kinds(dora.facts())["deployment"]
                assert known < len(repository.signed)
                repository.now_ms = None
                github.exchanges.clear()
                dora.backfill()
                assert kinds(dora.facts())["deployment"] == len(repository.signed)
                # Of each that is new one object, beside the lists and what it brought with it.
                asked = [
                    one
                    for one, _ in github.exchanges
                    if "/git/" in one.path or "tags%2F" in one.path
                ]
                assert len(asked) <= len(repository.signed) - known + 2
                dora.at = at(repository.signed[-1].released_ms + 3_600_000)
                agree(dora.report()["production"], truth.truth("production"))
            assert prism.complaints() == []
            prism.process.stop()
        finally:
            prism.process.kill()
    assert github.faults == []
    asked = [request for request, _ in github.exchanges if request.method == "GET"]
    assert [word for request in asked for word in undeclared(description, request)] == []


def test_jobs_are_asked_for_once_and_in_words_that_github_knows(
    tools: Tools, tmp_path: Path
) -> None:
    """Of a run that every window of the list shows; they stand in its fact."""
    begun = at(int(time.time() * 1000) - 3_600_000)
    run = {"id": 7, "name": "ci", "run_attempt": 1, "status": "completed", "conclusion": "success"}
    run |= dict.fromkeys(("created_at", "run_started_at", "updated_at"), begun)
    job = {"id": 8, "name": "test", "conclusion": "success", "created_at": begun}
    job |= dict.fromkeys(("started_at", "completed_at"), at(int(time.time() * 1000) - 3_540_000))
    later_ms = int(time.time() * 1000) - Repository(GovUk(TAGGED)).signed[-1].at_ms
    repository = Repository(GovUk(TAGGED, later_ms=later_ms))
    graphql = GraphQL(repository, github_schema(tools))

    def answer(request: Request) -> Reply:
        if request.path.endswith("/actions/runs"):
            return graphql.rest.json({"total_count": 1, "workflow_runs": [run]})
        if request.path.endswith("/actions/runs/7/attempts/1/jobs"):
            return graphql.rest.json({"total_count": 1, "jobs": [job]})
        return graphql(request)

    with Server(answer) as github:
        words = delivery(github.url, repository.history, sign="releases: true", jobs=True)
        dora = Dora(tools.redora, tmp_path, words)
        dora.backfill()
        dora.backfill()
    description = pruned(tools.node_modules)
    asked = [request for request, _ in github.exchanges if request.path.endswith("/jobs")]
    assert len(asked) == 1
    assert [word for request in asked for word in undeclared(description, request)] == []
    (fact,) = [fact for fact in dora.facts() if "run" in fact]
    (kept,) = fact["run"]["jobs"]
    assert (kept["name"], kept["started_ms"] - kept["created_ms"]) == ("test", 60_000)


@pytest.mark.parametrize("share", [0.02, 0.5], ids=["in the past", "in the present"])
def test_a_killed_collection_goes_on_where_it_stood(
    tools: Tools, tmp_path: Path, share: float
) -> None:
    """What was being read is read again, what was stored is not, and nothing is missing."""
    history = GovUk(MONTHS)
    repository = Repository(history)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        collector(tools, tmp_path / "whole", github.url, history).backfill()
        whole = len(github.exchanges)
        github.exchanges.clear()
        dora = collector(tools, tmp_path / "cut", github.url, history)
        command = [dora.redora, "dora", "backfill", "--config", dora.config]
        process = Process("backfill", command, tmp_path)
        try:
            eventually(lambda: len(github.exchanges) > whole * share, "a share is asked for")
        finally:
            process.kill()
        assert len(github.exchanges) < whole
        dora.backfill()
        # A plan is made anew, and what was being read is read again.
        assert len(github.exchanges) <= whole + 8
    assert kinds(dora.facts()) == {"deployment": 329, "commit": repository.reachable}
    check(dora, history)


def plan(dora: Dora, *words: str) -> dict[str, Any]:
    """What a backfill would read and cost."""
    ended = dora.run("backfill", "--dry-run", "--format", "json", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


def planned(plan: dict[str, Any], *keys: str) -> int:
    """The sum of what a plan's streams have under these keys."""
    ahead = [ahead for source in plan["sources"] for ahead in source["ahead"]]
    return sum(one[key] for one in ahead for key in keys)


def counted(github: Server, repository: Repository) -> int:
    """The requests of a reading: without those of its plan, and without what no plan can know,
    which is what was deployed beside the branch.
    """
    whole = f"/repos/{repository.name}"
    return sum(
        not (of_plan(request.target) or is_count(request))
        and not ("/compare/" in request.path or request.path == whole or reply.status == 404)
        for request, reply in github.exchanges
    )


def is_count(request: Request) -> bool:
    """Whether a request asks for nothing but sizes."""
    return request.method == "POST" and json.loads(request.body)["operationName"] == "Counts"


@pytest.mark.parametrize("months", [MONTHS, None], ids=["months", "years"])
def test_a_plan_announces_the_requests_that_are_then_counted(
    tools: Tools, tmp_path: Path, months: tuple[str, str] | None
) -> None:
    """Within three requests and to the point, and asks three for that; nothing is stored."""
    history = GovUk(months)
    repository = Repository(history)
    graphql = GraphQL(repository, github_schema(tools))
    with Server(graphql) as github:
        dora = collector(tools, tmp_path, github.url, history)
        announced = plan(dora)
        assert [request.method for request, _ in github.exchanges] == ["POST", "GET", "GET"]
        assert [path.name for path in tmp_path.iterdir()] == ["redora.yaml"]
        table = dora.run("backfill", "--dry-run").stdout
        github.exchanges.clear()
        before = graphql.points
        _, progress = dora.backfill()
        requests_ = planned(announced, "graphql_requests", "rest_requests")
        assert abs(requests_ - counted(github, repository)) <= 3
        # The plan that a backfill begins with costs a point.
        points = graphql.points - before - 1
        assert planned(announced, "graphql_points") == points == announced["graphql"]["needed"]
        again = plan(dora)
    assert github.faults == []
    deployments, commits = (len(repository.deployments), planned(announced, "objects"))
    rows = [line.split()[1:] for line in table.splitlines()]
    assert [row[0] for row in rows[1:5]] == ["deployments", "commits", "pull", "runs"]
    assert rows[1][3] == str(deployments)
    assert commits > deployments
    assert announced["graphql"]["waits_ms"] == announced["rest"]["waits_ms"] == 0
    assert progress[0].startswith(f"github:{repository.name}: {deployments} deployments, ")
    assert planned(again, "objects", "graphql_requests") == 0
    assert planned(again, "rest_requests") == 4


def test_a_plan_says_how_long_it_waits_for_a_limit(tools: Tools, tmp_path: Path) -> None:
    """Before it meets the limit, and whoever is already limited hears until when."""
    history = GovUk(MONTHS)
    graphql = GraphQL(Repository(history), github_schema(tools))
    resets = int(time.time()) + 1200
    hour = {"limit": 60, "used": 57, "remaining": 3, "reset": resets}
    limits = Reply(200, json.dumps({"resources": {"core": hour}}).encode())
    limited = Reply(429, b"{}", {"Retry-After": "3600"})
    with Server(lambda asked: limits if asked.path == "/rate_limit" else graphql(asked)) as github:
        dora = collector(tools, tmp_path, github.url, history)
        announced = plan(dora)
        table = dora.run("backfill", "--dry-run").stdout
        github.answer = lambda _: limited
        ended = dora.run("backfill", "--dry-run")
    needed = planned(announced, "rest_requests")
    assert announced["graphql"] is None
    assert announced["rest"]["needed"] == needed
    # Three now, then sixty an hour: the last of them come in the fourth hour.
    assert 3 < announced["lasts_ms"] / 3_600_000 < 4
    assert announced["rest"]["waits_ms"] > 3 * 3_600_000
    assert f"limit of requests: {needed} needed, 3 of 60 left until {at(resets * 1000)}" in table
    assert "the plan waits 3." in table
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert "too many requests in too short a time: it can be asked again at 20" in line


@pytest.mark.parametrize("share", [0.02, 0.5], ids=["in the past", "in the present"])
def test_a_plan_goes_on_where_a_reading_was_cut_off(
    tools: Tools, tmp_path: Path, share: float
) -> None:
    """What it announces then is what is left, within three requests."""
    history = GovUk(MONTHS)
    repository = Repository(history)
    with Server(GraphQL(repository, github_schema(tools))) as github:
        dora = collector(tools, tmp_path, github.url, history)
        whole = planned(plan(dora), "graphql_requests", "rest_requests")
        command = [dora.redora, "dora", "backfill", "--config", dora.config]
        process = Process("backfill", command, tmp_path)
        github.exchanges.clear()
        try:
            eventually(lambda: len(github.exchanges) > whole * share + 3, "a share is asked for")
        finally:
            process.kill()
        left = plan(dora)
        github.exchanges.clear()
        dora.backfill()
    announced = planned(left, "graphql_requests", "rest_requests")
    assert announced < whole
    # Those that are known to have been deployed beside the branch are announced, one each.
    known = len([one for one in github.exchanges if "/compare/" in one[0].path])
    assert counted(github, repository) - 3 <= announced
    assert announced <= counted(github, repository) + known + 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"token": "expired"}, "GitHub refuses the token (401)"),
        ({"repository": "alphagov/nothing"}, "GitHub knows no /repos/alphagov/nothing"),
    ],
)
def test_what_cannot_be_collected_is_said_once_with_its_cure(
    tools: Tools, tmp_path: Path, fault: dict[str, str], words: str
) -> None:
    """With exit code 1, and at the cost of a few requests; a plan says the same and exits with 2,
    for it is asked whether the configuration would work.
    """
    history = GovUk(MONTHS)
    with Server(GraphQL(Repository(history), github_schema(tools))) as github:
        dora = collector(tools, tmp_path, github.url, history, **fault)
        ended = dora.run("backfill")
        asked = len(github.exchanges)
        dry = dora.run("backfill", "--dry-run")
    assert (ended.returncode, dry.returncode) == (1, 2)
    (line,) = ended.stderr.splitlines()
    assert words in line
    assert (dry.stdout, dry.stderr.splitlines()) == ("", [line])
    assert asked <= 10
    assert len(github.exchanges) == asked + 1
