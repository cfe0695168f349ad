//! One GET at a time through octocrab, on a transport that we build: octocrab's own has no time-out
//! by default, trusts no private authority, takes no proxy and bounds no body.

use std::error::Error as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioExecutor;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::reply::{self, Moment, Refusal, Trouble, Verdict};

/// How GitHub is reached.
#[derive(Clone)]
pub struct Config {
    /// The API's address; for GitHub Enterprise Server `https://<host>/api/v3`.
    pub api: String,
    /// A personal access token, classic or fine-grained, or an installation's token.
    pub token: String,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy that speaks CONNECT.
    pub proxy: Option<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take with its answer's body.
    pub timeout: Duration,
}

impl Config {
    /// github.com with this token. A page of 100 takes GitHub up to ten seconds, after which it
    /// answers 502 itself.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self {
            api: "https://api.github.com".to_owned(),
            token: token.to_owned(),
            ca_file: None,
            proxy: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Why a configuration reaches no GitHub.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address that is none.
    #[error(
        "`{0}` is no address of an API: write `https://api.github.com`, or for an Enterprise \
             Server `https://<host>/api/v3`"
    )]
    Api(String),
    /// A proxy that is none.
    #[error("`{0}` is no address of a proxy: write `http://<host>:<port>`")]
    Proxy(String),
    /// A token that cannot stand in a header.
    #[error("the token is empty or holds a character that no token has, such as a line's end")]
    Token,
    /// The CA file cannot be read.
    #[error("the CA file {path} cannot be read ({cause}): check its name and its permissions")]
    CaUnreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The CA file holds no certificate.
    #[error("the CA file {path} holds no PEM certificate: it needs a `BEGIN CERTIFICATE` block")]
    CaEmpty {
        /// The file.
        path: PathBuf,
    },
    /// The system has no certificates to trust.
    #[error(
        "no certificates of this system can be read ({0}): install ca-certificates, or set a \
             CA file"
    )]
    SystemRoots(std::io::Error),
}

