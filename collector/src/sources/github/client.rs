//! GitHub as the readers ask it: a page of REST or an answer of GraphQL about a repository, with
//! the token that this repository takes. Who asks does not know whether that is one for all, or
//! one of an App's installation that lasts an hour.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

use super::app::AppRefusal;
use super::installations::Installations;
use super::reply::{self, Moment, Refusal, Verdict};
use super::setup::{Config, Identity, SetupError};
use super::transport::{self, Reply, Request, Transport};

/// A way to one API with one identity; its copies share the tokens of an App.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    tokens: Tokens,
}

#[derive(Clone)]
enum Tokens {
    One(HeaderValue),
    App(Arc<Installations>),
}

/// An answer whose body is to be read.
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// Path and query of the next page.
    pub(crate) next: Option<String>,
    /// What is left of the hour's requests.
    pub(crate) remaining: Option<u64>,
}

impl Client {
    /// Prepares the transport; connects to nobody yet. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// An address, file or token that cannot work.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        let tokens = match &config.identity {
            Identity::Token(token) => {
                Tokens::One(transport::bearer(token).ok_or(SetupError::Token)?)
            }
            Identity::App(app) => Tokens::App(Arc::new(Installations::of(app.clone()))),
        };
        Ok(Self { transport: Transport::new(config)?, tokens })
    }

    /// A path of the API with what stands before every path on this server.
    pub(crate) fn path(&self, path: &str) -> String {
        self.transport.path(path)
    }

    /// Asks about a repository for a path and query, and follows a renamed one to its number.
    pub(crate) async fn ask(
        &self,
        repository: &str,
        path: &str,
        moment: Moment,
    ) -> Result<Answer, Verdict> {
        let reply = self.send(repository, Request { path, posted: None }, moment).await?;
        let next = next_page(&reply.headers).map(|link| self.transport.local(link)).transpose();
        let remaining = reply::remaining(&reply.headers);
        Ok(Answer { body: reply.body, next: next.map_err(Verdict::Never)?, remaining })
    }

    /// Sends a GraphQL request. What its 200 means stands in the body, and partly in the headers.
    pub(crate) async fn post(
        &self,
        repository: &str,
        request: &serde_json::Value,
        moment: Moment,
    ) -> Result<(HeaderMap, Bytes), Verdict> {
        let path = self.transport.graphql();
        let request = Request { path: &path, posted: Some(request) };
        let Reply { headers, body, .. } = self.send(repository, request, moment).await?;
        Ok((headers, body))
    }

    /// A token of an installation may end before its time, when the App's owner revokes it: then
    /// another one is asked for, once.
    async fn send(
        &self,
        repository: &str,
        request: Request<'_>,
        moment: Moment,
    ) -> Result<Reply, Verdict> {
        let judge = |path: &str, reply: &Reply| {
            reply::judge(path, reply.status, &reply.headers, &reply.body, moment)
        };
        let installations = match &self.tokens {
            Tokens::One(token) => {
                return self.transport.follow(request, token, moment, judge).await;
            }
            Tokens::App(installations) => installations,
        };
        let mut refused = None;
        loop {
            let token =
                installations.token(&self.transport, repository, refused.as_ref(), moment).await?;
            match self.transport.follow(request, &token, moment, judge).await {
                Err(Verdict::Never(Refusal::Token)) if refused.is_none() => refused = Some(token),
                Err(Verdict::Never(Refusal::Token)) => {
                    return Err(Verdict::Never(Refusal::App(AppRefusal::NewToken)));
                }
                outcome => return outcome,
            }
        }
    }
}

/// The target of `rel="next"`. Query values hold neither `>` nor an unescaped comma before it.
fn next_page(headers: &HeaderMap) -> Option<&str> {
    reply::text(headers, header::LINK.as_str())?.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let parameter = parameter.trim();
            parameter.eq_ignore_ascii_case("rel=\"next\"")
                || parameter.eq_ignore_ascii_case("rel=next")
        };
        parameters.split(';').any(is_next).then_some(target)
    })
}
