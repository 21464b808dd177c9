//! Runs the real `swupdate` (Debian package, suricatta mode) as a room device.
//!
//! Needs `swupdate`, `swupdate-ipc`, `openssl` and `cpio` on the PATH ([`missing_tools`] says which are not there), nothing
//! but std. [`Workshop`] signs images, [`Agent`] is one running device.
//!
//! ```ignore
//! let workshop = Workshop::new();
//! let image = workshop.image("rally-bar-collabos", "2.0");
//! let agent = Agent::start(&workshop, &base, "room-7", &token, &[("sw_version", "1.0")], None);
//! agent.poll_every(1);                                   // else it sleeps as long as the server says
//! // … wait until the server has the report "All Chunks Installed." …
//! assert_eq!(agent.installed().as_deref(), Some("rally-bar-collabos 2.0"));
//! agent.stop();                                          // the "reboot"
//! let agent = Agent::start(&workshop, &base, "room-7", &token, &[("sw_version", "2.0")], Some(Confirm::Success));
//! // closed/success, then configData with the new version, arrive at once, without a poll interval between them
//! ```
//!
//! Seen with swupdate 2022.12 (Debian 12):
//!
//! - **At most 11 at a time on one machine** ([`Agent::MAX`]), across all test processes: the notifier socket is an abstract
//!   one, which `TMPDIR` does not separate. One too many exits with 2 and "Address already in use"; [`Agent::start`] waits for
//!   a free place.
//! - The poll interval is the server's `config.polling.sleep`, whole seconds; `-p` counts only until the first good poll.
//!   [`Agent::poll_every`] and [`Agent::poll_now`] overrule the server through the IPC socket.
//! - After every start swupdate PUTs its attributes once, asked or not (none without attributes). An offer seen in that same
//!   poll is taken up one interval later.
//! - Whether an install is waiting for its confirmation lives in memory only: a restart without `-c` installs again, and
//!   with [`Confirm`] it reports once, to the link it finds in its first poll; without a link there the report is lost.
//! - Attribute values are cut at 79 bytes and written into the JSON unescaped.

#![allow(dead_code)]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Distinguishes folders of one process.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The file an image installs, in the folder of its device (swupdate's working folder).
const INSTALLED: &str = "installed.txt";

fn next() -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// The tools of the list that do not start, to skip a test with a clear word. Empty: all is there.
pub fn missing_tools() -> Vec<&'static str> {
    [
        ("swupdate", "--version"),
        ("swupdate-ipc", "--help"),
        ("openssl", "version"),
        ("cpio", "--version"),
    ]
    .into_iter()
    .filter(|(tool, argument)| {
        Command::new(tool)
            .arg(argument)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
    })
    .map(|(tool, _)| tool)
    .collect()
}

/// What is wrong with an image of [`Workshop::broken`]. All of them end in one `closed`/`failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The payload does not have the hash that the signed description names.
    PayloadHash,
    /// The archive ends in the middle of the payload.
    Truncated,
    /// Signed with a key the devices do not know.
    Untrusted,
    /// For other hardware than 1.0.
    Hardware,
    /// No archive at all.
    Garbage,
    /// Its error text has a double quote and a backslash. When swupdate puts it into the report the report is **no JSON**,
    /// which is a race inside swupdate: 9 of 24 runs. Otherwise the report is `No suitable .swu image found`.
    /// A test that needs the bytes for sure posts `captures/swupdate_failure.txt`.
    QuoteInError,
}

/// A temporary folder with a signing key and the folders of the devices; removed on drop. Outlives its agents when it is
/// declared before them.
pub struct Workshop {
    root: PathBuf,
}

impl Workshop {
    /// Makes the folder and the key. Panics with the reason when the machine cannot.
    pub fn new() -> Workshop {
        let root = std::env::temp_dir().join(format!("nightshift-swu-{}-{}", std::process::id(), next()));
        fs::create_dir_all(&root).unwrap_or_else(|e| panic!("cannot create the workshop {}: {e}", root.display()));
        let workshop = Workshop { root };
        workshop.make_key("sign");
        workshop
    }