/// A way to one API with one token.
#[derive(Clone)]
pub struct Client {
    octocrab: Octocrab,
    /// Scheme and authority, without a path.
    origin: String,
    authority: String,
    /// `/api/v3` on an Enterprise Server, else empty.
    prefix: String,
    token: HeaderValue,
    timeout: Duration,
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
        let uri = config.api.parse::<Uri>().ok();
        let origin = uri.as_ref().and_then(|uri| {
            let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
            Some((format!("{scheme}://{}", uri.authority()?), uri.authority()?.to_string()))
        });
        let (Some(uri), Some((origin, authority))) = (&uri, origin) else {
            return Err(SetupError::Api(config.api.clone()));
        };
        if uri.query().is_some() || authority.contains('@') {
            return Err(SetupError::Api(config.api.clone()));
        }
        let token = config.token.as_str();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SetupError::Token);
        }
        let mut token = HeaderValue::try_from(format!("Bearer {token}"))
            .expect("visible ASCII is a header's value");
        token.set_sensitive(true);
        Ok(Self {
            octocrab: transport(config)?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
            origin,
            authority,
            token,
            timeout: config.timeout,
        })
    }

    /// A path of the API with what stands before every path on this server.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Asks for a path and query, and follows a renamed repository to its number.
    pub(crate) async fn ask(&self, path: &str, moment: Moment) -> Result<Answer, Verdict> {
        let (headers, body) = self.follow(path.to_owned(), None, moment).await?;
        let next = next_page(&headers).map(|link| self.local(link)).transpose();
        let remaining = reply::remaining(&headers);
        Ok(Answer { body, next: next.map_err(Verdict::Never)?, remaining })
    }

    /// Sends a GraphQL request. What its 200 means stands in the body, and partly in the headers.
    pub(crate) async fn post(
        &self,
        request: &serde_json::Value,
        moment: Moment,
    ) -> Result<(HeaderMap, Bytes), Verdict> {
        // On an Enterprise Server REST is below `/api/v3`, and GraphQL is its neighbour.
        let root = self.prefix.strip_suffix("/v3").unwrap_or(&self.prefix);
        self.follow(format!("{root}/graphql"), Some(request), moment).await
    }

    async fn follow(
        &self,
        mut path: String,
        request: Option<&serde_json::Value>,
        moment: Moment,
    ) -> Result<(HeaderMap, Bytes), Verdict> {
        for _ in 0..=REDIRECTS_MAX {
            let exchange = self.exchange(&path, request, moment);
            let (status, headers, body) = match tokio::time::timeout(self.timeout, exchange).await {
                Ok(exchanged) => exchanged?,
                Err(_) => return Err(Verdict::Later(moment.retry(Trouble::Connection))),
            };
            match reply::judge(&path, status, &headers, &body, moment) {
                Verdict::Use => return Ok((headers, body)),
                Verdict::Moved(place) => path = self.local(&place).map_err(Verdict::Never)?,
                verdict => return Err(verdict),
            }
        }
        Err(Verdict::Later(moment.retry(Trouble::Server)))
    }

    async fn exchange(
        &self,
        path: &str,
        request: Option<&serde_json::Value>,
        moment: Moment,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Verdict> {
        let uri = format!("{}{path}", self.origin);
        let sent = match request {
            None => self.octocrab._get_with_headers(uri, Some(self.headers())).await,
            Some(request) => {
                let mut builder = http::Request::post(uri);
                if let Some(headers) = builder.headers_mut() {
                    headers.extend(self.headers());
                }
                match self.octocrab.build_request(builder, Some(request)) {
                    Ok(request) => self.octocrab.execute(request).await,
                    Err(error) => Err(error),
                }
            }
        };
        let response = sent.map_err(|error| match certificate_fault(&error) {
            Some(reason) => {
                let authority = self.authority.clone();
                Verdict::Never(Refusal::Certificate { authority, reason })
            }
            None => Verdict::Later(moment.retry(Trouble::Connection)),
        })?;
        let (parts, body) = response.into_parts();
        #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
        let collected = Limited::new(body, BODY_BYTES_MAX).collect().await;
        match collected {
            Ok(body) => Ok((parts.status, parts.headers, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => {
                let path = path.to_owned();
                Err(Verdict::Never(Refusal::TooLarge { path, bytes_max: BODY_BYTES_MAX }))
            }
            Err(_) => Err(Verdict::Later(moment.retry(Trouble::Body))),
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, self.token.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static("redora"));
        let json = HeaderValue::from_static("application/vnd.github+json");
        headers.insert(header::ACCEPT, json);
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        headers
    }

    /// Path and query of a link, if it leads to the server that the token is for.
    fn local(&self, link: &str) -> Result<String, Refusal> {
        let elsewhere = |authority: &str| Refusal::Elsewhere { authority: authority.to_owned() };
        let uri = link.parse::<Uri>().map_err(|_| elsewhere(link))?;
        if let Some(authority) = uri.authority()
            && !authority.as_str().eq_ignore_ascii_case(&self.authority)
        {
            return Err(elsewhere(authority.as_str()));
        }
        Ok(uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())
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

fn transport(config: &Config) -> Result<Octocrab, SetupError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(config.connect_timeout));
    let tls = tls(config)?;
    let Some(proxy) = &config.proxy else {
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        return Ok(octocrab(https.enable_http1().wrap_connector(http)));
    };
    let is_proxy = |uri: &Uri| uri.scheme_str() == Some("http") && uri.authority().is_some();
    let address = proxy.parse::<Uri>().ok().filter(is_proxy);
    let address = address.ok_or_else(|| SetupError::Proxy(proxy.clone()))?;
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    Ok(octocrab(https.enable_http1().wrap_connector(Tunnel::new(address, http))))
}

fn octocrab<C>(connector: C) -> Octocrab
where
    C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    let built =
        OctocrabBuilder::new_empty().with_service(client).with_auth(AuthState::None).build();
    match built {
        Ok(octocrab) => octocrab,
        Err(impossible) => match impossible {},
    }
}

fn tls(config: &Config) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3");
    let Some(path) = &config.ca_file else {
        if config.api.starts_with("http:") {
            return Ok(builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth());
        }
        use hyper_rustls::ConfigBuilderExt as _;
        let trusting = builder.with_native_roots().map_err(SetupError::SystemRoots)?;
        return Ok(trusting.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    let pem = read(path).map_err(|cause| SetupError::CaUnreadable { path: path.clone(), cause })?;
    let certificates = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(SetupError::CaEmpty { path: path.clone() });
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    File::open(path)?.take(CA_BYTES_MAX).read_to_end(&mut pem)?;
    Ok(pem)
}

/// What is wrong with the server's certificate, if that is why there is no connection. TLS reports
/// it as an I/O error, whose `source` skips the error it wraps.
fn certificate_fault(error: &octocrab::Error) -> Option<String> {
    let mut next = error.source();
    while let Some(error) = next {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        let tls = match wrapped {
            Some(inner) => inner.downcast_ref::<rustls::Error>(),
            None => error.downcast_ref::<rustls::Error>(),
        };
        if let Some(rustls::Error::InvalidCertificate(reason)) = tls {
            return Some(reason.to_string());
        }
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// A page of 100 pull requests with long descriptions is 8 MiB.
const BODY_BYTES_MAX: usize = 32 << 20;
const CA_BYTES_MAX: u64 = 1 << 20;
/// A rename leads to the repository's number at once; more is a loop.
const REDIRECTS_MAX: usize = 3;
