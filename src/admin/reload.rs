//! Who may reload: a peer on this machine, because a reload only reads the operator's own file
//! again, or whoever shows the token; but no web page in a browser on this machine, nor anyone
//! behind a proxy on it.

use std::error::Error;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::uri::Authority;
use http::{Response, StatusCode};

use super::answer::{set, text};
use super::body::Body;

/// Reads the configuration again. Calls come one after another; an error is the text of the faults,
/// and the last good configuration stays.
pub type Reload = Arc<dyn Fn() -> ReloadAnswer + Send + Sync>;

/// What a [`Reload`] ends with.
pub type ReloadAnswer = Pin<Box<dyn Future<Output = Result<(), ReloadFault>> + Send>>;

/// Why a reload was refused, in words for the operator.
pub type ReloadFault = Box<dyn Error + Send + Sync>;

/// Compares a token that a peer showed with the configured one.
pub type TokenCheck = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Why a peer may not reload; the text names the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("a change from another machine needs a token; set admin_token in the configuration")]
    NoTokenConfigured,
    #[error("a change from another machine needs the header `Authorization: Bearer <admin_token>`")]
    TokenMissing,
    #[error("this is not the admin_token of the configuration")]
    TokenWrong,
    #[error("a web page may change nothing; use the command line, or show the admin_token")]
    WebPage,
    #[error(
        "a proxied request may change nothing without the header \
         `Authorization: Bearer <admin_token>`"
    )]
    Proxied,
    #[error("without the admin_token, the Host header must be an IP address or localhost")]
    ForeignHost,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::TokenMissing | Self::TokenWrong => StatusCode::UNAUTHORIZED,
            Self::NoTokenConfigured | Self::WebPage | Self::Proxied | Self::ForeignHost => {
                StatusCode::FORBIDDEN
            }
        }
    }
}

/// Decides about one request. A right token opens from everywhere, a wrong one from nowhere.
pub(super) fn permit(
    peer: SocketAddr,
    request: &Parts,
    token: Option<&TokenCheck>,
) -> Result<(), Refusal> {
    let headers = &request.headers;
    if let Some(token) = token
        && headers.contains_key(header::AUTHORIZATION)
    {
        return match bearer(headers) {
            Some(shown) if token(shown) => Ok(()),
            _ => Err(Refusal::TokenWrong),
        };
    }
    // A dual-stack listener shows IPv4 peers as mapped addresses.
    if !peer.ip().to_canonical().is_loopback() {
        return Err(match token {
            Some(_) => Refusal::TokenMissing,
            None => Refusal::NoTokenConfigured,
        });
    }
    if from_web_page(headers) {
        return Err(Refusal::WebPage);
    }
    // Behind a proxy on this machine every peer looks like this machine.
    if PROXY_HEADERS.iter().any(|name| headers.contains_key(name)) {
        return Err(Refusal::Proxied);
    }
    if !names_this_machine(request) {
        return Err(Refusal::ForeignHost);
    }
    Ok(())
}

/// The answer to a peer that may not reload.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = text(refusal.status(), &refusal.to_string());
    if refusal.status() == StatusCode::UNAUTHORIZED {
        set(response.headers_mut(), header::WWW_AUTHENTICATE, "Bearer realm=\"redora admin\"");
    }
    response
}

/// The token of the one `Authorization` header; several could hide one another.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked(BEARER.len())?;
    scheme.eq_ignore_ascii_case(BEARER).then(|| token.trim_ascii())
}

/// Browsers send `Origin` with every POST and, since 2023, `Sec-Fetch-Site` with every request;
/// scripts send neither.
fn from_web_page(headers: &HeaderMap) -> bool {
    let sites = headers.get_all(SEC_FETCH_SITE);
    headers.contains_key(header::ORIGIN) || sites.iter().any(|site| site != "none")
}

/// Whether the request was sent to an IP address or localhost. A page that resolves its own name to
/// this machine (DNS rebinding) still sends that name.
fn names_this_machine(request: &Parts) -> bool {
    let hosts = request.headers.get_all(header::HOST);
    let from_headers = hosts.iter().map(|host| host.to_str().ok().and_then(|h| h.parse().ok()));
    // HTTP/2 has it in the URI, and HTTP/1 may.
    let from_uri = request.uri.authority().map(|authority| Some(authority.clone()));
    let mut names = from_headers.chain(from_uri).peekable();
    names.peek().is_some() && names.all(|name| name.as_ref().is_some_and(is_local))
}

fn is_local(authority: &Authority) -> bool {
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
}

