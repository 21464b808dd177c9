//! The words of the command line: commands, options, their defaults and their help (G1, G6). `commands.rs` runs them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::access::Role;

/// Keeps meeting-room devices up to date: ring by ring, each room in its own night.
#[derive(Debug, Parser)]
#[command(name = "nightshift", version, propagate_version = true)]
pub struct Cli {
    /// Take zone rules from this directory of compiled zone files instead of the bundled ones.
    #[arg(long, global = true, env = "NIGHTSHIFT_ZONEINFO")]
    pub(crate) zoneinfo: Option<PathBuf>,
    /// How the log is written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "NIGHTSHIFT_LOG_FORMAT")]
    pub(crate) log: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How the log is written, on standard error.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the pages and the devices, and plan.
    Serve(Serve),
    /// A demo estate with simulated devices that speak real HTTP, on a clock that can run fast.
    Demo(Demo),
    /// Plan once, write it, and exit.
    Tick(Database),
    /// Print what a tick would do, and why. Writes nothing.
    Plan(Database),
    /// Run a scenario in text and print its timeline.
    Simulate {
        /// The scenario.
        file: PathBuf,
    },
    /// Check the invariants of a database. Repairs nothing.
    Check(Database),
    /// Say how a rule decides.
    #[command(subcommand)]
    Explain(Explain),
    /// Bring a database up to date.
    Migrate(Database),
    /// Copy the database and the artifacts into a new folder, while the service runs.
    Backup {
        #[command(flatten)]
        database: Database,
        /// The folder of artifacts.
        #[arg(long, default_value = "artifacts", env = "NIGHTSHIFT_ARTIFACTS")]
        artifacts: PathBuf,
        /// The folder to make.
        to: PathBuf,
    },
    /// Add rooms or a catalogue from files.
    #[command(subcommand)]
    Import(Import),
    /// Hand out, list and take away device tokens.
    #[command(subcommand)]
    Device(Device),
    /// Add and list people, and let them back in.
    #[command(subcommand)]
    User(User),
    /// Add, list and revoke tokens with which programs fetch exports.
    #[command(subcommand)]
    Token(Token),
}

/// Where the facts are.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`.
    #[arg(
        long,
        default_value = "sqlite:nightshift.db",
        env = "NIGHTSHIFT_DATABASE",
        hide_env_values = true
    )]
    pub database: String,
}

/// `nightshift serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", env = "NIGHTSHIFT_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// How people and devices reach this server: `https://nightshift.example`. Unless given: the listening address.
    #[arg(long, env = "NIGHTSHIFT_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// The folder for artifacts.
    #[arg(long, default_value = "artifacts", env = "NIGHTSHIFT_ARTIFACTS")]
    pub(crate) artifacts: PathBuf,
    /// The organisation's name on the wire.
    #[arg(long, default_value = "DEFAULT", env = "NIGHTSHIFT_TENANT")]
    pub(crate) tenant: String,
    /// A token that acts for any device, of 32 characters or more; off unless given.
    #[arg(long, env = "NIGHTSHIFT_GATEWAY_TOKEN", hide_env_values = true)]
    pub(crate) gateway_token: Option<String>,
    /// A proxy whose X-Forwarded-For counts; may be given several times.
    #[arg(long = "trusted-proxy", env = "NIGHTSHIFT_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Serve HTTPS with this certificate and its chain, in PEM. Read again when it changes.
    #[arg(long, env = "NIGHTSHIFT_TLS_CERTIFICATE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's key, in PEM.
    #[arg(long, env = "NIGHTSHIFT_TLS_KEY", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// First start only: the organisation's name.
    #[arg(long, default_value = "My organisation", env = "NIGHTSHIFT_ORGANISATION")]
    pub(crate) organisation: String,
    /// First start only: the organisation's zone.
    #[arg(long, default_value = "UTC", env = "NIGHTSHIFT_ZONE")]
    pub(crate) zone: String,
    /// Where the time comes from. `driven` is for tests: from instants on standard input.
    #[arg(long, value_enum, default_value_t = ClockSource::System)]
    pub(crate) clock: ClockSource,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockSource {
    /// The machine's clock.
    System,
    /// Lines on standard input.
    Driven,
}

