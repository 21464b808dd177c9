//! `nightshift backup`: the database and the artifacts in one folder, taken while the service runs (G1).
//!
//! What is taken back is opened like any other: the copy of an SQLite database is one, and Postgres has `pg_restore`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use percent_encoding::percent_decode_str;
use service::Artifacts;
use store::Store;

/// Writes `to`, which must not be there yet.
///
/// The database comes first: a release's file is in the artifact folder before its row is in the database, so the copies belong
/// together whatever is added in between.
pub(crate) async fn take(database: &str, artifacts: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        bail!("backup {} exists already; give a new folder", to.display());
    }
    if let Some(path) = database.strip_prefix("sqlite:")
        && !Path::new(path).exists()
    {
        bail!("database {path} does not exist");
    }
    if !artifacts.is_dir() {
        bail!(
            "artifacts {} is not a folder; name the one that nightshift serve was given",
            artifacts.display()
        );
    }
    let store = Store::open(database, false).await?;
    std::fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let copy = to.join("nightshift.db");
    let restore = if store.copy_to(&copy).await? {
        format!("nightshift serve --database sqlite:{}", copy.display())
    } else {
        let dump = to.join("nightshift.dump");
        pg_dump(database, &dump)?;
        format!("pg_restore --dbname postgres://… {}", dump.display())
    };
    let files = Artifacts::open(artifacts)?.copy_to(&to.join("artifacts")).await?;
    println!("Backup of the database and {files} files in {}.", to.display());
    println!(
        "To restore it: {restore}, with --artifacts {}",
        to.join("artifacts").display()
    );
    Ok(())
}

fn pg_dump(database: &str, to: &Path) -> Result<()> {
    let mut address = reqwest::Url::parse(database).context("the database is not an address")?;
    let password = address
        .password()
        .map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned());
    // Others can read the arguments of a process, but not its environment.
    if address.set_password(None).is_err() {
        bail!("database {address} has no host");
    }
    let mut command = std::process::Command::new("pg_dump");
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let dumped = command
        .args(["--format=custom", "--no-owner", "--file"])
        .arg(to)
        .arg(format!("--dbname={address}"))
        .stdin(Stdio::null())
        .output()
        .context("cannot run pg_dump, which comes with Postgres' client tools")?;
    if !dumped.status.success() {
        let output = String::from_utf8_lossy(&dumped.stderr);
        bail!("pg_dump failed: {}", output.lines().next().unwrap_or("it says nothing"));
    }
    Ok(())
}