const BEARER: &[u8] = b"bearer ";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const PROXY_HEADERS: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const HERE: &str = "127.0.0.1:50000";
    const THERE: &str = "10.1.2.3:50000";

    fn decide(peer: &str, token: bool, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = Request::post("/-/reload");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let token = token.then(|| Arc::new(|shown: &[u8]| shown == b"s3cret") as TokenCheck);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        permit(peer.parse().unwrap(), &parts, token.as_ref())
    }

    #[test]
    fn this_machine_needs_no_token() {
        for peer in [HERE, "[::1]:5", "[::ffff:127.0.0.1]:5", "127.9.9.9:5"] {
            for host in ["127.0.0.1:9464", "localhost", "LOCALHOST:9464", "[::1]:9464", "10.0.0.1"]
            {
                assert_eq!(decide(peer, false, &[("host", host)]), Ok(()), "{peer} {host}");
                assert_eq!(decide(peer, true, &[("host", host)]), Ok(()), "{peer} {host}");
            }
        }
    }

    #[test]
    fn others_need_the_right_token() {
        let host = ("host", "redora.example:9464");
        assert_eq!(decide(THERE, false, &[host]), Err(Refusal::NoTokenConfigured));
        let shown = ("authorization", "Bearer s3cret");
        assert_eq!(decide(THERE, false, &[host, shown]), Err(Refusal::NoTokenConfigured));
        assert_eq!(decide(THERE, true, &[host]), Err(Refusal::TokenMissing));
        assert_eq!(decide(THERE, true, &[host, shown]), Ok(()));
        assert_eq!(decide(THERE, true, &[host, ("authorization", "bEARER  s3cret")]), Ok(()));
        for wrong in ["Bearer s3cres", "Bearer", "Bearer ", "Basic s3cret", "s3cret", ""] {
            let shown = ("authorization", wrong);
            assert_eq!(decide(THERE, true, &[host, shown]), Err(Refusal::TokenWrong), "{wrong}");
            assert_eq!(decide(HERE, true, &[host, shown]), Err(Refusal::TokenWrong), "{wrong}");
        }
        assert_eq!(decide(THERE, true, &[shown, shown]), Err(Refusal::TokenWrong));
    }

    #[test]
    fn no_page_in_a_browser_here_gets_through() {
        let host = ("host", "127.0.0.1:9464");
        for origin in ["http://evil.example", "null", "http://127.0.0.1:9464"] {
            assert_eq!(decide(HERE, false, &[host, ("origin", origin)]), Err(Refusal::WebPage));
        }
        for site in ["cross-site", "same-site", "same-origin"] {
            let site = ("sec-fetch-site", site);
            assert_eq!(decide(HERE, false, &[host, site]), Err(Refusal::WebPage));
        }
        assert_eq!(decide(HERE, false, &[host, ("sec-fetch-site", "none")]), Ok(()));
        let rebound = [
            "evil.example:9464",
            "localhost.evil.example",
            "localhost@evil.example",
            "127.0.0.1.evil.example",
            "",
        ];
        for name in rebound {
            assert_eq!(decide(HERE, false, &[("host", name)]), Err(Refusal::ForeignHost), "{name}");
            let two = [host, ("host", name)];
            assert_eq!(decide(HERE, false, &two), Err(Refusal::ForeignHost), "{name}");
        }
        assert_eq!(decide(HERE, false, &[]), Err(Refusal::ForeignHost));
        let mut request = Request::post("http://evil.example/-/reload");
        request = request.header("host", "localhost");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let decision = permit(HERE.parse().unwrap(), &parts, None);
        assert_eq!(decision, Err(Refusal::ForeignHost), "HTTP/2 has the name in the URI");
        let page = [host, ("origin", "http://evil.example"), ("authorization", "Bearer s3cret")];
        assert_eq!(decide(HERE, true, &page), Ok(()));
    }

    #[test]
    fn whoever_comes_through_a_proxy_here_needs_the_token() {
        let host = ("host", "127.0.0.1:9464");
        for name in ["forwarded", "via", "x-forwarded-for", "x-real-ip"] {
            assert_eq!(decide(HERE, true, &[host, (name, "10.1.2.3")]), Err(Refusal::Proxied));
        }
    }

    #[test]
    fn a_refusal_for_want_of_a_token_names_the_key() {
        assert!(Refusal::NoTokenConfigured.to_string().contains("admin_token"));
        assert_eq!(Refusal::NoTokenConfigured.status(), StatusCode::FORBIDDEN);
        assert_eq!(Refusal::TokenWrong.status(), StatusCode::UNAUTHORIZED);
    }
}
