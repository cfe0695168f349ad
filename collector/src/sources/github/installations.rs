//! The tokens of an App's installations: asked for once, however many tasks wait for one, held
//! until shortly before they expire, and never written down. octocrab's own App authentication
//! sends the second page of a list without a token where the link's host is not api.github.com.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync;

use super::app::{App, AppRefusal};
use super::query::date;
use super::reply::{self, Moment, Refusal, Trouble, Verdict, parse_ms};
use super::transport::{self, Reply, Request, Transport};

/// An App with what it holds. Bounded by the repositories that are read.
pub(crate) struct Installations {
    app: App,
    /// Installations by the repository that they see.
    found: Mutex<BTreeMap<String, Arc<Turn<u64>>>>,
    /// Tokens by their installation.
    tokens: Mutex<BTreeMap<u64, Arc<Turn<Token>>>>,
}

#[derive(Clone)]
struct Token {
    value: HeaderValue,
    /// When the next one is asked for.
    renew_ms: i64,
}

#[derive(Deserialize)]
struct Found {
    id: u64,
}

#[derive(Deserialize)]
struct Granted {
    token: String,
    expires_at: String,
}

/// What the App itself asks for.
#[derive(Clone, Copy)]
enum Errand<'a> {
    /// The installation that sees a repository.
    Find(&'a str),
    /// A token of an installation.
    Grant(u64),
}

impl Installations {
    pub(crate) fn of(app: App) -> Self {
        Self { app, found: Mutex::default(), tokens: Mutex::default() }
    }

    /// The token that a repository is read with; another one than `refused`.
    pub(crate) async fn token(
        &self,
        transport: &Transport,
        repository: &str,
        refused: Option<&HeaderValue>,
        moment: Moment,
    ) -> Result<HeaderValue, Verdict> {
        let id = match self.app.installation {
            Some(id) => id,
            None => {
                let turn = turn(&self.found, repository.to_owned());
                turn.take(|_| true, self.find(transport, repository, moment)).await?
            }
        };
        let is_good =
            |token: &Token| token.renew_ms > moment.present_ms() && Some(&token.value) != refused;
        let granted = turn(&self.tokens, id).take(is_good, self.grant(transport, id, moment)).await;
        match granted {
            Err(Verdict::Never(Refusal::App(AppRefusal::NoInstallation { id, installation })))
                if self.app.installation.is_none() =>
            {
                // It was uninstalled; the next one to ask looks whether it was installed again.
                locked(&self.found).remove(repository);
                locked(&self.tokens).remove(&installation);
                let repository = repository.to_owned();
                Err(Verdict::Never(Refusal::App(AppRefusal::NotInstalled { id, repository })))
            }
            granted => granted.map(|token| token.value),
        }
    }

    async fn find(
        &self,
        transport: &Transport,
        repository: &str,
        moment: Moment,
    ) -> Result<u64, Verdict> {
        let path = transport.path(&format!("/repos/{repository}/installation"));
        let request = Request { path: &path, posted: None };
        let found: Found = self.run(transport, Errand::Find(repository), request, moment).await?;
        Ok(found.id)
    }

    async fn grant(
        &self,
        transport: &Transport,
        id: u64,
        moment: Moment,
    ) -> Result<Token, Verdict> {
        let path = transport.path(&format!("/app/installations/{id}/access_tokens"));
        let request = Request { path: &path, posted: Some(&json!({})) };
        let granted: Granted = self.run(transport, Errand::Grant(id), request, moment).await?;
        let (value, expires_ms) =
            (transport::bearer(&granted.token), parse_ms(&granted.expires_at));
        let (Some(value), Some(expires_ms)) = (value, expires_ms) else {
            return Err(Verdict::Later(moment.retry(Trouble::Body)));
        };
        // Half of a life that is shorter than ten minutes, lest each request ask for a token.
        let left_ms = expires_ms.saturating_sub(moment.present_ms());
        let early_ms = RENEW_EARLY_MS.min(left_ms / 2);
        Ok(Token { value, renew_ms: expires_ms.saturating_sub(early_ms) })
    }

