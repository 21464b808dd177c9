//! A backup is taken while the service runs, and taken back (G1).

use std::path::Path;
use std::process::{Command, Output};

use store::Store;
use testkit::{Database, Engine, House, both_engines};

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

both_engines!(a_backup_of_a_running_service_is_taken_back_g1);

const DEVICE: &str = "lab-1";

fn nightshift(arguments: &[&str]) -> Output {
    Command::new(NIGHTSHIFT).args(arguments).output().expect("it runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

async fn a_backup_of_a_running_service_is_taken_back_g1(engine: Engine) {
    let house = House::new(engine).await;
    house.publish("2.0").await;
    house.enter_window(DEVICE).await;
    let action = house.start(DEVICE).await;
    let kept = house.fleet().await;

    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("backup");
    let artifacts = house.database.folder.path().join("artifacts");
    let arguments = [
        "backup",
        "--database",
        &house.database.address,
        "--artifacts",
        text(&artifacts),
        text(&to),
    ];
    let taken = nightshift(&arguments);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    // Life goes on, and the backup does not hear of it.
    assert_eq!(
        house.say(DEVICE, &action, "closed", "failure", &["no space"]).await,
        200
    );
    assert_ne!(house.fleet().await, kept);

    let again = nightshift(&arguments);
    assert_eq!(again.status.code(), Some(2));
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("exists already; give a new folder"), "{said}");

    let (address, _database) = match engine {
        Engine::Sqlite => (format!("sqlite:{}", to.join("nightshift.db").display()), None),
        Engine::Postgres => {
            let empty = Database::new(engine).await;
            let dump = to.join("nightshift.dump");
            let restored = Command::new("pg_restore")
                .args(["--no-owner", "--dbname", &empty.address, text(&dump)])
                .output()
                .expect("it runs");
            assert!(
                restored.status.success(),
                "{}",
                String::from_utf8_lossy(&restored.stderr)
            );
            (empty.address.clone(), Some(empty))
        }
    };
    let store = Store::open(&address, true).await.expect("it opens");
    store.migrate().await.expect("it is up to date");
    let fleet = store
        .read()
        .await
        .expect("a snapshot")
        .fleet()
        .await
        .expect("the fleet");
    assert_eq!(fleet, kept);
    assert_eq!(domain::check::check(&fleet), Vec::new());
    let files = |folder: &Path| -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    names.push(format!(
                        "{:?} {}",
                        entry.file_name(),
                        entry.metadata().expect("a size").len()
                    ));
                }
            }
        }
        names.sort();
        names
    };
    assert_eq!(files(&to.join("artifacts")), files(&artifacts));
    assert!(!files(&artifacts).is_empty());
}
