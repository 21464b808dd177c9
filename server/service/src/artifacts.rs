//! The artifact folder: files under their SHA-256, hashed on the way in, served by ranges.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::Digest;

use crate::error::{Result, ServiceError};

/// Where artifacts lie. Clones share it.
#[derive(Clone)]
pub struct Artifacts {
    folder: Arc<dyn ObjectStore>,
    path: Arc<Path>,
}

/// What a file's bytes add up to, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: String,
    /// SHA-1, which DDI clients want beside it.
    pub sha1: String,
    /// MD5, which DDI clients want beside it.
    pub md5: String,
}

impl Hashes {
    /// Adds up `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            sha256: hex(&sha2::Sha256::digest(bytes)),
            sha1: hex(&sha1::Sha1::digest(bytes)),
            md5: hex(&md5::Md5::digest(bytes)),
        }
    }
}

impl Artifacts {
    /// Opens a folder, made when it is missing.
    ///
    /// # Errors
    /// The folder cannot be made or used.
    pub fn open(folder: &Path) -> Result<Self> {
        let refused =
            |error: std::io::Error| ServiceError::invalid("artifacts", format!("{}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(refused)?;
        let path = Arc::from(folder);
        let folder = LocalFileSystem::new_with_prefix(folder)
            .map_err(ServiceError::Artifacts)?
            .with_automatic_cleanup(true);
        Ok(Self {
            folder: Arc::new(folder),
            path,
        })
    }

    /// Copies every file into another folder; what is there already stays. Gives the number of files.
    ///
    /// # Errors
    /// A file cannot be read, or the disk is full.
    pub async fn copy_to(&self, to: &Path) -> Result<usize> {
        let mut files = self.folder.list(None);
        let mut copied = 0;
        while let Some(file) = files.try_next().await.map_err(ServiceError::Artifacts)? {
            let name = file.location.to_string();
            let target = to.join(&name);
            let refused =
                |error: std::io::Error| ServiceError::invalid("backup", format!("{}: {error}", target.display()));
            if let Some(folder) = target.parent() {
                tokio::fs::create_dir_all(folder).await.map_err(refused)?;
            }
            tokio::fs::copy(self.path.join(&name), &target).await.map_err(refused)?;
            copied += 1;
        }
        Ok(copied)
    }

    /// Puts bytes into the folder; the same bytes again change nothing.
    ///
    /// # Errors
    /// The folder fails.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Hashes> {
        let hashes = Hashes::of(&bytes);
        let path = path_of(&hashes.sha256);
        if self.folder.head(&path).await.is_err() {
            self.folder
                .put(&path, PutPayload::from(bytes))
                .await
                .map_err(ServiceError::Artifacts)?;
        }
        Ok(hashes)
    }

    /// The bytes from `from` up to `until` (exclusive) of the file with this SHA-256.
    ///
    /// # Errors
    /// The file is not there, or the folder fails.
    pub async fn read(
        &self,
        sha256: &str,
        from: u64,
        until: u64,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(from..until)),
            ..GetOptions::default()
        };
        let found = self.folder.get_opts(&path_of(sha256), options).await;
        match found {
            Ok(found) => Ok(found.into_stream().map_err(std::io::Error::other).boxed()),
            Err(object_store::Error::NotFound { .. }) => Err(ServiceError::not_found("The artifact's file")),
            Err(error) => Err(ServiceError::Artifacts(error)),
        }
    }
}

/// Two levels, so that no folder gets too large to list.
fn path_of(sha256: &str) -> ObjectPath {
    ObjectPath::from(format!("{}/{sha256}", &sha256[..2.min(sha256.len())]))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