    /// Asks as the App itself.
    async fn run<T: for<'a> Deserialize<'a>>(
        &self,
        transport: &Transport,
        errand: Errand<'_>,
        request: Request<'_>,
        moment: Moment,
    ) -> Result<T, Verdict> {
        let signed = self.app.key.signed(&self.app.id, moment.present_ms());
        let signed = transport::bearer(&signed).expect("base64 and dots are visible ASCII");
        let judge = |path: &str, reply: &Reply| self.judge(errand, path, reply, moment);
        let reply = transport.follow(request, &signed, moment, judge).await?;
        serde_json::from_slice(&reply.body).map_err(|_| Verdict::Later(moment.retry(Trouble::Body)))
    }

    /// What an answer to the App itself means: a limit or a trouble is one as ever, but what is
    /// refused is not a token.
    fn judge(&self, errand: Errand<'_>, path: &str, reply: &Reply, moment: Moment) -> Verdict {
        let Reply { status, headers, body } = reply;
        let verdict = reply::judge(path, *status, headers, body, moment);
        if !matches!(verdict, Verdict::Never(_)) {
            return verdict;
        }
        let (id, message) = (self.app.id.clone(), reply::message(body));
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        let refusal = match (*status, errand) {
            (StatusCode::UNAUTHORIZED, _) if says(&["Issued at", "Expiration time"]) => {
                let there = reply::text(headers, header::DATE.as_str()).and_then(reply::http_ms);
                let there = there.map_or_else(|| "another time".to_owned(), date);
                AppRefusal::Clock { message, here: date(moment.present_ms()), there }
            }
            (StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND, _)
                if says(&["Integration not found", "Issuer"]) =>
            {
                AppRefusal::Unknown { id, status: status.as_u16(), message }
            }
            (StatusCode::UNAUTHORIZED, _) => AppRefusal::Key { message },
            (StatusCode::NOT_FOUND, Errand::Find(repository)) => {
                AppRefusal::NotInstalled { id, repository: repository.to_owned() }
            }
            (StatusCode::NOT_FOUND, Errand::Grant(installation)) => {
                AppRefusal::NoInstallation { id, installation }
            }
            _ => return verdict,
        };
        Verdict::Never(Refusal::App(refusal))
    }
}

/// A value that one task gets for all: whoever waited while it was got takes what came of that,
/// also where that is a fault, so that a server in trouble is asked once and not by a whole queue.
struct Turn<T> {
    /// How often it was got.
    turns: AtomicU64,
    held: sync::Mutex<Option<Result<T, Verdict>>>,
}

impl<T> Default for Turn<T> {
    fn default() -> Self {
        Self { turns: AtomicU64::new(0), held: sync::Mutex::new(None) }
    }
}

impl<T: Clone> Turn<T> {
    /// What is held, where that is good, else what `get` gives.
    async fn take(
        &self,
        is_good: impl Fn(&T) -> bool,
        get: impl Future<Output = Result<T, Verdict>>,
    ) -> Result<T, Verdict> {
        let before = self.turns.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        match &*held {
            Some(Ok(value)) if is_good(value) => return Ok(value.clone()),
            Some(outcome) if self.turns.load(Ordering::Acquire) != before => {
                return outcome.clone();
            }
            _ => {}
        }
        let outcome = get.await;
        *held = Some(outcome.clone());
        self.turns.fetch_add(1, Ordering::Release);
        outcome
    }
}

fn turn<K: Ord, T>(turns: &Mutex<BTreeMap<K, Arc<Turn<T>>>>, of: K) -> Arc<Turn<T>> {
    locked(turns).entry(of).or_default().clone()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token lives for an hour; the longest step that began with one ends before it does.
const RENEW_EARLY_MS: i64 = 5 * 60_000;
