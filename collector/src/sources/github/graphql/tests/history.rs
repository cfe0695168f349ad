//! A repository's history from a seed, as REST shows it, and the same again as GraphQL does.

use serde_json::{Value, json};

use super::super::super::query::date;
use super::super::super::reply::parse_ms;
use super::NOW_MS;

/// What happened in `acme/shop`, in REST's objects.
#[derive(Clone, Default)]
pub(super) struct History {
    /// With their statuses, the newest first.
    pub(super) deployments: Vec<(Value, Vec<Value>)>,
    pub(super) pulls: Vec<Pull>,
    /// With their timelines.
    pub(super) issues: Vec<(Value, Vec<Value>)>,
    /// The default branch, the newest last; what is deployed is among them.
    pub(super) commits: Vec<Value>,
    /// With the commits of their tags.
    pub(super) releases: Vec<(Value, Option<String>)>,
    /// As the list of refs shows them.
    pub(super) tags: Vec<Value>,
    /// Tags that are objects of their own.
    pub(super) annotated: Vec<Value>,
}

#[derive(Clone)]
pub(super) struct Pull {
    pub(super) object: Value,
    pub(super) commits: Vec<Value>,
    pub(super) reviews: Vec<Value>,
    pub(super) comments: Vec<Value>,
}

/// Numbers without an end (xorshift).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let sides = u64::try_from(words.len()).unwrap();
        words[usize::try_from(self.roll(sides)).unwrap()]
    }
}

impl History {
    /// Objects spread over `days` before now.
    pub(super) fn generate(
        seed: u64,
        deployments: u64,
        pulls: u64,
        issues: u64,
        days: u64,
    ) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let step = |count: u64| i64::try_from(days * 86_400_000 / count.max(1)).unwrap();
        let at = |of: u64, count: u64| NOW_MS - i64::try_from(count - of).unwrap() * step(count);
        Self {
            deployments: (0..deployments)
                .map(|id| deployment(&mut dice, id, at(id, deployments)))
                .collect(),
            pulls: (0..pulls).map(|id| pull(&mut dice, id, at(id, pulls))).collect(),
            issues: (0..issues).map(|id| issue(&mut dice, id, at(id, issues))).collect(),
            commits: (0..deployments)
                .map(|id| commit(&mut dice, id, at(id, deployments) - 3_600_000))
                .collect(),
            ..Self::default()
        }
    }

    /// The repository as GraphQL knows it.
    pub(super) fn graph(&self) -> Value {
        let commits: Vec<Value> = self.commits.iter().rev().map(graph_commit).collect();
        let head = self
            .commits
            .last()
            .map(|head| json!({ "__typename": "Commit", "oid": head["sha"], "history": commits }));
        json!({
            "__typename": "Repository",
            "object": head,
            "commits": commits,
            "deployments": self.deployments.iter().map(graph_deployment).collect::<Vec<_>>(),
            "pullRequests": self.pulls.iter().map(graph_pull).collect::<Vec<_>>(),
            "issues": self.issues.iter().map(graph_issue).collect::<Vec<_>>(),
            "releases": self.releases.iter().map(graph_release).collect::<Vec<_>>(),
            "refs": self.tags.iter().map(|tag| self.graph_tag(tag)).collect::<Vec<_>>(),
        })
    }

    fn graph_tag(&self, tag: &Value) -> Value {
        let name = tag["ref"].as_str().unwrap().trim_start_matches("refs/tags/");
        let target = self.graph_object(&tag["object"]);
        json!({ "__typename": "Ref", "id": format!("REF_{name}"), "name": name, "target": target })
    }

    fn graph_object(&self, named: &Value) -> Value {
        let is_it = |object: &&Value| object["sha"] == named["sha"];
        let sha = &named["sha"];
        if let Some(commit) = self.commits.iter().find(is_it) {
            return json!({ "__typename": "Commit", "oid": sha,
                           "committedDate": commit["commit"]["committer"]["date"] });
        }
        let Some(tag) = self.annotated.iter().find(is_it) else {
            return json!({ "__typename": "Tree", "oid": sha });
        };
        let tagger = tag["tagger"].as_object();
        json!({
            "__typename": "Tag", "oid": sha, "target": self.graph_object(&tag["object"]),
            "tagger": tagger.map(|by| json!({ "__typename": "GitActor", "date": by["date"] })),
        })
    }
}

