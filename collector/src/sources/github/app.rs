//! A GitHub App: its private key, what is signed with it, and what GitHub refuses an App. The key
//! is parsed with the configuration, so that a file that holds none is found without a network.
//! rustls, which is there for TLS, signs: a package of JSON web tokens would bring a second set of
//! everything that it knows.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};

/// Who asks GitHub for tokens of its installations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its App id, or its client id (`Iv…`).
    pub id: String,
    /// What proves that it is this App.
    pub key: AppKey,
    /// Where it is installed; without it each repository is asked for its installation.
    pub installation: Option<u64>,
}

/// The private key of an App, of which nothing is ever shown.
#[derive(Clone)]
pub struct AppKey(Arc<dyn SigningKey>);

/// Why a text is no key of an App. Holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No PEM, or nothing in it that is a key.
    #[error(
        "holds no PEM private key; give the text of the .pem file that GitHub handed out, with its \
         line breaks, such as ${{file:/run/secrets/app.pem}}"
    )]
    Absent,
    /// The half of the key that may be known, or a certificate.
    #[error(
        "holds a public key or a certificate; give the private key, which GitHub handed out as a \
         .pem file when it was generated"
    )]
    Public,
    /// A passphrase stands before it.
    #[error(
        "is encrypted with a passphrase; decrypt it, with `openssl rsa -in app.pem -out plain.pem` \
         for instance, and let only redora's user read it"
    )]
    Encrypted,
    /// A key for another algorithm.
    #[error("is no RSA key; generate a private key on the App's settings page, and give that")]
    NotRsa,
    /// Cut, garbled, or of another size.
    #[error(
        "cannot be read as an RSA key of 2048 to 4096 bits; copy the .pem file again, or generate \
         a new private key on the App's settings page"
    )]
    Broken,
}

/// What GitHub refuses an App until someone acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppRefusal {
    /// The signature is not by a key of this App.
    #[error(
        "GitHub refuses the App's signature (401: {message}): the private key was deleted or is \
         one of another App; give the id and a private key of the same App"
    )]
    Key {
        /// GitHub's words.
        message: String,
    },
    /// The signature's time is past or to come.
    #[error(
        "GitHub refuses the time of the App's signature (401: {message}): here it is {here}, there \
         {there}; set this machine's clock, by NTP for instance"
    )]
    Clock {
        /// GitHub's words.
        message: String,
        /// The time that was signed.
        here: String,
        /// The time that GitHub's answer bears.
        there: String,
    },
    /// There is no such App.
    #[error(
        "GitHub knows no App {id} ({status}: {message}): check the id on the App's settings page, \
         and that the API's address is the server on which it is registered"
    )]
    Unknown {
        /// The id.
        id: String,
        /// The status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
    /// The configured installation is none of this App.
    #[error(
        "GitHub knows no installation {installation} of the App {id} (404): correct its number, or \
         leave it out to have it looked up"
    )]
    NoInstallation {
        /// The App.
        id: String,
        /// The number that was configured.
        installation: u64,
    },
    /// The App may not see the repository.
    #[error(
        "the App {id} is not installed on {repository} (404): install it there, or let its \
         installation see this repository, and check the spelling of owner/name"
    )]
    NotInstalled {
        /// The App.
        id: String,
        /// `owner/name`.
        repository: String,
    },
    /// The owner of the repositories has suspended it.
    #[error(
        "the App's installation is suspended (403): let its owner unsuspend it, under Installed \
         GitHub Apps of the organisation's settings"
    )]
    Suspended,
    /// A permission of the App is missing, or not accepted yet.
    #[error(
        "GitHub refuses {path} to the App (403: {message}): give the App {needs}, and let the \
         owner of its installation accept that"
    )]
    Permission {
        /// What was asked for.
        path: String,
        /// GitHub's words.
        message: String,
        /// What the answer says is needed.
        needs: String,
    },
    /// A token that was just handed out is refused.
    #[error(
        "GitHub refuses a token that it has just given the App's installation (401): see whether \
         the App was uninstalled meanwhile, and whether a proxy changes the Authorization header"
    )]
    NewToken,
}

impl AppRefusal {
    /// Whether only another configuration cures it.
    #[must_use]
    pub fn is_of_configuration(&self) -> bool {
        use AppRefusal as R;
        matches!(self, R::Key { .. } | R::Unknown { .. } | R::NoInstallation { .. })
    }
}

impl AppKey {
    /// Reads a PEM file, PKCS#1 as GitHub hands it out or PKCS#8.
    ///
    /// # Errors
    /// It holds no RSA key that can sign.
    pub fn parse(pem: &str) -> Result<Self, KeyFault> {
        if pem.contains("ENCRYPTED") {
            return Err(KeyFault::Encrypted);
        }
        let der = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(der) => der,
            Err(_) if pem.contains("PRIVATE KEY-----") => return Err(KeyFault::Broken),
            Err(_) if PUBLIC.iter().any(|label| pem.contains(label)) => {
                return Err(KeyFault::Public);
            }
            Err(_) => return Err(KeyFault::Absent),
        };
        if matches!(der, PrivateKeyDer::Sec1(_)) {
            return Err(KeyFault::NotRsa);
        }
        let key = any_supported_type(&der).map_err(|_| KeyFault::Broken)?;
        match key.algorithm() {
            SignatureAlgorithm::RSA => Ok(Self(key)),
            _ => Err(KeyFault::NotRsa),
        }
    }

    /// A JSON web token of the App `id`, which GitHub takes for nine minutes from `now_ms` on. It
    /// bears a time a minute ago, because GitHub refuses what is from the future.
    pub(crate) fn signed(&self, id: &str, now_ms: i64) -> String {
        let now_s = now_ms.div_euclid(1_000);
        let claims = serde_json::json!({
            "iat": now_s - ISSUED_BEFORE_S,
            "exp": now_s + EXPIRES_AFTER_S,
            "iss": id,
        });
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let mut token = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signer = self.0.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.expect("every RSA key signs so");
        let signature = signer.sign(token.as_bytes()).expect("a key that was checked signs");
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        token
    }
}

impl PartialEq for AppKey {
    /// The half that may be known tells keys apart.
    fn eq(&self, other: &Self) -> bool {
        self.0.public_key() == other.0.public_key()
    }
}

impl Eq for AppKey {}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

const PUBLIC: [&str; 2] = ["PUBLIC KEY-----", "CERTIFICATE-----"];
const ISSUED_BEFORE_S: i64 = 60;
/// GitHub takes ten minutes at most, by its own clock.
const EXPIRES_AFTER_S: i64 = 9 * 60;
