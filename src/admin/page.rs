//! `/`: a page that says where everything is, in HTML that needs neither script, style nor another
//! host.

use std::fmt::{self, Display};

use http::Response;
use http::header;

use super::answer::set;
use super::body::Body;
use super::readiness::Readiness;
use crate::process::{REVISION, VERSION};

/// The index of the admin port.
pub(super) fn index(readiness: Readiness) -> Response<Body> {
    let mut response = Response::new(Body::text(html(VERSION, REVISION, &readiness.to_string())));
    set(response.headers_mut(), header::CONTENT_TYPE, "text/html; charset=utf-8");
    response
}

fn html(version: &str, revision: Option<&str>, state: &str) -> String {
    let (version, state) = (Escaped(version), Escaped(state));
    let revision = revision.map(|text| format!(" ({})", Escaped(text))).unwrap_or_default();
    let links: String = LINKS
        .iter()
        .map(|(path, about)| {
            format!("<li><a href=\"{0}\">{0}</a> {1}</li>\n", Escaped(path), Escaped(about))
        })
        .collect();
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>redora</title>
</head>
<body>
<h1>redora</h1>
<p>RED and DORA metrics from one small binary. Version {version}{revision}; {state}.</p>
<ul>
{links}</ul>
<p><code>POST /-/reload</code> reads the configuration again.</p>
</body>
</html>
"
    )
}

/// Text that stays text inside an element and inside a quoted attribute.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                other => fmt::Write::write_char(out, other)?,
            }
        }
        Ok(())
    }
}

const LINKS: [(&str, &str); 4] = [
    ("/metrics", "what Prometheus scrapes"),
    ("/healthz", "whether the process lives"),
    ("/readyz", "whether it takes requests"),
    ("/api/v1/dora/report", "the DORA metrics in JSON, where `delivery` is configured"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stays_text() {
        let page = html("<b>1", Some("\"'&"), "<script>");
        assert!(page.contains("Version &lt;b&gt;1 (&quot;&#39;&amp;); &lt;script&gt;."), "{page}");
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    }
}
