//! TLS without a proxy (A2): a certificate and its key from files, read again when they change, so that a renewed one needs no restart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(60);

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
            format!("{certificate} and {key} are not a certificate and its key in PEM")
        })?;
        Ok(Self { files, read, config })
    }

    pub(crate) fn acceptor(&self) -> RustlsAcceptor {
        RustlsAcceptor::new(self.config.clone())
    }

    /// Takes over a renewed certificate. One that cannot be read leaves the old one in use.
    pub(crate) async fn reload_when_renewed(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn write(folder: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.join("certificate"), made.cert.pem()).expect("written");
        std::fs::write(folder.join("key"), made.signing_key.serialize_pem()).expect("written");
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_taken_over_and_a_broken_one_is_not_a2() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        write(path);
        let mut certificate = Certificate::open(path.join("certificate"), path.join("key"))
            .await
            .expect("opened");
        let first = certificate.config.get_inner();
        certificate.refresh().await.expect("the same");
        assert!(
            Arc::ptr_eq(&first, &certificate.config.get_inner()),
            "nothing has changed"
        );
        write(path);
        certificate.refresh().await.expect("renewed");
        let second = certificate.config.get_inner();
        assert!(!Arc::ptr_eq(&first, &second));
        std::fs::write(path.join("key"), "half a key").expect("written");
        assert!(certificate.refresh().await.is_err(), "said once");
        certificate.refresh().await.expect("and not each minute");
        assert!(
            Arc::ptr_eq(&second, &certificate.config.get_inner()),
            "the one before stays"
        );
    }
}
