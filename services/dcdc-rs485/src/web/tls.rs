//! TLS for the web API, with a certificate of the user's own.

use std::path::Path;
use std::sync::Arc;

use service_kit::Failure;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads certificate and key.
///
/// # Errors
/// One of them cannot be read, or they do not belong together.
pub(super) fn config(certificate: &Path, private_key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let failed = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::configuration(format!("web: {}: {why}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(private_key).map_err(|error| failed(private_key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| failed(certificate, &error))?;
    Ok(Arc::new(config))
}
