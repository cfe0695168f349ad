//! One request and its answer through octocrab, on a transport that we build: octocrab's own has no
//! time-out by default, trusts no private authority, takes no proxy and bounds no body.

use std::error::Error as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
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

use super::reply::{Moment, Refusal, Trouble, Verdict};
use super::setup::{Config, SetupError};

/// A way to one API.
#[derive(Clone)]
pub(crate) struct Transport {
    octocrab: Octocrab,
    /// Scheme and authority, without a path.
    origin: String,
    authority: String,
    /// `/api/v3` on an Enterprise Server, else empty.
    prefix: String,
    timeout: Duration,
}

/// What is asked: a path with its query, and what is posted to it, if anything is.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a str,
    pub(crate) posted: Option<&'a serde_json::Value>,
}

/// An answer that is read to its end, and not judged.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Transport {
    /// Prepares the way; connects to nobody yet. Needs a tokio runtime around it.
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
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
        Ok(Self {
            octocrab: connected(config)?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
            origin,
            authority,
            timeout: config.timeout,
        })
    }

    /// A path of the API with what stands before every path on this server.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Where GraphQL is asked: on an Enterprise Server REST is below `/api/v3`, and this is its
    /// neighbour.
    pub(crate) fn graphql(&self) -> String {
        let root = self.prefix.strip_suffix("/v3").unwrap_or(&self.prefix);
        format!("{root}/graphql")
    }

    /// Sends a request with a token, and follows a renamed repository to its number, until an
    /// answer is judged to be used, or not to be.
    pub(crate) async fn follow(
        &self,
        request: Request<'_>,
        token: &HeaderValue,
        moment: Moment,
        judge: impl Fn(&str, &Reply) -> Verdict,
    ) -> Result<Reply, Verdict> {
        let mut path = request.path.to_owned();
        for _ in 0..=REDIRECTS_MAX {
            let exchange = self.exchange(Request { path: &path, ..request }, token, moment);
            let reply = match tokio::time::timeout(self.timeout, exchange).await {
                Ok(exchanged) => exchanged?,
                Err(_) => return Err(Verdict::Later(moment.retry(Trouble::Connection))),
            };
            match judge(&path, &reply) {
                Verdict::Use => return Ok(reply),
                Verdict::Moved(place) => path = self.local(&place).map_err(Verdict::Never)?,
                verdict => return Err(verdict),
            }
        }
        Err(Verdict::Later(moment.retry(Trouble::Server)))
    }

    async fn exchange(
        &self,
        request: Request<'_>,
        token: &HeaderValue,
        moment: Moment,
    ) -> Result<Reply, Verdict> {
        let uri = format!("{}{}", self.origin, request.path);
        let sent = match request.posted {
            None => self.octocrab._get_with_headers(uri, Some(headers(token))).await,
            Some(posted) => {
                let mut builder = http::Request::post(uri);
                if let Some(all) = builder.headers_mut() {
                    all.extend(headers(token));
                }
                match self.octocrab.build_request(builder, Some(posted)) {
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
            Ok(body) => {
                let (status, headers) = (parts.status, parts.headers);
                Ok(Reply { status, headers, body: body.to_bytes() })
            }
            Err(error) if error.is::<LengthLimitError>() => {
                let path = request.path.to_owned();
                Err(Verdict::Never(Refusal::TooLarge { path, bytes_max: BODY_BYTES_MAX }))
            }
            Err(_) => Err(Verdict::Later(moment.retry(Trouble::Body))),
        }
    }

    /// Path and query of a link, if it leads to the server that the token is for.
    pub(crate) fn local(&self, link: &str) -> Result<String, Refusal> {
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

/// A token as it stands in a header, which no log shows; `None` where it cannot stand in one.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    let is_visible = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = is_visible.then(|| HeaderValue::try_from(format!("Bearer {token}")));
    let mut value = value?.expect("visible ASCII is a header's value");
    value.set_sensitive(true);
    Some(value)
}

fn headers(token: &HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, token.clone());
    headers.insert(header::USER_AGENT, HeaderValue::from_static("redora"));
    let json = HeaderValue::from_static("application/vnd.github+json");
    headers.insert(header::ACCEPT, json);
    headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    headers
}

fn connected(config: &Config) -> Result<Octocrab, SetupError> {
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
