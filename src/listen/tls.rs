//! TLS to a server that is asked, trusting whom the system trusts: what is sent may be a password,
//! and a client that takes any certificate would hand it to whoever stands between.

use std::sync::Arc;

use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why a connection is not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// The system names nobody.
    #[error(
        "this system trusts no authority; install its certificates, or name a file of them in \
         SSL_CERT_FILE"
    )]
    Roots,
    /// The other side cannot be called by such a name.
    #[error("`{0}` is no name that a certificate may have")]
    Name(String),
    /// The other side did not show what it should.
    #[error("{0}; SSL_CERT_FILE names a file of the authorities to trust")]
    Handshake(std::io::Error),
}

/// The same connection in TLS.
pub(super) async fn connect(
    host: &str,
    socket: TcpStream,
) -> Result<TlsStream<TcpStream>, Distrust> {
    let mut roots = RootCertStore::empty();
    // What cannot be read of many is no reason to trust none.
    roots.add_parsable_certificates(load_native_certs().certs);
    if roots.is_empty() {
        return Err(Distrust::Roots);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| Distrust::Name(host.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, socket).await.map_err(Distrust::Handshake)
}
