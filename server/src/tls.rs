//! TLS without a proxy (A2): a certificate and its key from files, read again when they change, so that a renewed one needs no restart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const OFTEN: Duration = Duration::from_secs(60);

/// A certificate with its chain, its key, and where both come from.
#[derive(Clone)]
pub(crate) struct Certificate {
    files: (PathBuf, PathBuf),
    read: (Vec<u8>, Vec<u8>),
    config: RustlsConfig,
}

impl Certificate {
    /// Reads both files, in PEM.
    ///
    /// # Errors
    /// One of them cannot be read, or they are no certificate and its key.
    pub(crate) async fn open(certificate: PathBuf, key: PathBuf) -> Result<Self> {
        let files = (certificate, key);
        let read = read(&files).await?;
        let config = RustlsConfig::from_pem(read.0.clone(), read.1.clone()).await;
        let config = config.with_context(|| {
            let (certificate, key) = (files.0.display(), files.1.display());
            format!("{certificate} and {key} are no certificate and its key in PEM")
        })?;
        Ok(Self { files, read, config })
    }

    pub(crate) fn acceptor(&self) -> RustlsAcceptor {
        RustlsAcceptor::new(self.config.clone())
    }

    /// Takes over a renewed certificate. One that cannot be read leaves the old one in use.
    pub(crate) async fn keep_fresh(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(OFTEN)).await.is_some() {
            if let Err(error) = self.refresh().await {
                let error = &*error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "the certificate could not be read again; the one before stays in use"
                );
            }
        }
    }

    async fn refresh(&mut self) -> Result<()> {
        let read = read(&self.files).await?;
        if read == self.read {
            return Ok(());
        }
        // Kept first, so that a broken one is named once and not each minute.
        self.read = read;
        let (certificate, key) = self.read.clone();
        self.config.reload_from_pem(certificate, key).await?;
        tracing::info!("the certificate was renewed");
        Ok(())
    }
}

async fn read((certificate, key): &(PathBuf, PathBuf)) -> Result<(Vec<u8>, Vec<u8>)> {
    let bytes = async |file: &Path| {
        let bytes = tokio::fs::read(file).await;
        bytes.with_context(|| format!("cannot read {}", file.display()))
    };
    Ok((bytes(certificate).await?, bytes(key).await?))
}