    /// The certificate the devices trust (`-k`).
    pub fn certificate(&self) -> PathBuf {
        self.root.join("sign.crt")
    }

    /// A signed image that installs one small file: [`payload`] of the same product and version.
    pub fn image(&self, product: &str, version: &str) -> Vec<u8> {
        self.build(payload(product, version).as_bytes(), version, &Recipe::default())
    }

    /// The same with `padding` bytes more, for downloads that last (cancel, resume).
    pub fn large_image(&self, product: &str, version: &str, padding: usize) -> Vec<u8> {
        let mut content = payload(product, version).into_bytes();
        content.push(b'\n');
        content.resize(content.len() + padding, b'.');
        self.build(&content, version, &Recipe::default())
    }

    /// An image that fails on the device: its payload does not have the signed hash.
    pub fn broken_image(&self) -> Vec<u8> {
        self.broken(Broken::PayloadHash)
    }

    /// An image that fails on the device in a chosen way.
    pub fn broken(&self, how: Broken) -> Vec<u8> {
        let content = payload("broken", "0.0");
        let content = content.as_bytes();
        match how {
            Broken::PayloadHash => self.build(
                content,
                "0.0",
                &Recipe {
                    hash_of: Some(b"something else"),
                    ..Recipe::default()
                },
            ),
            Broken::Truncated => {
                let mut image = self.large_image("broken", "0.0", 20_000);
                image.truncate(image.len() / 2);
                image
            }
            Broken::Untrusted => {
                if !self.root.join("stranger.crt").exists() {
                    self.make_key("stranger");
                }
                self.build(
                    content,
                    "0.0",
                    &Recipe {
                        signer: "stranger",
                        ..Recipe::default()
                    },
                )
            }
            Broken::Hardware => self.build(
                content,
                "0.0",
                &Recipe {
                    hardware: "9.9",
                    ..Recipe::default()
                },
            ),
            Broken::Garbage => b"this is no archive\n".repeat(64),
            Broken::QuoteInError => self.build(
                content,
                "0.0",
                &Recipe {
                    path: "no\"ne\\x/file",
                    ..Recipe::default()
                },
            ),
        }
    }

    /// The folder of a device. It stays when its agent stops, so that a restart finds what was installed.
    pub fn device_folder(&self, device: &str) -> PathBuf {
        self.root.join(format!("device-{device}"))
    }

    fn make_key(&self, name: &str) {
        let (key, crt) = (format!("{name}.key"), format!("{name}.crt"));
        let subject = format!("/CN=Nightshift test {name}");
        run(Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-keyout", &key, "-out", &crt,
            ])
            .args(["-subj", &subject, "-addext", "keyUsage=critical,digitalSignature"])
            .args(["-addext", "extendedKeyUsage=emailProtection"])
            .current_dir(&self.root));
    }

    fn build(&self, content: &[u8], version: &str, recipe: &Recipe) -> Vec<u8> {
        let folder = self.root.join(format!("image-{}", next()));
        fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("cannot create {}: {e}", folder.display()));
        write(&folder.join("payload"), content);
        write(&folder.join("hashed"), recipe.hash_of.unwrap_or(content));
        let printed = run(Command::new("openssl")
            .args(["dgst", "-sha256", "-r", "hashed"])
            .current_dir(&folder));
        let hash: String = String::from_utf8_lossy(&printed).chars().take(64).collect();
        assert_eq!(
            hash.len(),
            64,
            "openssl dgst printed no SHA-256: {}",
            String::from_utf8_lossy(&printed)
        );
        let description = format!(
            "software = {{\n  version = {};\n  hardware-compatibility = [ {} ];\n  files: ( {{\n    filename = \"payload\";\n    \
             path = {};\n    type = \"rawfile\";\n    sha256 = \"{hash}\";\n  }} );\n}}\n",
            quoted(version),
            quoted(recipe.hardware),
            quoted(recipe.path),
        );
        write(&folder.join("sw-description"), description.as_bytes());
        let signer = self.root.join(recipe.signer);
        run(Command::new("openssl")
            .args([
                "cms",
                "-sign",
                "-in",
                "sw-description",
                "-out",
                "sw-description.sig",
                "-outform",
                "DER",
            ])
            .args(["-nosmimecap", "-binary", "-signer"])
            .arg(signer.with_extension("crt"))
            .arg("-inkey")
            .arg(signer.with_extension("key"))
            .current_dir(&folder));
        write(&folder.join("list"), b"sw-description\nsw-description.sig\npayload\n");
        let list = File::open(folder.join("list")).expect("cannot read back the list of files for cpio");
        let image = run(Command::new("cpio")
            .args(["-o", "-H", "crc", "--quiet"])
            .current_dir(&folder)
            .stdin(list));
        let _ = fs::remove_dir_all(&folder);
        image
    }
}

