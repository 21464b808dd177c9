//! The commands (G1, G6). Each prints what people or scripts want to read; the exit status is 0, or 2 with one sentence on
//! standard error.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::access::Role;
use domain::check;
use domain::clean::CleanLine;
use domain::settings::Settings;
use domain::zone::{self, Zone};
use service::catalogue::Catalogue;
use service::store::Store;
use service::{Actor, Artifacts, Clock, ProcessConfig, RoomsFile, Service};

use crate::{backup, demo, explain, serve, telemetry};

/// Keeps meeting-room devices up to date: ring by ring, each room in its own night.
#[derive(Debug, Parser)]
#[command(name = "nightshift", version, propagate_version = true)]
pub struct Cli {
    /// Take zone rules from this directory of compiled zone files instead of the bundled ones.
    #[arg(long, global = true, env = "NIGHTSHIFT_ZONEINFO")]
    zoneinfo: Option<PathBuf>,
    /// How the log is written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "NIGHTSHIFT_LOG_FORMAT")]
    log: LogFormat,
    #[command(subcommand)]
    command: Command,
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
enum Command {
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
enum Explain {
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
    /// What rings add up to.
    Rings {
        /// `{"rings":[{"name","order","rollout_days","test_days"}]}`.
        file: PathBuf,
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
enum Import {
    /// Rooms, from JSON or CSV.
    Rooms {
        /// The file.
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
enum Device {
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
enum User {
    /// Add a person. The link with which they choose a password is printed once and not shown again.
    Add {
        /// Name.
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
enum Token {
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
        /// Its name.
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| format!("{word:?} is not admin, helpdesk or auditor"))
}

/// Runs a command.
pub async fn run(cli: Cli) -> ExitCode {
    telemetry::start(cli.log);
    match execute(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut sentence = error.to_string();
            for cause in error.chain().skip(1) {
                let cause = cause.to_string();
                if !sentence.contains(&cause) {
                    sentence = format!("{sentence}: {cause}");
                }
            }
            telemetry::complain(&sentence);
            ExitCode::from(2)
        }
    }
}

async fn execute(cli: Cli) -> Result<()> {
    if let Some(directory) = &cli.zoneinfo {
        zone::use_directory(directory)?;
    }
    match cli.command {
        Command::Serve(serve) => serve::serve(serve).await,
        Command::Demo(demo) => demo::run(demo).await,
        Command::Tick(database) => tick(&open(&database).await?).await,
        Command::Plan(database) => plan(&open_read_only(&database).await?).await,
        Command::Simulate { file } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            print!("{}", domain::scenario::run(&text)?);
            Ok(())
        }
        Command::Check(database) => check_database(&open_read_only(&database).await?).await,
        Command::Explain(explained) => explain_rule(explained).await,
        Command::Migrate(database) => {
            let store = Store::open(&database.database, true).await?;
            for migration in store.migrate().await? {
                println!("{migration}");
            }
            println!("The database is up to date.");
            Ok(())
        }
        Command::Backup {
            database,
            artifacts,
            to,
        } => backup::take(&database.database, &artifacts, &to).await,
        Command::Import(import) => import_file(import).await,
        Command::Device(device) => change_device(device).await,
        Command::User(user) => change_user(user).await,
        Command::Token(token) => change_token(token).await,
    }
}

/// A service on an existing database, for commands that change something once. A serving process may be at work on it.
async fn open(database: &Database) -> Result<Service> {
    let store = open_store(database).await?;
    serve::migrate(&store).await?;
    let service = service_on(store).await?;
    service
        .first_start("My organisation".into(), Zone::utc(), Settings::default())
        .await?;
    Ok(service)
}

/// The same for commands that only look: they leave the schema and the facts as they are.
async fn open_read_only(database: &Database) -> Result<Service> {
    let store = open_store(database).await?;
    if !store.is_up_to_date().await? {
        bail!("the database has another schema version; update it with nightshift migrate or nightshift serve");
    }
    service_on(store).await
}

async fn open_store(database: &Database) -> Result<Store> {
    if let Some(path) = database.database.strip_prefix("sqlite:")
        && !std::path::Path::new(path).exists()
    {
        bail!("database {path} does not exist; nightshift serve creates it");
    }
    Ok(Store::open(&database.database, false).await?)
}

async fn service_on(store: Store) -> Result<Service> {
    // The demo's database has a clock of its own.
    let clock = match store.read().await?.program_value(demo::CLOCK).await? {
        Some(stored) => Clock::driven(stored.parse().context("the demo's stored clock")?),
        None => Clock::System,
    };
    // These commands touch no artifact.
    let artifacts = Artifacts::open(&std::env::temp_dir())?;
    let config = ProcessConfig {
        public_url: String::new(),
        tenant: "DEFAULT".to_owned(),
        gateway_token: None,
        trusted_proxies: Vec::new(),
    };
    Ok(Service::new(store, clock, artifacts, config))
}

async fn tick(service: &Service) -> Result<()> {
    let report = service.tick().await?;
    for line in &report.lines {
        println!("{}", line.event.sentence());
    }
    println!("{} transactions.", report.rounds);
    Ok(())
}

async fn plan(service: &Service) -> Result<()> {
    let dry = service.plan().await?;
    println!("At {}:", dry.now.format("%Y-%m-%d %H:%M:%S UTC"));
    for (about, text) in &dry.lines {
        println!("  {about}: {text}");
    }
    println!(
        "{}",
        if dry.writes {
            "A tick would write this."
        } else {
            "Nothing to do."
        }
    );
    Ok(())
}

async fn check_database(service: &Service) -> Result<()> {
    let fleet = service.store().read().await?.fleet().await?;
    let mut findings = check::check(&fleet);
    findings.extend(service.check_audit().await?);
    for finding in &findings {
        println!("{finding}");
    }
    let mut tx = service.store().read().await?;
    let mut lines = tx.wrong_counts().await?;
    lines.extend(tx.names_that_fall_together().await?);
    drop(tx);
    for line in &lines {
        println!("{line}");
    }
    let (rooms, deployments) = (fleet.rooms.len(), fleet.deployments.len());
    let found = findings.len() + lines.len();
    if found > 0 {
        bail!("{found} findings in {rooms} rooms and {deployments} deployments");
    }
    println!("No findings in {rooms} rooms and {deployments} deployments.");
    Ok(())
}

async fn explain_rule(explained: Explain) -> Result<()> {
    match explained {
        Explain::Window { zone, date, json } => explain::window(&zone, &date, json),
        Explain::VersionOrder {
            a,
            b,
            product,
            product_b,
            catalogue,
            json,
        } => explain::version_order(
            &a,
            &b,
            product.as_deref(),
            product_b.as_deref(),
            catalogue.as_deref(),
            json,
        ),
        Explain::Rings { file, json } => explain::rings(&file, json),
        Explain::Room { room, database, json } => explain::room(&open_read_only(&database).await?, &room, json).await,
    }
}

async fn import_file(import: Import) -> Result<()> {
    match import {
        Import::Rooms { file, database } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let rooms = RoomsFile::parse(&text)?;
            let report = open(&database).await?.import_rooms(&Actor::operator(), &rooms).await?;
            println!(
                "Added {} sites, {} rooms and {} devices.",
                report.sites, report.rooms, report.devices
            );
        }
        Import::Catalogue { folder, database } => {
            let catalogue = Catalogue::read(&folder)?;
            let (products, releases) = open(&database)
                .await?
                .import_catalogue(&Actor::operator(), &catalogue)
                .await?;
            println!("{products} products, {releases} new releases.");
        }
    }
    Ok(())
}

async fn change_device(device: Device) -> Result<()> {
    match device {
        Device::Enrol { device, database } => {
            let token = open(&database).await?.enrol_device(&Actor::operator(), &device).await?;
            println!("{token}");
        }
        Device::Revoke { device, database } => {
            open(&database)
                .await?
                .revoke_device(&Actor::operator(), &device)
                .await?;
            println!("Device {device} was revoked.");
        }
        Device::List { database } => {
            let service = open_read_only(&database).await?;
            let mut after = String::new();
            loop {
                let devices = service.devices_after(&after, 500).await?;
                for device in &devices {
                    println!(
                        "{}\t{}\t{}\t{}",
                        device.controller, device.room, device.model, device.state
                    );
                }
                match devices.last() {
                    Some(last) => after.clone_from(&last.controller),
                    None => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

async fn change_user(user: User) -> Result<()> {
    let operator = Actor::operator();
    match user {
        User::Add {
            name,
            email,
            role,
            public_url,
            database,
        } => {
            let link = open(&database)
                .await?
                .add_person(&operator, name.as_str().into(), email.as_str().into(), role)
                .await?;
            println!("{}/password/{link}", public_url.trim_end_matches('/'));
        }
        User::Reset {
            email,
            public_url,
            database,
        } => {
            let link = open(&database)
                .await?
                .reset_link(&operator, email.as_str().into())
                .await?;
            println!("{}/password/{link}", public_url.trim_end_matches('/'));
        }
        User::Disable { email, database } => {
            open(&database)
                .await?
                .disable_person(&operator, email.as_str().into())
                .await?;
            println!("{email} may not sign in any more.");
        }
        User::List { database } => {
            for person in open_read_only(&database).await?.people(&operator).await? {
                let state = match (&person.password, person.disabled_at) {
                    (_, Some(_)) => "disabled",
                    (None, None) => "no password yet",
                    (Some(_), None) => "may sign in",
                };
                println!("{}\t{}\t{}\t{state}", person.email, person.name, person.role.as_str());
            }
        }
    }
    Ok(())
}

async fn change_token(token: Token) -> Result<()> {
    let operator = Actor::operator();
    match token {
        Token::Add {
            name,
            role,
            days,
            database,
        } => {
            let secret = open(&database)
                .await?
                .add_token(&operator, name.as_str().into(), role, days)
                .await?;
            println!("{secret}");
        }
        Token::Revoke { name, database } => {
            let service = open(&database).await?;
            let tokens = service.tokens(&operator).await?;
            let typed = CleanLine::from(name.as_str());
            let token = tokens.iter().find(|token| token.name == typed.as_str());
            // One that was made before may have its name in another Unicode form.
            let token = token.or_else(|| {
                tokens
                    .iter()
                    .find(|token| CleanLine::from(token.name.as_str()) == typed)
            });
            let token = token.with_context(|| format!("there is no token {name}"))?;
            service.revoke_token(&operator, token.id).await?;
            println!("The token {name} was revoked.");
        }
        Token::List { database } => {
            for token in open_read_only(&database).await?.tokens(&operator).await? {
                let day = |instant: DateTime<Utc>| instant.format("%Y-%m-%d %H:%M UTC");
                let used = token
                    .used_at
                    .map_or_else(|| "never used".to_owned(), |used| format!("used {}", day(used)));
                let (role, expires) = (token.role.as_str(), day(token.expires_at));
                println!("{}\t{role}\texpires {expires}\t{used}", token.name);
            }
        }
    }
    Ok(())
}
