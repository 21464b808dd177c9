//! What comes from people who mean no good, at the real program: each is refused, logged once, and does no harm (SPEC A2, G5).

use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use testkit::program::{Program, arguments, free_port};
use testkit::visitor::Visitor;
use testkit::{ADMIN, Database, Engine, House, both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The program, as Cargo has built it.
const NIGHTSHIFT: &str = env!("CARGO_BIN_EXE_nightshift");

both_engines!(what_is_refused_is_logged_once_and_does_no_harm_a2_g5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_head_that_never_ends_is_given_up_as_well_g5() {
    let mut house = House::new(Engine::Sqlite).await;
    house.stop().await;
    house.service.store().close().await;
    let database = house.database.copy().await;
    let server = Watched::start(&house, &database).await;
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    let mut stream = server.raw(&format!("GET /livez HTTP/1.1\r\n{host}\r\n")).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nX-Slow: ")
        .await
        .expect("sent");
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(120), stream.read_to_end(&mut rest));
    let _ = closed.await.expect("the connection is closed");
    assert_eq!(server.program.stop().await.code(), Some(0));
}

/// The program on a house's database, and what it logs.
struct Watched {
    program: Program,
    base: String,
    port: u16,
    log: std::path::PathBuf,
}

impl Watched {
    async fn start(house: &House, database: &Database) -> Self {
        let (port, log) = (free_port(), database.folder.path().join("log"));
        let artifacts = house.database.folder.path().join("artifacts");
        let mut command = Command::new(NIGHTSHIFT);
        command.args(arguments(&database.address, &artifacts, port));
        command.stderr(Stdio::from(std::fs::File::create(&log).expect("a log")));
        let program = Program::listening(command, house.now()).await;
        let base = format!("http://127.0.0.1:{port}");
        Self {
            program,
            base,
            port,
            log,
        }
    }

    /// How many lines of the log say this.
    fn logged(&self, words: &str) -> usize {
        let log = std::fs::read_to_string(&self.log).expect("a log");
        log.lines().filter(|line| line.contains(words)).count()
    }

    async fn raw(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .expect("a connection");
        stream.write_all(text.as_bytes()).await.expect("sent");
        stream
    }
}

async fn what_is_refused_is_logged_once_and_does_no_harm_a2_g5(engine: Engine) {
    let mut house = House::new(engine).await;
    let admin = house.admin().await;
    house.stop().await;
    house.service.store().close().await;
    let database = house.database.copy().await;
    let server = Watched::start(&house, &database).await;
    let admin = admin.at(&server.base);

    // A body that is sent so slowly that it never ends, and a head; both wait while the rest goes on.
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    let slow_body = format!(
        "POST /sign-in HTTP/1.1\r\n{host}Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 1000\r\n\r\nemail=a",
        server.base
    );
    let mut slow_body = server.raw(&slow_body).await;
    let mut slow_head = server.raw(&format!("GET /sign-in HTTP/1.1\r\n{host}")).await;
    let slow = tokio::spawn(async move {
        let mut head = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(60), slow_head.read_to_end(&mut head));
        // Whatever is said before: the connection is not kept.
        let _ = closed.await.expect("a head that never ends is given up");
        let mut answer = vec![0; 64];
        let length = slow_body.read(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    });

    // Another site's page sends a form in the admin's name.
    let foreign = admin
        .request(Method::POST, "/settings/people/disable")
        .header(ORIGIN, "https://evil.example");
    assert_eq!(admin.send(foreign.form(&[("email", ADMIN)])).await.status, 403);
    assert_eq!(server.logged("a request from another site was refused"), 1);

    // It shows a page of ours inside of its own, so that a click there is one here.
    for dest in ["iframe", "embed"] {
        let framed = admin.request(Method::GET, "/updates").header("sec-fetch-dest", dest);
        let page = admin.send(framed).await;
        assert_eq!(page.status, 403, "{}", page.text);
        // The browser does not show the refusal either, and must not report that a second time.
        assert!(
            !page.headers["content-security-policy"]
                .to_str()
                .expect("text")
                .contains("report-uri")
        );
    }
    assert_eq!(server.logged("a page was refused in a frame"), 2);

    // A script that got into a page was refused by the browser, which reports each; a stranger may send such a report as well.
    let nobody = Visitor::new(&server.base);
    for page in ["/", "/sign-in"] {
        let page = admin.get(page).await;
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("report-uri /csp-reports"), "{policy}");
    }
    let report = |directive: &str| {
        let text = format!(r#"{{"csp-report":{{"violated-directive":"x","effective-directive":"{directive}"}}}}"#);
        let request = nobody
            .request(Method::POST, "/csp-reports")
            .header("sec-fetch-site", "cross-site");
        nobody.send(request.header(CONTENT_TYPE, "application/csp-report").body(text))
    };
    for _ in 0..3 {
        assert_eq!(report("script-src-elem").await.status, 204);
        assert_eq!(report("a line of the log\\nin a stranger's words").await.status, 204);
    }
    assert_eq!(
        server.logged("a browser refused what the policy of a page forbids"),
        2,
        "each once"
    );
    assert_eq!(server.logged("directive=\"script-src-elem\""), 1);
    assert_eq!(server.logged("stranger"), 0);
    assert_eq!(report(&"x".repeat(9000)).await.status, 413);
    assert_eq!(nobody.post("/csp-reports", &[("no", "report")]).await.status, 400);
    assert_eq!(server.logged("status=413"), 1);

    // Too large for a form, and for a report of a device.
    let large = "x".repeat(65 * 1024);
    assert_eq!(
        nobody
            .post("/sign-in", &[("email", ADMIN), ("password", &large)])
            .await
            .status,
        413
    );
    assert_eq!(server.logged("status=413"), 2);
    house.base.clone_from(&server.base);
    let report = vec![b' '; 17 * 1024 * 1024];
    assert_eq!(house.feedback("hall-1", "1", report).await.status, 413);
    assert_eq!(server.logged("status=413"), 3);

    // A thousand guesses, eight at a time.
    let guesses = futures::stream::iter(0..1000).map(|number| {
        let visitor = &nobody;
        async move {
            let guess = format!("guess number {number}");
            visitor
                .post("/sign-in", &[("email", ADMIN), ("password", &guess)])
                .await
                .status
        }
    });
    let statuses: Vec<u16> = guesses.buffer_unordered(8).collect().await;
    let of = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((of(401), of(409)), (10, 990), "ten are compared, the others refused");
    assert_eq!(server.logged("a sign-in failed"), 10);
    assert_eq!(server.logged("a sign-in was refused after too many attempts"), 990);
    assert_eq!(server.logged("guess"), 0, "what was typed is nobody's business");

    // A script that runs wild has to wait, and one line says so.
    let flood = futures::stream::iter(0..6000).map(|_| async {
        let page = nobody.get("/favicon.svg").await;
        page.headers.get(RETRY_AFTER).map(|wait| (page.status, wait.clone()))
    });
    let refused: Vec<_> = flood.buffer_unordered(32).filter_map(async |wait| wait).collect().await;
    let (status, wait) = refused.first().expect("some are refused");
    assert_eq!((*status, wait.to_str().expect("text")), (429, "1"));
    assert_eq!(server.logged("requests of a client are refused"), 1);

    // Nobody else is hindered: devices are not counted, and people get in as soon as the flood ends.
    house.poll("hall-1").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(admin.get("/").await.status, 200);
    assert_eq!(nobody.get("/readyz").await.status, 200);

    let answer = slow.await.expect("both have ended");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(server.logged("status=408"), 1);
    assert_eq!(server.logged("panicked") + server.logged("ERROR"), 0);
    assert_eq!(server.program.stop().await.code(), Some(0));
    let people = database
        .texts("SELECT email FROM people WHERE role = 'admin' AND disabled_at IS NULL")
        .await;
    assert_eq!(people, [ADMIN]);
}
