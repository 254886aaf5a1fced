//! What all connections of the PostgreSQL door share: the service, the certificate, and the places.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::binding;
use super::cancel::Cancels;
use crate::net::tls::{self, TlsError};
use crate::service::Service;

/// The name of the protocol, as clients that begin with TLS say it.
pub(super) const PROTOCOL: &[u8] = b"postgresql";

/// The certificate and key that the door speaks TLS with.
pub struct DoorTls {
    pub(super) acceptor: TlsAcceptor,
    binding: Option<Vec<u8>>,
}

impl DoorTls {
    /// Reads a certificate and its key, the same as HTTP speaks TLS with.
    ///
    /// # Errors
    /// [`TlsError`] if they cannot be used.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = tls::load(certificate, key)?;
        let mut config = ServerConfig::clone(&config);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        let own = tls::own_certificate(certificate)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), binding: binding::of_certificate(&own) })
    }
}

/// What all connections share.
pub(super) struct Door {
    /// The service that is current, and each that becomes so.
    pub(super) services: watch::Receiver<Arc<Service>>,
    pub(super) cancels: Arc<Cancels>,
    /// Whether nobody comes in without TLS.
    pub(super) needs_tls: bool,
    /// The certificate and key; `None` if plain text alone is spoken.
    pub(super) tls: Option<DoorTls>,
    /// The places of sessions, as many as there may be.
    pub(super) sessions: Arc<Semaphore>,
    /// Says when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
}

/// The service that is current, and each that becomes so; the same for good if its datasets are never replaced.
pub(super) fn services(service: Arc<Service>) -> watch::Receiver<Arc<Service>> {
    match service.current() {
        Some(current) => current.changes(),
        None => watch::channel(service).1,
    }
}

impl Door {
    /// The service that is current.
    pub(super) fn now(&self) -> Arc<Service> {
        Arc::clone(&self.services.borrow())
    }

    /// The hash of the certificate that a channel is bound to.
    pub(super) fn binding(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.binding.as_deref()
    }
}
