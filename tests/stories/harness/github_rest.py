"""GitHub's REST API over a real history.

The shapes follow GitHub's published description, which a story lets Prism check. What is not known
here is answered 404, as GitHub does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode

from .github import BRANCH, LIMIT, TOKEN, Deployed, Repository, Tagged, log_url, message
from .histories import at, millis
from .serving import Reply, Request

Json = Any


class Rest:
    """Answers for one repository. `public` is the address in links, the request's host if empty."""

    def __init__(self, repository: Repository, public: str = "") -> None:
        self.repository = repository
        self.public = public
        self.used = 0
        base = f"/repos/{re.escape(repository.name)}"
        self.routes: list[tuple[re.Pattern[str], Callable[..., Reply]]] = [
            (re.compile(pattern.replace("{repo}", base)), answer)
            for pattern, answer in (
                (r"{repo}", self.one_repository),
                (r"{repo}/commits", self.commits),
                (r"{repo}/commits/((?:tags/)?[^/]+)", self.one_commit),
                (r"{repo}/compare/([^/]+)", self.comparison),
                (r"{repo}/deployments", self.deployments),
                (r"{repo}/deployments/(\d+)", self.one_deployment),
                (r"{repo}/deployments/(\d+)/statuses", self.statuses),
                (r"{repo}/tags", self.tags),
                (r"{repo}/actions/runs", self.runs),
                (r"{repo}/releases", self.releases),
                (r"{repo}/git/matching-refs/(.+)", self.references),
                (r"{repo}/git/tags/([0-9a-f]+)", self.one_tag),
                (r"{repo}/git/commits/([0-9a-f]+)", self.one_git_commit),
                (r"{repo}/(?:pulls|issues)", self.nothing),
            )
        ]

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        self.used += 1
        self.base = self.public or f"http://{request.headers['host']}"
        refused = self.refused(request)
        if refused is not None:
            return refused
        if request.method != "GET":
            return self.json({"message": "Not Found"}, status=404)
        if request.path == "/rate_limit":
            return self.rate_limit()
        for pattern, answer in self.routes:
            if found := pattern.fullmatch(unquote(request.path)):
                reply = answer(request, *found.groups())
                return self.unchanged(request, reply)
        return self.json({"message": "Not Found"}, status=404)

    def refused(self, request: Request) -> Reply | None:
        """Whoever does not say who they are is refused, as by GitHub."""
        if not request.headers.get("user-agent"):
            return self.json({"message": "Request forbidden by administrative rules."}, status=403)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or token != TOKEN:
            return self.json({"message": "Bad credentials"}, status=401)
        return None

    def rate_limit(self) -> Reply:
        """What is left of the hour, which is told for free."""
        self.used -= 1
        hour = {
            "limit": LIMIT,
            "used": self.used,
            "remaining": max(LIMIT - self.used, 0),
            "reset": int(datetime.now(UTC).timestamp()) + 3600,
        }
        resources = dict.fromkeys(("core", "graphql", "search"), hour)
        return self.json({"resources": resources, "rate": hour})

    def unchanged(self, request: Request, reply: Reply) -> Reply:
        """304 for who has the same already."""
        tag = f'W/"{hashlib.sha256(reply.body).hexdigest()}"'
        headers = reply.headers | {"ETag": tag}
        if reply.status == 200 and request.headers.get("if-none-match") == tag:
            return Reply(304, b"", headers)
        return Reply(reply.status, reply.body, headers)

    def json(self, value: Json, status: int = 200, link: str = "") -> Reply:
        """An answer with the headers that all of GitHub's have."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(max(LIMIT - self.used, 1)),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": "core",
            "X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 3600),
        }
        if link:
            headers["Link"] = link
        return Reply(status, json.dumps(value).encode(), headers)

    def page(
        self, request: Request, items: Sequence[Any], render: Callable[[Any], Json]
    ) -> tuple[list[Json], str]:
        """The page that was asked for, and the links to the others."""
        size = min(max(int(request.query.get("per_page", 30)), 1), 100)
        number = max(int(request.query.get("page", 1)), 1)
        last = max((len(items) + size - 1) // size, 1)
        pages = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        if number <= 1:
            del pages["prev"], pages["first"]
        if number >= last:
            del pages["next"], pages["last"]
        links = []
        for name, page in pages.items():
            query = urlencode(request.query | {"page": str(page)})
            links.append(f'<{self.base}{request.path}?{query}>; rel="{name}"')
        shown = items[(number - 1) * size : number * size]
        return [render(item) for item in shown], ", ".join(links)

    def listed(
        self, request: Request, items: Sequence[Any], render: Callable[[Any], Json]
    ) -> Reply:
        """A page of a plain list."""
        shown, link = self.page(request, items, render)
        return self.json(shown, link=link)

    def missing(self, what: str) -> Reply:
        """What GitHub does not know."""
        return self.json({"message": what or "Not Found", "status": "404"}, status=404)

    # Lists and objects, by path.

    def nothing(self, request: Request) -> Reply:
        """Lists that are empty in this history."""
        return self.listed(request, [], lambda item: item)

    def runs(self, request: Request) -> Reply:
        """No workflow ran."""
        return self.json({"total_count": 0, "workflow_runs": []})

    def deployments(self, request: Request) -> Reply:
        """Newest first, narrowed as GitHub does."""
        wanted = self.repository.deployments[::-1]
        narrow = {"environment": "environment", "sha": "sha", "ref": "reference"}
        for word, attribute in narrow.items():
            value = request.query.get(word, "none")
            if value != "none":
                wanted = [one for one in wanted if getattr(one, attribute) == value]
        return self.listed(request, wanted, self.deployment)

    def one_deployment(self, request: Request, id_: str) -> Reply:
        """By its id."""
        one = self.repository.find(int(id_))
        return self.json(self.deployment(one)) if one else self.missing("")

    def statuses(self, request: Request, id_: str) -> Reply:
        """Newest first."""
        one = self.repository.find(int(id_))
        if one is None:
            return self.missing("")
        return self.listed(request, one.statuses[::-1], lambda status: self.status(one, status))

    def commits(self, request: Request) -> Reply:
        """The history of a branch or commit, narrowed by the committer's time."""
        reference = request.query.get("sha", BRANCH)
        sha = self.repository.resolve(reference)
        if sha is None:
            return self.missing(f"No commit found for SHA: {reference}")
        places = self.repository.contained(sha)
        committed_ms = self.repository.committed_ms
        if since := request.query.get("since"):
            places = [place for place in places if committed_ms[place] >= millis(since)]
        if until := request.query.get("until"):
            places = [place for place in places if committed_ms[place] <= millis(until)]
        return self.listed(request, places, self.commit)

    def one_commit(self, request: Request, reference: str) -> Reply:
        """By SHA, branch or tag."""
        sha = self.repository.resolve(reference)
        if sha is None:
            words = {"message": f"No commit found for SHA: {reference}", "status": "422"}
            return self.json(words, status=422)
        return self.json(self.commit(self.repository.history.numbers[sha]))

    def comparison(self, request: Request, names: str) -> Reply:
        """What the head has and the base has not, oldest first."""
        base, _, head = names.partition("...")
        base_sha, head_sha = self.repository.resolve(base), self.repository.resolve(head)
        if base_sha is None or head_sha is None:
            return self.missing("Not Found")
        history = self.repository.history
        ours = history.ancestors[history.numbers[base_sha]]
        theirs = history.ancestors[history.numbers[head_sha]]
        ahead = self.repository.newest_first(theirs & ~ours)[::-1]
        behind = (ours & ~theirs).bit_count()
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind"
        paged = "page" in request.query or "per_page" in request.query
        query = request.query if paged else request.query | {"per_page": "100"}
        shown, link = self.page(replace(request, query=query), ahead, self.commit)
        url = f"{self.base}{request.path}"
        # The history is listed parents first, so the last place in common has no better one.
        shared = ours & theirs
        if not shared:
            return self.missing(f"No common ancestor between {base} and {head}.")
        value = {
            **dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), url),
            "base_commit": self.commit(history.numbers[base_sha]),
            "merge_base_commit": self.commit(shared.bit_length() - 1),
            "status": "identical" if base_sha == head_sha else status,
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": shown,
            "files": [],
        }
        return self.json(value, link=link)

    def tags(self, request: Request) -> Reply:
        """Every tag."""
        return self.listed(request, list(self.repository.tags.items()), self.tag)

    def releases(self, request: Request) -> Reply:
        """Newest first."""
        return self.listed(request, self.repository.released(), self.release)

    def references(self, request: Request, begin: str) -> Reply:
        """All at once, by name; here there are tags alone."""
        shown = sorted(self.repository.shown(), key=lambda tag: tag.name)
        found = [tag for tag in shown if f"tags/{tag.name}".startswith(begin)]
        return self.json([self.git_reference(tag) for tag in found])

    def one_tag(self, request: Request, object_: str) -> Reply:
        """A tag that is an object of its own."""
        found = [tag for tag in self.repository.shown() if tag.object == object_]
        return self.json(self.git_tag(found[0])) if found else self.missing("")

    def one_git_commit(self, request: Request, sha: str) -> Reply:
        """What git says of a commit."""
        number = self.repository.history.numbers.get(sha)
        return self.missing("") if number is None else self.json(self.git_commit(number))

    def one_repository(self, request: Request) -> Reply:
        """The repository itself."""
        return self.json(self.whole())

    # The shapes.

    @property
    def url(self) -> str:
        """The repository's address."""
        return f"{self.base}/repos/{self.repository.name}"

    def deployment(self, one: Deployed) -> Json:
        """A deployment."""
        url = f"{self.url}/deployments/{one.id}"
        return {
            "url": url,
            "id": one.id,
            "node_id": f"DE_{one.id}",
            "sha": one.sha,
            "ref": one.reference,
            "task": "deploy",
            "payload": {},
            "original_environment": one.environment,
            "environment": one.environment,
            "description": None,
            "creator": self.user("govuk-ci"),
            "created_at": at(one.created_ms),
            "updated_at": at(one.statuses[-1][2]),
            "statuses_url": f"{url}/statuses",
            "repository_url": self.url,
            "transient_environment": False,
            "production_environment": one.environment == "production",
        }

    def status(self, one: Deployed, status: tuple[int, str, int]) -> Json:
        """A status of a deployment."""
        id_, state, ms = status
        url = f"{self.url}/deployments/{one.id}"
        return {
            "url": f"{url}/statuses/{id_}",
            "id": id_,
            "node_id": f"DES_{id_}",
            "state": state,
            "creator": self.user("govuk-ci"),
            "description": "",
            "environment": one.environment,
            "target_url": log_url(one),
            "created_at": at(ms),
            "updated_at": at(ms),
            "deployment_url": url,
            "repository_url": self.url,
            "environment_url": f"https://{one.environment}.example.org/",
            "log_url": log_url(one),
        }

    def commit(self, place: int) -> Json:
        """A commit; who made it is not part of the history."""
        row = self.repository.history.commits[place]
        sha, url = row["sha"], f"{self.url}/commits/{row['sha']}"
        person = {"name": "A Person", "email": "person@example.org"}
        parents = row["parents"].split()
        return {
            "url": url,
            "sha": sha,
            "node_id": f"C_{sha}",
            "html_url": self.page_url(f"commit/{sha}"),
            "comments_url": f"{url}/comments",
            "commit": {
                "url": f"{self.url}/git/commits/{sha}",
                "author": person | {"date": at(millis(row["authored_at"]))},
                "committer": person | {"date": at(millis(row["committed_at"]))},
                "message": message(row),
                "tree": {"sha": sha[::-1], "url": f"{self.url}/git/trees/{sha[::-1]}"},
                "comment_count": 0,
            },
            "author": None,
            "committer": None,
            "parents": [
                {
                    "sha": parent,
                    "url": f"{self.url}/commits/{parent}",
                    "html_url": self.page_url(f"commit/{parent}"),
                }
                for parent in parents
            ],
        }

    def tag(self, named: tuple[str, str]) -> Json:
        """A tag."""
        name, sha = named
        return {
            "name": name,
            "node_id": f"REF_{name}",
            "commit": {"sha": sha, "url": f"{self.url}/commits/{sha}"},
            "zipball_url": f"{self.url}/zipball/refs/tags/{name}",
            "tarball_url": f"{self.url}/tarball/refs/tags/{name}",
        }

    def git_reference(self, one: Tagged) -> Json:
        """A tag as a ref of git's."""
        kind = "commits" if one.object is None else "tags"
        sha = one.object or one.sha
        return {
            "ref": f"refs/tags/{one.name}",
            "node_id": f"REF_{one.name}",
            "url": f"{self.url}/git/refs/tags/{one.name}",
            "object": {"sha": sha, "type": kind[:-1], "url": f"{self.url}/git/{kind}/{sha}"},
        }

    def git_tag(self, one: Tagged) -> Json:
        """A tag as an object of git's."""
        url = f"{self.url}/git/tags/{one.object}"
        named = {"sha": one.sha, "type": "commit", "url": f"{self.url}/git/commits/{one.sha}"}
        return {
            "node_id": f"T_{one.object}",
            "tag": one.name,
            "sha": one.object,
            "url": url,
            "message": f"Release {one.name}",
            "tagger": {"name": "A", "email": "a@example.org", "date": at(one.at_ms)},
            "object": named,
        }

    def git_commit(self, place: int) -> Json:
        """A commit as an object of git's."""
        commit = self.commit(place)
        inner = commit["commit"]
        verification = {"verified": False, "reason": "unsigned", "signature": None}
        return {
            **{key: commit[key] for key in ("sha", "node_id", "html_url", "parents")},
            **{key: inner[key] for key in ("url", "author", "committer", "tree", "message")},
            "verification": verification | {"payload": None, "verified_at": None},
        }

    def release(self, one: Tagged) -> Json:
        """A release; it was drafted when its tag was made."""
        url = f"{self.url}/releases/{one.id}"
        return {
            "url": url,
            "id": one.id,
            "node_id": f"RE_{one.id}",
            "html_url": self.page_url(f"releases/tag/{one.name}"),
            "assets_url": f"{url}/assets",
            "upload_url": f"{url}/assets{{?name,label}}",
            "tarball_url": f"{self.url}/tarball/{one.name}",
            "zipball_url": f"{self.url}/zipball/{one.name}",
            "tag_name": one.name,
            "target_commitish": BRANCH,
            "name": f"Release {one.name}",
            "body": "",
            "draft": False,
            "prerelease": False,
            "created_at": at(one.at_ms),
            "published_at": at(one.released_ms),
            "updated_at": at(one.released_ms),
            "author": self.user("govuk-ci"),
            "assets": [],
        }

    def page_url(self, path: str) -> str:
        """The address of a page for people."""
        return f"https://github.com/{self.repository.name}/{path}"

    def user(self, login: str) -> Json:
        """A user as objects mention it."""
        url = f"{self.base}/users/{login}"
        links = {
            "followers_url": "followers",
            "following_url": "following{/other_user}",
            "gists_url": "gists{/gist_id}",
            "starred_url": "starred{/owner}{/repo}",
            "subscriptions_url": "subscriptions",
            "organizations_url": "orgs",
            "repos_url": "repos",
            "events_url": "events{/privacy}",
            "received_events_url": "received_events",
        }
        return {
            "login": login,
            "id": 1,
            "node_id": "U_1",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{login}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"https://github.com/{login}",
            **{name: f"{url}/{path}" for name, path in links.items()},
            "type": "User",
            "site_admin": False,
        }

    def whole(self) -> Json:
        """A repository with everything that GitHub tells of one."""
        owner, _, name = self.repository.name.partition("/")
        counts = "forks forks_count open_issues open_issues_count size stargazers_count watchers"
        counts += " watchers_count network_count subscribers_count"
        switches = "has_issues has_projects has_wiki has_pages has_discussions archived disabled"
        switches += " private fork"
        return {
            "id": 10_000_001,
            "node_id": "R_10000001",
            "name": name,
            "full_name": self.repository.name,
            "owner": self.user(owner),
            "url": self.url,
            "html_url": f"https://github.com/{self.repository.name}",
            "description": None,
            "default_branch": BRANCH,
            "homepage": None,
            "language": "Ruby",
            "license": None,
            "mirror_url": None,
            "visibility": "public",
            "clone_url": f"https://github.com/{self.repository.name}.git",
            "git_url": f"git://github.com/{self.repository.name}.git",
            "ssh_url": f"git@github.com:{self.repository.name}.git",
            "svn_url": f"https://github.com/{self.repository.name}",
            **{f"{word}_url": f"{self.url}/{path}" for word, path in PARTS.items()},
            **dict.fromkeys(counts.split(), 0),
            **dict.fromkeys(switches.split(), False),
            **dict.fromkeys(("pushed_at", "created_at", "updated_at"), "2026-08-21T16:25:28Z"),
        }


# What a repository links to, by the word before `_url`.
PARTS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}
