//! The parts that all answers of the admin port have in common, kept apart from the routes so that
//! every path can use them.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::body::Body;

/// A plain text answer of whole lines.
pub(super) fn text(status: StatusCode, line: &str) -> Response<Body> {
    let mut response = Response::new(Body::text(format!("{line}\n")));
    *response.status_mut() = status;
    set(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

/// Sets a header that never varies.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// What every answer says to browsers, though few come here.
pub(super) fn harden(headers: &mut HeaderMap) {
    set(headers, header::CACHE_CONTROL, "no-store");
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    set(
        headers,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    // Other pages may neither embed nor read the metrics.
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
}