pub(super) fn status(state: &str, at_ms: i64) -> Value {
    let url = if state == "success" { "https://shop.example" } else { "" };
    json!({ "state": state, "created_at": date(at_ms), "updated_at": date(at_ms),
            "environment_url": url, "log_url": "https://ci.example/1" })
}

pub(super) fn deployment(dice: &mut Dice, id: u64, at_ms: i64) -> (Value, Vec<Value>) {
    let sha = sha(id);
    let reference = if dice.roll(2) == 0 { "main" } else { &sha };
    let mut statuses = Vec::new();
    let mut now_ms = at_ms;
    let last = dice.of(&["success", "success", "failure", "error", "inactive", ""]);
    let many = if id % 1_000 == 180 { 120 } else { dice.roll(3) };
    let states = (0..many).map(|_| "in_progress").chain(["queued", "waiting", last]);
    for state in states.filter(|state| !state.is_empty()) {
        statuses.insert(0, status(state, now_ms));
        now_ms += i64::try_from(dice.roll(3)).unwrap() * 1_000;
    }
    let environment = dice.of(&["production", "staging"]);
    let object = json!({ "id": 1_000 + id, "sha": sha, "ref": reference, "url": "https://api",
        "environment": environment, "created_at": date(at_ms), "updated_at": date(now_ms) });
    (object, statuses)
}

