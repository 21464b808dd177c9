//! TLS without a proxy (SPEC A2): the program with certificate files of its own.

use std::path::Path;
use std::process::Command as Plain;

use reqwest::header::SET_COOKIE;
use testkit::program::{Program, arguments, free_port};
use testkit::{ADMIN, Engine, House, PASSWORD};
use tokio::process::Command;

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

/// A certificate for this machine, and its key: their files, and the certificate to trust.
fn certificate(folder: &Path) -> (String, String, reqwest::Certificate) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let file = |name: &str, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("written");
        file.to_str().expect("a path in UTF-8").to_owned()
    };
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).expect("a certificate");
    (
        file("certificate.pem", made.cert.pem()),
        file("key.pem", made.signing_key.serialize_pem()),
        trusted,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_speaks_tls_with_files_of_its_own_a2() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut house = House::new(Engine::Sqlite).await;
    house.admin().await;
    house.stop().await;
    house.service.store().close().await;
    let database = house.database.copy().await;
    let (certificate, key, trusted) = certificate(database.folder.path());
    let port = free_port();
    let mut command = Command::new(NIGHTSHIFT);
    command
        .args(arguments(&database.address, database.folder.path(), port))
        .args(["--tls-certificate", &certificate, "--tls-key", &key]);
    let program = Program::listening(command, house.now()).await;

    let base = format!("https://127.0.0.1:{port}");
    let browser = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let fields = [("email", ADMIN), ("password", PASSWORD), ("next", "/rooms")];
    let request = browser
        .post(format!("{base}/sign-in"))
        .header("origin", &base)
        .form(&fields);
    let signed_in = request.send().await.expect("an answer over TLS");
    assert_eq!(signed_in.status(), 303);
    assert_eq!(signed_in.headers()["strict-transport-security"], "max-age=31536000");
    let cookie = signed_in.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    assert!(
        cookie.starts_with("__Host-nightshift=") && cookie.contains("Secure"),
        "{cookie}"
    );
    let page = browser
        .get(format!("{base}/rooms"))
        .header("cookie", cookie.split(';').next().expect("a cookie"));
    let page = page.send().await.expect("a page").text().await.expect("text");
    assert!(page.contains("Hall"), "{page}");
    // A device gets links that lead over TLS as well.
    let poll = browser
        .get(format!("{base}/DEFAULT/controller/v1/hall-1"))
        .header("authorization", house.token("hall-1"));
    let poll = poll.send().await.expect("a poll").text().await.expect("text");
    assert!(
        poll.contains(&format!("{base}/DEFAULT/controller/v1/hall-1/configData")),
        "{poll}"
    );

    let plain = reqwest::Client::builder().no_proxy().build().expect("a client");
    assert!(
        plain
            .get(format!("http://127.0.0.1:{port}/livez"))
            .send()
            .await
            .is_err(),
        "nothing without TLS"
    );
    assert!(
        plain.get(format!("{base}/livez")).send().await.is_err(),
        "nobody else vouches for it"
    );
    assert_eq!(program.stop().await.code(), Some(0));
}

#[test]
fn certificates_that_cannot_be_used_are_named_at_the_start_a2() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key, _) = certificate(folder.path());
    let database = format!("sqlite:{}", folder.path().join("nightshift.db").display());
    let artifacts = folder.path().join("artifacts");
    let missing = folder.path().join("missing.pem").display().to_string();
    let start = |more: &[&str]| {
        let output = Plain::new(NIGHTSHIFT)
            .args([
                "serve",
                "--database",
                &database,
                "--listen",
                "127.0.0.1:0",
                "--artifacts",
            ])
            .arg(&artifacts)
            .args(more)
            .output()
            .expect("it runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    for (more, words) in [
        (
            vec!["--tls-certificate", &certificate, "--tls-key", &missing],
            "missing.pem",
        ),
        (
            vec!["--tls-certificate", &key, "--tls-key", &certificate],
            "are not a certificate and its key in PEM",
        ),
        (vec!["--tls-certificate", &certificate], "--tls-key"),
        (
            vec![
                "--tls-certificate",
                &certificate,
                "--tls-key",
                &key,
                "--public-url",
                "http://n.example",
            ],
            "must start with https://",
        ),
    ] {
        let (status, said) = start(&more);
        assert!(status == Some(2) && said.contains(words), "{more:?}: {status:?} {said}");
    }
}
