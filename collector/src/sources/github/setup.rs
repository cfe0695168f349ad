//! How GitHub is reached, as its parts and what is wrong with them: known before anything is asked,
//! so that a file at fault is told at the start and not by the first request.

use std::path::PathBuf;
use std::time::Duration;

use super::app::App;

/// How GitHub is reached.
#[derive(Clone)]
pub struct Config {
    /// The API's address; for GitHub Enterprise Server `https://<host>/api/v3`.
    pub api: String,
    /// As whom.
    pub identity: Identity,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy that speaks CONNECT.
    pub proxy: Option<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a request may take with its answer's body.
    pub timeout: Duration,
}

/// As whom GitHub is asked.
#[derive(Clone)]
pub enum Identity {
    /// With a personal access token, classic or fine-grained, or an installation's.
    Token(String),
    /// As a GitHub App, with tokens of its installations that are renewed as they expire.
    App(App),
}

impl Config {
    /// github.com with this token.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self::of(Identity::Token(token.to_owned()))
    }

    /// github.com with this identity. A page of 100 takes GitHub up to ten seconds, after which it
    /// answers 502 itself.
    #[must_use]
    pub fn of(identity: Identity) -> Self {
        Self {
            api: "https://api.github.com".to_owned(),
            identity,
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
