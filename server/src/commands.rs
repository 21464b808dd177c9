//! What the commands do (G1, G6). Each prints what people or scripts want to read; the exit status is 0, or 2 with one sentence on
//! standard error. `cli.rs` has their words; start with [`run`].

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use domain::check;
use domain::clean::CleanLine;
use domain::settings::Settings;
use domain::text::counted;
use domain::zone::{self, Zone};
use service::catalogue::Catalogue;
use service::read::access::AccountState;
use service::read::devices::DeviceToken;
use service::{Actor, Artifacts, Clock, ProcessConfig, RoomsFile, Service};
use store::Store;

use crate::cli::{Cli, Command, Database, Device, Explain, Import, Token, User};
use crate::{backup, demo, explain, serve, telemetry};

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
    service.skip_given_action_numbers().await?;
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
    if dry.checks.rooms > 0 {
        println!("  Checks of {} are due.", counted(dry.checks.rooms, "room"));
    }
    for (about, text) in dry.checks.lines.iter().chain(&dry.lines) {
        println!("  {about}: {text}");
    }
    if dry.checks.more > 0 {
        println!(
            "  And {} more, of whose checks something follows.",
            counted(dry.checks.more, "room")
        );
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
        Explain::Support {
            catalogue,
            product,
            version,
            as_of,
            rule,
            json,
        } => explain::support(&catalogue, (&product, &version), &as_of, &rule, json),
        Explain::Halt { file, json } => explain::halt(&file, json),
        Explain::Rings { file, json } => explain::rings(&file, json),
        Explain::Readiness { file, profile, json } => explain::readiness(&file, profile.as_deref(), json),
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
        Import::Profile { file, database } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            open(&database).await?.set_profile(&Actor::operator(), &text).await?;
            println!("The profile is set. All rooms are checked with the next tick.");
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
                    let state = match device.token {
                        DeviceToken::None => "not enrolled",
                        DeviceToken::Enrolled => "enrolled",
                        DeviceToken::Revoked => "revoked",
                    };
                    println!("{}\t{}\t{}\t{state}", device.controller, device.room, device.model);
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
                let state = match person.state {
                    AccountState::Disabled { .. } => "disabled",
                    AccountState::WithoutPassword => "no password yet",
                    AccountState::Active => "may sign in",
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
