//! A server whose certificate nobody trusts. Nothing is ever said within TLS: who connects
//! has ended the connection before.

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A key and a certificate of its own making, for 127.0.0.1. Neither protects anything.
const PEM: &[u8] = include_bytes!("tls.pem");

/// Shakes hands with everybody.
pub async fn serve(listener: TcpListener) -> Result<()> {
    let key = PrivateKeyDer::from_pem_slice(PEM).context("reading the key")?;
    let certificates = CertificateDer::pem_slice_iter(PEM).collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth().with_single_cert(certificates, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        // Nobody is served, and who goes away is no failure.
        tokio::spawn(async move { drop(acceptor.accept(stream).await) });
    }
}