/// `nightshift demo`.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// The folder for the demo's own database and artifacts.
    #[arg(long, default_value = "nightshift-demo")]
    pub(crate) data: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// How many times faster than real time the clock may run, 1 to 100 000.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) speed: u32,
    /// What the devices' durations and failures are drawn from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Hold the clock where it is: for pictures and tests.
    #[arg(long)]
    pub(crate) frozen: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// When a night's window opens and closes in a zone.
    Window {
        /// An IANA zone.
        #[arg(long)]
        zone: String,
        /// The room's date: YYYY-MM-DD.
        #[arg(long)]
        date: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// How two versions compare.
    VersionOrder {
        /// One version.
        #[arg(allow_hyphen_values = true)]
        a: String,
        /// The other version.
        #[arg(allow_hyphen_values = true)]
        b: String,
        /// The product of both, or of the first.
        #[arg(long)]
        product: Option<String>,
        /// The product of the second, where it is another.
        #[arg(long, requires = "product")]
        product_b: Option<String>,
        /// A releases file, or a folder with products.json and releases.json.
        #[arg(long)]
        catalogue: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Whether a version is supported on a date.
    // It has a --version of its own.
    #[command(disable_version_flag = true)]
    Support {
        /// A releases file, or a folder with products.json and releases.json.
        #[arg(long)]
        catalogue: PathBuf,
        /// The product's id in the catalogue.
        #[arg(long)]
        product: String,
        /// One of its versions.
        #[arg(long, allow_hyphen_values = true)]
        version: String,
        /// The date asked: YYYY-MM-DD. Releases dated later do not exist yet.
        #[arg(long)]
        as_of: String,
        /// What counts as newer: releases, or lines (major.minor).
        #[arg(long, default_value = "releases")]
        rule: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Whether the halt rule pauses a rollout.
    Halt {
        /// `{"rings":[{"name","applicable","attempted","failed","unreachable","unhealthy"}],"settings":{…}}`, in rollout order.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What rings add up to.
    Rings {
        /// `{"rings":[{"name","order","rollout_days","test_days"}]}`.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What the readiness checks of a room come to.
    Readiness {
        /// `{"room":{"windows","logitech"},"attributes":{…},"reported_at","as_of","waivers":[{"check","until"}],"reviewed":[…],"remedied":[…]}`.
        file: PathBuf,
        /// A readiness profile: JSON with what it has otherwise than the shipped one.
        #[arg(long)]
        profile: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Why a room gets updates, or does not.
    Room {
        /// Its name or id.
        room: String,
        #[command(flatten)]
        database: Database,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Rooms, from JSON or CSV.
    Rooms {
        /// A file like the one in docs/operating.md, or a CSV file with the columns of an export.
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// What readiness checks go by, from JSON: a profile in place of the one that comes with Nightshift.
    Profile {
        /// A file; what it leaves out is as in the shipped profile. An empty file goes back to that one.
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Products and releases.
    Catalogue {
        /// A folder with products.json and releases.json.
        folder: PathBuf,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Hand out a token. It is printed once and not shown again; an older one stops working.
    Enrol {
        /// What the device calls itself.
        device: String,
        #[command(flatten)]
        database: Database,
    },
    /// List devices.
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Take a device's token away.
    Revoke {
        /// What the device calls itself.
        device: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person. The link with which they choose a password is printed once and not shown again.
    Add {
        /// Name, as other people read it.
        name: String,
        /// E-mail address: the name at sign-in.
        email: String,
        /// What they are here for.
        #[arg(long, value_parser = role)]
        role: Role,
        /// How people reach this server.
        #[arg(long, default_value = "", env = "NIGHTSHIFT_PUBLIC_URL")]
        public_url: String,
        #[command(flatten)]
        database: Database,
    },
    /// List people.
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Stop a person from signing in; their sessions end.
    Disable {
        /// E-mail address.
        email: String,
        #[command(flatten)]
        database: Database,
    },
    /// Print a link with which a person chooses a new password. A disabled account is enabled.
    Reset {
        /// E-mail address.
        email: String,
        /// How people reach this server.
        #[arg(long, default_value = "", env = "NIGHTSHIFT_PUBLIC_URL")]
        public_url: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Add a token. It is printed once and not shown again.
    Add {
        /// The program and the place that use it.
        name: String,
        /// What it may do.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Days until it expires, 1 to 366.
        #[arg(long, default_value_t = 90)]
        days: u16,
        #[command(flatten)]
        database: Database,
    },
    /// List tokens.
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Take a token away.
    Revoke {
        /// The name that it was given when it was made.
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| format!("{word:?} is not admin, helpdesk or auditor"))
}