pub(super) fn sha(id: u64) -> String {
    format!("{:016x}{id:024x}", (id + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

pub(super) fn commit(dice: &mut Dice, id: u64, at_ms: i64) -> Value {
    let parents = if id % 1_000 == 181 { 104 } else { 1 + dice.roll(2) };
    let parents =
        (1..=parents).filter_map(|before| Some(json!({ "sha": sha(id.checked_sub(before)?) })));
    let message = match dice.roll(4) {
        0 => format!("Revert \"Sell\"\n\nThis reverts commit {}.\n", sha(id / 2)),
        _ => "Sell\n\nMore.".to_owned(),
    };
    let authored = date(at_ms - i64::try_from(dice.roll(9_000)).unwrap() * 1_000);
    json!({ "sha": sha(id), "parents": parents.collect::<Vec<_>>(), "commit": { "message": message,
        "author": { "date": authored }, "committer": { "date": date(at_ms) } } })
}

fn user(dice: &mut Dice) -> Value {
    match dice.of(&["ann", "bob", "cid", "bot", ""]) {
        "" => Value::Null,
        "bot" => json!({ "login": "dependabot[bot]", "type": "Bot" }),
        login => json!({ "login": login, "type": "User" }),
    }
}

pub(super) fn pull(dice: &mut Dice, id: u64, at_ms: i64) -> Pull {
    let number = 10 + id;
    let later = |dice: &mut Dice, hours: u64| {
        date(at_ms + i64::try_from(dice.roll(hours * 3_600)).unwrap() * 1_000)
    };
    let many = |dice: &mut Dice, is_long: bool| if is_long { 230 } else { dice.roll(4) };
    let commits = (0..=many(dice, id % 1_000 == 38)).map(|commit| {
        let authored = date(at_ms - i64::try_from(dice.roll(90_000)).unwrap() * 1_000);
        json!({ "sha": format!("{:040x}", (number << 20) + commit),
                "commit": { "author": { "date": authored } } })
    });
    let commits = commits.collect();
    let reviews = (0..many(dice, id % 1_000 == 38)).map(|_| {
        let state = dice.of(&["APPROVED", "COMMENTED", "CHANGES_REQUESTED"]);
        json!({ "user": user(dice), "state": state, "submitted_at": later(dice, 48) })
    });
    let reviews = reviews.collect();
    let comments = (0..many(dice, id % 1_000 == 35))
        .map(|_| json!({ "user": user(dice), "created_at": later(dice, 48) }))
        .collect();
    let merged = (dice.roll(4) > 0).then(|| date(at_ms + 3_600_000));
    let body = match dice.roll(4) {
        0 => json!(format!("Reverts acme/shop#{}", number - 1)),
        1 => Value::Null,
        _ => json!("Sells \"more\"\nof it"),
    };
    let labels: &[&str] = if dice.roll(3) == 0 { &["hotfix", "area: till"] } else { &[] };
    let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
    let object = json!({
        "id": 900 + id, "number": number, "title": format!("Change {number}"), "body": body,
        "state": "closed", "user": user(dice), "labels": labels,
        "head": { "ref": format!("branch-{number}") },
        "merge_commit_sha": format!("{:040x}", 0xE000_0000 + id), "merged_at": merged,
        "created_at": date(at_ms), "updated_at": date(at_ms + 3_600_000),
    });
    Pull { object, commits, reviews, comments }
}

fn issue(dice: &mut Dice, id: u64, at_ms: i64) -> (Value, Vec<Value>) {
    let number = 50_000 + id;
    let closed = (dice.roll(3) > 0).then(|| date(at_ms + 7_200_000));
    let reason = closed.as_ref().map(|_| dice.of(&["completed", "not_planned", "duplicate"]));
    let label = if dice.roll(5) == 0 { "question" } else { "incident: p1" };
    let event = |kind: &str, minutes: i64, label: Option<&str>| {
        let at = date(at_ms + minutes * 60_000);
        match label {
            Some(name) => json!({ "event": kind, "created_at": at, "label": { "name": name } }),
            None => json!({ "event": kind, "created_at": at }),
        }
    };
    let mut events = vec![event("commented", 1, None), event("labeled", 5, Some("area: till"))];
    let times = if id == 5 { 60 } else { i64::try_from(dice.roll(3)).unwrap() };
    for minute in 0..times {
        events.push(event("labeled", 10 + minute, Some(label)));
        events.push(event("unlabeled", 11 + minute, Some(label)));
    }
    events.push(event("labeled", 75, Some(label)));
    if dice.roll(2) == 0 {
        events.extend([event("closed", 80, None), event("reopened", 85, None)]);
    }
    events.extend(closed.iter().map(|_| event("closed", 120, None)));
    let issue = json!({
        "id": 700 + id, "number": number, "title": "Checkout down", "state_reason": reason,
        "html_url": format!("https://github.com/acme/shop/issues/{number}"),
        "created_at": date(at_ms), "closed_at": closed,
        "updated_at": closed.clone().unwrap_or_else(|| date(at_ms)),
        "labels": [{ "name": label }],
    });
    (issue, events)
}

fn graph_deployment((object, statuses): &(Value, Vec<Value>)) -> Value {
    let is_branch = object["ref"] != object["sha"];
    let statuses = statuses.iter().map(|status| {
        let state = status["state"].as_str().unwrap().to_uppercase();
        let url = status["environment_url"].as_str().filter(|url| !url.is_empty());
        json!({ "__typename": "DeploymentStatus", "state": state, "environmentUrl": url,
                "createdAt": status["created_at"], "updatedAt": status["updated_at"],
                "logUrl": status["log_url"] })
    });
    json!({
        "__typename": "Deployment", "id": format!("DE_{}", object["id"]),
        "databaseId": object["id"], "environment": object["environment"],
        "commitOid": object["sha"], "createdAt": object["created_at"],
        "ref": is_branch.then(|| json!({ "__typename": "Ref", "name": object["ref"] })),
        "updatedAt": object["updated_at"], "statuses": statuses.collect::<Vec<_>>(),
    })
}

fn graph_actor(user: &Value) -> Value {
    let Some(login) = user["login"].as_str() else { return Value::Null };
    json!({ "__typename": user["type"], "login": login.trim_end_matches("[bot]") })
}

fn graph_pull(pull: &Pull) -> Value {
    let object = &pull.object;
    let commits = pull.commits.iter().map(|commit| {
        json!({ "__typename": "PullRequestCommit", "commit": { "__typename": "Commit",
            "oid": commit["sha"], "authoredDate": commit["commit"]["author"]["date"] } })
    });
    let reviews = pull.reviews.iter().map(|review| {
        json!({ "__typename": "PullRequestReview", "author": graph_actor(&review["user"]),
                "state": review["state"], "submittedAt": review["submitted_at"] })
    });
    let comments = pull.comments.iter().map(|comment| {
        json!({ "__typename": "IssueComment", "author": graph_actor(&comment["user"]),
                "createdAt": comment["created_at"] })
    });
    let labels = object["labels"].as_array().unwrap().iter().rev();
    let labels = labels.map(|label| json!({ "__typename": "Label", "name": label["name"] }));
    let merge = json!({ "__typename": "Commit", "oid": object["merge_commit_sha"] });
    let body = object["body"].as_str().unwrap_or_default();
    json!({
        "__typename": "PullRequest", "id": format!("PR_{}", object["number"]),
        "number": object["number"], "title": object["title"], "body": body,
        "createdAt": object["created_at"], "updatedAt": object["updated_at"],
        "mergedAt": object["merged_at"], "author": graph_actor(&object["user"]),
        "mergeCommit": object["merged_at"].as_str().map(|_| merge),
        "headRefName": object["head"]["ref"], "labels": labels.collect::<Vec<_>>(),
        "commits": commits.collect::<Vec<_>>(), "reviews": reviews.collect::<Vec<_>>(),
        "comments": comments.collect::<Vec<_>>(),
    })
}

fn graph_issue((issue, events): &(Value, Vec<Value>)) -> Value {
    let reason = issue["state_reason"].as_str().map(str::to_uppercase);
    let events = events.iter().filter_map(|event| {
        let kind = match event["event"].as_str()? {
            "labeled" => "LabeledEvent",
            "unlabeled" => "UnlabeledEvent",
            "closed" => "ClosedEvent",
            "reopened" => "ReopenedEvent",
            _ => return None,
        };
        let label = json!({ "__typename": "Label", "name": event["label"]["name"] });
        Some(json!({ "__typename": kind, "createdAt": event["created_at"], "label": label }))
    });
    json!({
        "__typename": "Issue", "id": format!("I_{}", issue["number"]), "number": issue["number"],
        "title": issue["title"], "url": issue["html_url"], "stateReason": reason,
        "createdAt": issue["created_at"], "updatedAt": issue["updated_at"],
        "closedAt": issue["closed_at"], "labels": issue["labels"],
        "timelineItems": events.collect::<Vec<_>>(),
    })
}

fn graph_release((release, commit): &(Value, Option<String>)) -> Value {
    let commit = commit.as_ref().map(|sha| json!({ "__typename": "Commit", "oid": sha }));
    json!({
        "__typename": "Release", "id": format!("RE_{}", release["id"]),
        "databaseId": release["id"], "tagName": release["tag_name"],
        "createdAt": release["created_at"], "publishedAt": release["published_at"],
        "updatedAt": release["updated_at"], "isDraft": release["draft"],
        "isPrerelease": release["prerelease"], "url": release["html_url"], "tagCommit": commit,
    })
}

fn graph_commit(commit: &Value) -> Value {
    let parents = commit["parents"].as_array().unwrap().iter();
    let parents = parents.map(|parent| json!({ "__typename": "Commit", "oid": parent["sha"] }));
    json!({
        "__typename": "Commit", "id": format!("C_{}", commit["sha"].as_str().unwrap()),
        "oid": commit["sha"], "message": commit["commit"]["message"],
        "authoredDate": commit["commit"]["author"]["date"],
        "committedDate": commit["commit"]["committer"]["date"],
        "parents": parents.collect::<Vec<_>>(),
    })
}

/// Whether an object of REST changed at or after a time.
pub(super) fn changed_since(object: &Value, key: &str, at_ms: i64) -> bool {
    parse_ms(object[key].as_str().unwrap()).unwrap() >= at_ms
}
