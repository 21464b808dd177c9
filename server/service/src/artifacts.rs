//! The artifact folder: files under their SHA-256, hashed on the way in, served by ranges.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
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
        let mut running = RunningHashes::default();
        running.add(bytes);
        running.hashes()
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

    /// Takes bytes as they come, at most `most` of them, hashes them on the way, and puts them under what they add up to. What breaks off
    /// leaves nothing.
    ///
    /// # Errors
    /// They are too many, none, or break off; the folder fails.
    pub async fn receive<S, E>(&self, mut bytes: S, most: u64) -> Result<Hashes>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(ServiceError::Random)?;
        let incoming = ObjectPath::from(format!("incoming/{}", hex(&random)));
        let upload = self
            .folder
            .put_multipart(&incoming)
            .await
            .map_err(ServiceError::Artifacts)?;
        let mut writer = WriteMultipart::new(upload);
        let mut running = RunningHashes::default();
        let refused = |problem: String| ServiceError::invalid("file", problem);
        let taken = loop {
            match bytes.next().await {
                None if running.size == 0 => break Err(refused("is empty".to_owned())),
                None => break Ok(()),
                Some(Err(_)) => break Err(refused("did not arrive whole; send it again".to_owned())),
                Some(Ok(part)) => {
                    running.add(&part);
                    if running.size > most {
                        break Err(refused(format!("is larger than {} MB", most / 1024 / 1024)));
                    }
                    // At most a few parts wait for the disk; whoever sends waits with them.
                    if let Err(error) = writer.wait_for_capacity(4).await {
                        break Err(ServiceError::Artifacts(error));
                    }
                    writer.write(&part);
                }
            }
        };
        if let Err(error) = taken {
            writer.abort().await.map_err(ServiceError::Artifacts)?;
            return Err(error);
        }
        writer.finish().await.map_err(ServiceError::Artifacts)?;
        let hashes = running.hashes();
        let path = path_of(&hashes.sha256);
        self.folder
            .rename(&incoming, &path)
            .await
            .map_err(ServiceError::Artifacts)?;
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

/// What bytes add up to, while they come.
#[derive(Default)]
struct RunningHashes {
    size: u64,
    sha256: sha2::Sha256,
    sha1: sha1::Sha1,
    md5: md5::Md5,
}

impl RunningHashes {
    fn add(&mut self, part: &[u8]) {
        self.size += part.len() as u64;
        self.sha256.update(part);
        self.sha1.update(part);
        self.md5.update(part);
    }

    fn hashes(self) -> Hashes {
        Hashes {
            size: self.size,
            sha256: hex(&self.sha256.finalize()),
            sha1: hex(&self.sha1.finalize()),
            md5: hex(&self.md5.finalize()),
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
