"""The queries that redora sends to GitHub, held against GitHub's published schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from conftest import ROOT, Tools, github_schema
from harness.github import Repository
from harness.github_graphql import GraphQL
from harness.histories import GovUk, at

QUERIES = ROOT / "collector" / "src" / "sources" / "github" / "graphql" / "queries"
# The largest page, whose lists cost a point, however long they may be.
WORDS = {"owner": "alphagov", "name": "publishing-api", "first": 100, "inner": 20}


@pytest.fixture(scope="module")
def github(tools: Tools) -> GraphQL:
    """The whole history over the real schema."""
    return GraphQL(Repository(GovUk()), github_schema(tools))


def pages(github: GraphQL, query: Path, path: list[str], **words: Any) -> list[Any]:
    """Everything that a query's pages list, and that they say nothing else."""
    found: list[Any] = []
    after = None
    while True:
        given = WORDS | words | {"after": after}
        answer = github.answer(query.read_text(encoding="utf-8"), given, "Page")
        assert "errors" not in answer
        listed = answer["data"]["repository"]
        for word in path:
            listed = listed[word]
        found += listed["nodes"]
        if not listed["pageInfo"]["hasNextPage"]:
            return found
        after = listed["pageInfo"]["endCursor"]


def test_every_query_is_one_that_githubs_schema_allows(github: GraphQL) -> None:
    """Each operation of each file, with its fragments and the types of its variables."""
    files = sorted(QUERIES.glob("*.graphql"))
    assert [file.stem for file in files] == [
        "commits",
        "counts",
        "deployments",
        "incidents",
        "pull_requests",
        "releases",
        "tags",
    ]
    for file in files:
        faults = validate(github.schema, parse(file.read_text(encoding="utf-8")))
        assert [fault.message for fault in faults] == [], file.name


def test_pages_of_deployments_bring_every_one_with_its_statuses(github: GraphQL) -> None:
    """The same as the history holds, at a point a page."""
    before = github.points
    nodes = pages(github, QUERIES / "deployments.graphql", ["deployments"])
    assert github.points - before == 45
    found = {
        (node["id"], node["sha"], node["environment"], len(node["statuses"]["nodes"]))
        for node in nodes
    }
    assert len(nodes) == len(found) == 4479
    assert found == {
        (one.id, one.sha, one.environment, len(one.statuses))
        for one in github.repository.deployments
    }


def test_pages_of_tags_and_releases_cost_a_point_for_a_hundred(github: GraphQL) -> None:
    """Each with the commit behind it, of a tag that is an object as of one that is none."""
    before = github.points
    releases = pages(github, QUERIES / "releases.graphql", ["releases"])
    tags = pages(github, QUERIES / "tags.graphql", ["refs"])
    signed = {one.name: one for one in github.repository.signed}
    pages_ = 2 * -(-len(signed) // 100)
    assert github.points - before == pages_
    found = {node["tag_name"]: (node["id"], node["tag"]["sha"]) for node in releases}
    assert found == {name: (one.id, one.sha) for name, one in signed.items()}
    objects = {node["name"]: node["target"]["sha"] for node in tags}
    assert objects == {name: one.object or one.sha for name, one in signed.items()}
    made = {
        node["name"]: node["target"]["tagger"]["date"]
        for node in tags
        if "tagger" in node["target"]
    }
    assert made == {name: at(one.at_ms) for name, one in signed.items() if one.object}


def test_pages_of_commits_bring_what_the_branch_contains(github: GraphQL) -> None:
    """Each with all of its parents, none twice."""
    nodes = pages(github, QUERIES / "commits.graphql", ["object", "history"], head="HEAD")
    history = github.repository.history
    branch = github.repository.contained(github.repository.head)
    assert len(nodes) == len(branch) == 10_398
    parents = {
        node["sha"]: [parent["sha"] for parent in node["parents"]["nodes"]] for node in nodes
    }
    rows = [history.commits[place] for place in branch]
    assert parents == {row["sha"]: row["parents"].split() for row in rows}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('{ repository(owner: 1, name: "b") { id } }', "cannot represent"),
        ('{ repository(owner: "a", name: "b") { age } }', "Cannot query field"),
        ('{ repository(owner: "a", name: "b") { id } }', "Could not resolve"),
        (
            '{ repository(owner: "alphagov", name: "publishing-api")'
            " { deployments(first: 101) { totalCount } } }",
            "limit of 100",
        ),
    ],
)
def test_the_stand_in_refuses_what_github_refuses(github: GraphQL, query: str, words: str) -> None:
    """Otherwise a collection from it would prove nothing."""
    (fault,) = github.answer(query, {})["errors"]
    assert words in fault["message"]
