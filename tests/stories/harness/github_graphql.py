"""GitHub's GraphQL API over the same history, executed over GitHub's own published schema.

The schema is the real one, so a query that GitHub would refuse is refused here. What the stand-in
does not know is an error in the answer and not a null, for a null would look like an answer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import DocumentNode, IntValueNode

from .github import BRANCH, LIMIT, Deployed, Repository, Tagged, log_url, message
from .github_rest import Rest
from .histories import at, millis
from .serving import Reply, Request

Json = Any
NODES_MAX = 500_000


class GraphQL:
    """Answers REST and, at `/graphql`, GraphQL for one repository."""

    def __init__(self, repository: Repository, schema: Path, public: str = "") -> None:
        self.rest = Rest(repository, public)
        self.repository = repository
        self.schema_path = schema
        self.points = 0

    @cached_property
    def schema(self) -> GraphQLSchema:
        """GitHub's schema, whose correctness GitHub vouches for."""
        text = self.schema_path.read_text(encoding="utf-8")
        return build_schema(text, assume_valid=True, no_location=True)

    def __call__(self, request: Request) -> Reply:
        """Answer one request of either kind."""
        if request.path not in ("/graphql", "/api/graphql"):
            return self.rest(request)
        self.rest.used += 1
        refused = self.rest.refused(request)
        if refused is not None:
            return refused
        if request.method != "POST":
            return self.rest.json({"message": "Not Found"}, status=404)
        asked = json.loads(request.body)
        words = asked.get("variables") or {}
        return self.rest.json(self.answer(asked["query"], words, asked.get("operationName")))

    def answer(self, query: str, variables: dict[str, Any], operation: str | None = None) -> Json:
        """The answer to a query, with the errors in GitHub's shape."""
        try:
            document = parse(query, no_location=True)
        except GraphQLError as fault:
            return {"errors": [{"message": fault.message}]}
        faults = validate(self.schema, document)
        if faults:
            return {"errors": [{"message": fault.message} for fault in faults]}
        cost = Cost(document, variables, operation)
        if cost.nodes > NODES_MAX:
            words = f"This query requests up to {cost.nodes} possible nodes"
            return {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": words}]}
        self.points += cost.points
        root = {
            "repository": self.find,
            "node": self.node,
            "nodes": lambda ids: [self.node(id_) for id_ in ids],
            "rateLimit": {
                "__typename": "RateLimit",
                "cost": cost.points,
                "limit": LIMIT,
                "nodeCount": cost.nodes,
                "remaining": LIMIT - self.points,
                "used": self.points,
                "resetAt": at(int(datetime.now(UTC).timestamp() * 1000) + 3_600_000),
            },
        }
        done = execute_sync(
            self.schema,
            document,
            root,
            variable_values=variables,
            operation_name=operation,
            field_resolver=resolve,
        )
        answer: dict[str, Any] = {"data": done.data}
        if done.errors:
            answer["errors"] = [
                {"message": fault.message, "path": fault.path, **(fault.extensions or {})}
                for fault in done.errors
            ]
        return answer

    def find(self, owner: str, name: str, **_: Any) -> Json:
        """The repository by its name."""
        if f"{owner}/{name}".lower() != self.repository.name.lower():
            words = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise GraphQLError(words, extensions={"type": "NOT_FOUND"})
        return {
            "__typename": "Repository",
            "id": "R_10000001",
            "databaseId": 10_000_001,
            "name": name,
            "nameWithOwner": self.repository.name,
            "url": f"https://github.com/{self.repository.name}",
            "createdAt": "2014-12-04T15:15:43Z",
            "isPrivate": False,
            "isArchived": False,
            "hasIssuesEnabled": True,
            "defaultBranchRef": self.reference(BRANCH, "refs/heads/", self.repository.head),
            "deployments": self.deployments,
            "ref": self.find_reference,
            "refs": self.references,
            "object": self.find_object,
            "releases": self.releases,
            **dict.fromkeys(("pullRequests", "issues"), self.nothing),
        }

    def node(self, id: str) -> Json:
        """An object by its global id."""
        kind, _, name = id.partition("_")
        if kind == "DE" and (one := self.repository.find(int(name))):
            return self.deployment(one)
        if kind == "C" and (number := self.repository.history.numbers.get(name)) is not None:
            return self.commit(number)
        words = f"Could not resolve to a node with the global id of '{id}'."
        raise GraphQLError(words, extensions={"type": "NOT_FOUND"})

    # Connections and look-ups of the repository.

    def nothing(self, **words: Any) -> Json:
        """A connection that is empty in this history."""
        return connection([], lambda item: item, words)

    def deployments(
        self, environments: list[str] | None = None, orderBy: Json = None, **words: Any
    ) -> Json:
        """Oldest first unless asked otherwise."""
        found = self.repository.deployments
        if environments:
            found = [one for one in found if one.environment in environments]
        if orderBy and orderBy["direction"] == "DESC":
            found = found[::-1]
        return connection(found, self.deployment, words)

    def references(self, refPrefix: str, orderBy: Json = None, **words: Any) -> Json:
        """Tags and the one branch."""
        if refPrefix != "refs/tags/":
            pair = (BRANCH, self.repository.head)
            return connection(
                [pair], lambda pair: self.reference(pair[0], refPrefix, pair[1]), words
            )
        tags = self.repository.shown()
        if not orderBy or orderBy["field"] != "TAG_COMMIT_DATE":
            tags.sort(key=lambda tag: tag.name)
        if orderBy and orderBy["direction"] == "DESC":
            tags.reverse()
        return connection(tags, self.tag, words)

    def releases(self, orderBy: Json = None, **words: Any) -> Json:
        """Newest first, unless asked otherwise."""
        found = self.repository.released()
        if orderBy and orderBy["direction"] == "ASC":
            found.reverse()
        return connection(found, self.release, words)

    def find_reference(self, qualifiedName: str) -> Json:
        """A branch or tag by its name."""
        sha = self.repository.resolve(qualifiedName)
        name = qualifiedName.rpartition("/")[2]
        prefix = "refs/heads/" if name == BRANCH else "refs/tags/"
        return self.reference(name, prefix, sha) if sha and name != sha else None

    def find_object(self, oid: str | None = None, expression: str | None = None) -> Json:
        """A commit by SHA or name; null when it is gone."""
        sha = self.repository.resolve(oid or expression or "")
        return self.commit(self.repository.history.numbers[sha]) if sha else None

    # The shapes.

    def reference(self, name: str, prefix: str, sha: str) -> Json:
        """A branch or tag."""
        return {
            "__typename": "Ref",
            "id": f"REF_{name}",
            "name": name,
            "prefix": prefix,
            "target": lambda: self.commit(self.repository.history.numbers[sha]),
        }

    def tag(self, one: Tagged) -> Json:
        """A tag, of which some are objects of their own."""
        shape = self.reference(one.name, "refs/tags/", one.sha)
        if one.object is not None:
            own = {
                "__typename": "Tag",
                "id": f"T_{one.object}",
                "oid": one.object,
                "tagger": {"__typename": "GitActor", "date": at(one.at_ms)},
                "target": shape["target"],
            }
            shape["target"] = own
        return shape

    def release(self, one: Tagged) -> Json:
        """A release; it was drafted when its tag was made."""
        return {
            "__typename": "Release",
            "id": f"RE_{one.id}",
            "databaseId": one.id,
            "tagName": one.name,
            "createdAt": at(one.at_ms),
            **dict.fromkeys(("publishedAt", "updatedAt"), at(one.released_ms)),
            **dict.fromkeys(("isDraft", "isPrerelease"), False),
            "url": f"https://github.com/{self.repository.name}/releases/tag/{one.name}",
            "tagCommit": lambda: self.commit(self.repository.history.numbers[one.sha]),
        }

    def deployment(self, one: Deployed) -> Json:
        """A deployment; its ref is null when no branch or tag of that name exists."""
        tag = self.repository.tags.get(one.reference)
        number = self.repository.history.numbers.get(one.sha)
        newest_first = one.statuses[::-1]
        return {
            "__typename": "Deployment",
            "id": f"DE_{one.id}",
            "databaseId": one.id,
            "commitOid": one.sha,
            "commit": lambda: None if number is None else self.commit(number),
            "ref": self.reference(one.reference, "refs/tags/", tag) if tag else None,
            **dict.fromkeys(("environment", "latestEnvironment"), one.environment),
            "originalEnvironment": one.environment,
            "task": "deploy",
            "description": None,
            "payload": "{}",
            "creator": self.actor,
            "createdAt": at(one.created_ms),
            "updatedAt": at(one.statuses[-1][2]),
            "state": STATES.get(newest_first[0][1], newest_first[0][1].upper()),
            "latestStatus": lambda: self.status(one, newest_first[0]),
            "statuses": lambda **words: connection(
                newest_first, lambda status: self.status(one, status), words
            ),
        }

    def status(self, one: Deployed, status: tuple[int, str, int]) -> Json:
        """A status of a deployment."""
        id_, state, ms = status
        return {
            "__typename": "DeploymentStatus",
            "id": f"DES_{id_}",
            "state": state.upper(),
            "createdAt": at(ms),
            "updatedAt": at(ms),
            "creator": self.actor,
            "description": "",
            "environment": one.environment,
            "environmentUrl": f"https://{one.environment}.example.org/",
            "logUrl": log_url(one),
        }

    actor: Json = {"__typename": "Bot", "login": "govuk-ci", "databaseId": 1}  # noqa: RUF012

    def commit(self, place: int) -> Json:
        """A commit, with what it contains."""
        row = self.repository.history.commits[place]
        authored, committed = at(millis(row["authored_at"])), at(millis(row["committed_at"]))
        person = {"__typename": "GitActor", "name": "A Person", "user": None}
        numbers = self.repository.history.numbers
        return {
            "__typename": "Commit",
            "id": f"C_{row['sha']}",
            "oid": row["sha"],
            "authoredDate": authored,
            "committedDate": committed,
            "message": message(row),
            "messageHeadline": message(row),
            "messageBody": "",
            "author": person | {"date": authored},
            "committer": person | {"date": committed},
            "parents": lambda **words: connection(
                [numbers[sha] for sha in row["parents"].split()], self.commit, words
            ),
            "associatedPullRequests": self.nothing,
            "history": lambda **words: self.history(row["sha"], **words),
        }

    def history(
        self, sha: str, since: str | None = None, until: str | None = None, **words: Any
    ) -> Json:
        """What a commit contains, narrowed by the committer's time."""
        committed_ms = self.repository.committed_ms
        places: Sequence[int] = self.repository.contained(sha)
        if since:
            places = [place for place in places if committed_ms[place] >= millis(since)]
        if until:
            places = [place for place in places if committed_ms[place] <= millis(until)]
        return connection(places, self.commit, words)


# Where a deployment's state is called otherwise than the status that it comes from.
STATES = {"success": "ACTIVE"}


def resolve(source: Json, info: GraphQLResolveInfo, **words: Any) -> Json:
    """A field of a shape: a value, or what is computed when it is asked for."""
    name = info.field_name
    if name not in source:
        raise GraphQLError(f"the stand-in knows no {info.parent_type.name}.{name}")
    value = source[name]
    return value(**words) if callable(value) else value


def connection(items: Sequence[Any], render: Callable[[Any], Json], words: dict[str, Any]) -> Json:
    """A part of a list in the shape of Relay, bounded as GitHub does it."""
    first, last = words.get("first"), words.get("last")
    if first is None and last is None:
        raise GraphQLError(
            "You must provide a `first` or `last` value to properly paginate the connection.",
            extensions={"type": "MISSING_PAGINATION_BOUNDARIES"},
        )
    if not 0 <= (last if first is None else first) <= 100:
        raise GraphQLError(
            "Requesting more records than the `first` limit of 100 records.",
            extensions={"type": "EXCESSIVE_PAGINATION"},
        )
    begin = place(words["after"]) + 1 if words.get("after") else 0
    end = place(words["before"]) if words.get("before") else len(items)
    end = min(end, len(items))
    if first is not None:
        end = min(end, begin + first)
    else:
        begin = max(begin, end - last)
    shown = range(begin, max(begin, end))
    return {
        "totalCount": len(items),
        "nodes": lambda: [render(items[at_]) for at_ in shown],
        "edges": lambda: [{"cursor": cursor(at_), "node": render(items[at_])} for at_ in shown],
        "pageInfo": {
            "startCursor": cursor(shown[0]) if shown else None,
            "endCursor": cursor(shown[-1]) if shown else None,
            "hasNextPage": bool(items) and end < len(items),
            "hasPreviousPage": begin > 0,
        },
    }


def cursor(number: int) -> str:
    """A place in a list as a word that a client can only hand back."""
    return base64.b64encode(f"cursor:v2:{number}".encode()).decode()


def place(word: str) -> int:
    """The place that a cursor stands for."""
    try:
        return int(base64.b64decode(word).decode().removeprefix("cursor:v2:"))
    except ValueError:
        words = f"`{word}` does not appear to be a valid cursor."
        raise GraphQLError(words, extensions={"type": "INVALID_CURSOR_ARGUMENTS"}) from None


class Cost:
    """What a query costs by GitHub's published rule, from its text and variables alone.

    Each connection is asked for once for every node of the connections around it; the sum of
    those requests over 100 is the price, and the nodes that they may bring are bounded.
    """

    def __init__(
        self, document: DocumentNode, variables: dict[str, Any], operation: str | None
    ) -> None:
        self.variables = dict(variables)
        self.fragments = {
            part.name.value: part for part in document.definitions if part.kind.startswith("frag")
        }
        self.requests = self.nodes = 0
        for part in document.definitions:
            if isinstance(part, OperationDefinitionNode):
                if operation and part.name and part.name.value != operation:
                    continue
                for variable in part.variable_definitions or ():
                    if variable.default_value is not None:
                        name = variable.variable.name.value
                        value = getattr(variable.default_value, "value", None)
                        self.variables.setdefault(name, value)
                self.add(part.selection_set, 1)
        self.points = max(round(self.requests / 100), 1)

    def add(self, selections: SelectionSetNode | None, times: int) -> None:
        """Add what stands in a selection that is made so many times."""
        for chosen in selections.selections if selections else ():
            if isinstance(chosen, FragmentSpreadNode):
                self.add(self.fragments[chosen.name.value].selection_set, times)
            elif isinstance(chosen, FieldNode):
                size = self.size(chosen)
                if size is not None:
                    self.requests += times
                    self.nodes += times * size
                self.add(chosen.selection_set, times * (1 if size is None else size))
            else:
                self.add(chosen.selection_set, times)

    def size(self, chosen: FieldNode) -> int | None:
        """How many nodes a connection may bring; nothing for another field."""
        for argument in chosen.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, VariableNode):
                    given = self.variables.get(argument.value.name.value)
                    if given is None:
                        continue
                    return int(given)
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
        return None