impl Default for Workshop {
    fn default() -> Self {
        Workshop::new()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// What an image has installed, as [`Agent::installed`] reads it.
pub fn payload(product: &str, version: &str) -> String {
    format!("{product} {version}")
}

struct Recipe {
    hash_of: Option<&'static [u8]>,
    hardware: &'static str,
    path: &'static str,
    signer: &'static str,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            hash_of: None,
            hardware: "1.0",
            path: INSTALLED,
            signer: "sign",
        }
    }
}

/// What a device reports about its last install when it starts (`-c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// `proceeding`, "Update Installed, Testing Pending."
    Again,
    /// `closed`/`success`, "Update Installed."
    Success,
    /// `closed`/`failure`, "Update Failed."
    Failed,
}

/// A running swupdate: one device. Killed on drop.
pub struct Agent {
    child: Child,
    device: PathBuf,
    run: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// As many can run at a time on one machine.
    pub const MAX: usize = 11;

    /// Starts a device and returns when it has begun to poll. `base_url` is `http://host:port` without a path; `token` the
    /// device's own (TargetToken); the attributes are what it reports as configData. Waits up to a minute for one of the
    /// [`Agent::MAX`] places.
    pub fn start(
        workshop: &Workshop,
        base_url: &str,
        device: &str,
        token: &str,
        attributes: &[(&str, &str)],
        confirm: Option<Confirm>,
    ) -> Agent {
        for (what, value) in [("base_url", base_url), ("device", device), ("token", token)] {
            assert!(
                !value.is_empty() && !value.contains(char::is_whitespace),
                "{what} {value:?} must be one word"
            );
        }
        let folder = workshop.device_folder(device);
        // Sockets live in TMPDIR and a socket's path has at most 107 bytes: a short folder of its own.
        let run = workshop.root.join(format!("run-{}", next()));
        for path in [&folder, &run] {
            fs::create_dir_all(path).unwrap_or_else(|e| panic!("cannot create {}: {e}", path.display()));
        }
        assert!(
            run.as_os_str().len() <= 90,
            "TMPDIR is too long for swupdate's sockets: {}",
            run.display()
        );
        let log = run.join("log");
        let config = run.join("swupdate.cfg");
        write(&config, configuration(attributes).as_bytes());

        let mut suricatta = format!(
            "-t DEFAULT -u {} -i {device} -k {token}",
            base_url.trim_end_matches('/')
        );
        match confirm {
            None => {}
            Some(Confirm::Again) => suricatta.push_str(" -c 1"),
            Some(Confirm::Success) => suricatta.push_str(" -c 2"),
            Some(Confirm::Failed) => suricatta.push_str(" -c 3"),
        }
        // A failed first report is repeated after this many seconds (default 10), a broken download resumed.
        suricatta.push_str(" -m 1 -w 1");

        for attempt in 1.. {
            let output = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&log)
                .expect("cannot create swupdate's log");
            let errors = output.try_clone().expect("cannot share swupdate's log");
            let child = Command::new("swupdate")
                .args(["-v", "-H", "default:1.0", "-k"])
                .arg(workshop.certificate())
                .arg("-f")
                .arg(&config)
                .arg("-u")
                .arg(&suricatta)
                .env("TMPDIR", &run)
                .env_remove("http_proxy")
                .env_remove("all_proxy")
                .current_dir(&folder)
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(errors)
                .spawn()
                .expect("cannot start swupdate (apt-get install swupdate)");
            let mut agent = Agent {
                child,
                device: folder.clone(),
                run: run.clone(),
                log: log.clone(),
            };
            let Some(status) = agent.wait_until_running() else {
                return agent;
            };
            let text = agent.log();
            assert!(
                text.contains("Error binding notifier socket") && attempt < 200,
                "swupdate for {device} ended at once with {status}:\n{text}"
            );
            let _ = fs::remove_file(&log);
            thread::sleep(Duration::from_millis(300));
        }
        unreachable!("the loop returns or panics")
    }

    /// None when it runs, its status when it ended instead.
    fn wait_until_running(&mut self) -> Option<ExitStatus> {
        eventually(Duration::from_secs(15), || {
            let ended = self.child.try_wait().expect("cannot ask for swupdate's state");
            // With a confirmation it polls before it enters the loop.
            let text = self.log();
            let polls = text.contains("entering suricatta main loop") || text.contains("effective URL resolved");
            (ended.is_some() || polls).then_some(ended)
        })
        .flatten()
    }

    /// Polls every so many seconds from now on, whatever the server's `sleep` says, and at once; 0 gives the interval back to
    /// the server (with its next answer).
    pub fn poll_every(&self, seconds: u32) {
        self.ipc(&["hawkbitcfg", "-p", &seconds.to_string()]);
        self.poll_now();
    }

    /// Polls now, once.
    pub fn poll_now(&self) {
        self.ipc(&["hawkbitcfg", "-t"]);
    }

    /// swupdate-ipc ends with 0 also when nobody answered; what it prints decides.
    fn ipc(&self, arguments: &[&str]) {
        let acknowledged = eventually(Duration::from_secs(10), || {
            let answer = Command::new("swupdate-ipc")
                .args(arguments)
                .env("TMPDIR", &self.run)
                .stdin(Stdio::null())
                .output()
                .expect("cannot start swupdate-ipc");
            String::from_utf8_lossy(&answer.stdout)
                .contains("Server returns ACK")
                .then_some(())
        });
        assert!(
            acknowledged.is_some(),
            "swupdate-ipc {arguments:?} was not acknowledged\n{}",
            self.log()
        );
    }

    /// What swupdate printed since this start.
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until the log has the text; false after the time.
    pub fn wait_for_log(&self, text: &str, within: Duration) -> bool {
        eventually(within, || self.log().contains(text).then_some(())).is_some()
    }

    /// The first line of what the device has installed ([`payload`]), None before its first install.
    pub fn installed(&self) -> Option<String> {
        let content = fs::read(self.device.join(INSTALLED)).ok()?;
        String::from_utf8_lossy(&content).lines().next().map(str::to_owned)
    }

    /// Whether the process still runs.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it in an orderly way (SIGTERM, exit code 0) and waits for that.
    pub fn stop(mut self) {
        let _ = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .stderr(Stdio::null())
            .status();
        eventually(Duration::from_secs(5), || (!self.running()).then_some(()));
        // Drop kills it if it still runs.
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Its two helper processes end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks every 20 ms until there is an answer; None after about that time.
fn eventually<T>(within: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..=within.as_millis() / 20 {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// libconfig text. The section `globals` must be there or swupdate ends with 1.
fn configuration(attributes: &[(&str, &str)]) -> String {
    let mut text = String::from("globals : {\n  verbose = true;\n};\n");
    if !attributes.is_empty() {
        let entries: Vec<String> = attributes
            .iter()
            .map(|(name, value)| format!("  {{ name = {}; value = {}; }}", quoted(name), quoted(value)))
            .collect();
        text.push_str(&format!("identify : (\n{}\n);\n", entries.join(",\n")));
    }
    text
}

/// A libconfig string.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn write(path: &Path, content: &[u8]) {
    File::create(path)
        .and_then(|mut file| file.write_all(content))
        .unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
}

/// Runs a tool to its end and gives what it printed; panics with its words when it fails.
fn run(command: &mut Command) -> Vec<u8> {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("cannot start {:?}: {e}", command.get_program()));
    assert!(
        output.status.success(),
        "{:?} ended with {}: {}",
        command.get_program(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
