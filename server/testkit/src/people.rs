//! What people do, as values: one list of commands for every test that gives them, and the one place that calls use cases for them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::commands::force::ForceRefusal;
use domain::deployment::Force;
use domain::freeze::FreezeScope;
use domain::ids::{FreezeId, ProductId, RingId, RoomId, SiteId, UpdateId};
use domain::settings::{Organisation, Settings};
use domain::update::Severity;
use service::rooms::SiteDraft;
use service::settings::{OrganisationDraft, fingerprint};
use service::{RoomChoice, RoomScope, RoomsFile, Service, ServiceError};
use uuid::Uuid;

use crate::devices::controller;
use crate::{actor, date, draft};

/// Product and version.
pub type Release = (&'static str, &'static str);

/// Something that somebody does, in the names that people use.
#[derive(Clone, Debug)]
pub enum Command {
    Publish {
        release: Release,
        severity: Option<Severity>,
        supersedes: bool,
    },
    Recall(Release),
    Pause {
        release: Release,
        until: Option<&'static str>,
    },
    SetResumeDate {
        release: Release,
        until: Option<&'static str>,
    },
    Resume(Release),
    RetryAll(Release),
    Retry {
        release: Release,
        room: &'static str,
    },
    /// No room: the whole update.
    Force {
        release: Release,
        rooms: &'static [&'static str],
        how: Force,
    },
    Cancel {
        release: Release,
        room: &'static str,
    },
    Acknowledge(Release),
    /// `label`: what the script calls it, to lift it.
    Freeze {
        label: &'static str,
        whom: Whom,
        from: &'static str,
        until: &'static str,
    },
    PlanFreeze {
        whom: Whom,
        from: &'static str,
        until: &'static str,
    },
    Lift(&'static str),
    /// A room is added that is held from the first date to the last.
    AddHeldRoom {
        room: &'static str,
        ring: &'static str,
        since: &'static str,
        until: &'static str,
    },
    Move {
        rooms: &'static [&'static str],
        from: Option<&'static str>,
        to: &'static str,
    },
    AddRing {
        name: &'static str,
        order: i64,
        rollout_days: u32,
        test_days: u32,
    },
    EditRing {
        name: &'static str,
        order: Option<i64>,
        rollout_days: u32,
        test_days: u32,
    },
    /// Its rooms go to General.
    DeleteRing(&'static str),
    /// A site gets another zone, and its rooms with it.
    ChangeZone {
        site: &'static str,
        zone: &'static str,
    },
    Settings(fn(&mut Settings)),
}

/// Whom a freeze concerns.
#[derive(Clone, Copy, Debug)]
pub enum Whom {
    Organisation,
    Ring(&'static str),
    Site(&'static str),
    Room(&'static str),
}

/// What a command did, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    Something,
    Rooms(usize),
    Forced {
        rooms: Vec<RoomId>,
        left_out: Vec<(RoomId, ForceRefusal)>,
    },
    Freeze(FreezeId),
    Ring(RingId),
    Room(RoomId),
    /// Title, last date before and after.
    Plans(Vec<(String, NaiveDate, NaiveDate)>),
}

/// What names stand for in this database.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub rooms: BTreeMap<String, RoomId>,
    pub rings: BTreeMap<String, RingId>,
    pub sites: BTreeMap<String, SiteId>,
    pub releases: BTreeMap<Release, UpdateId>,
    pub freezes: BTreeMap<&'static str, FreezeId>,
}

impl Names {
    /// A name that stands for nothing has an id that nobody has.
    const NOBODY: Uuid = Uuid::from_u128(7);

    /// The room of this name.
    pub fn room(&self, name: &str) -> RoomId {
        self.rooms.get(name).copied().unwrap_or(RoomId(Self::NOBODY))
    }

    /// The rooms of these names.
    pub fn rooms(&self, names: &[&str]) -> Vec<RoomId> {
        names.iter().map(|name| self.room(name)).collect()
    }

    /// The ring of this name.
    pub fn ring(&self, name: &str) -> RingId {
        self.rings.get(name).copied().unwrap_or(RingId(Self::NOBODY))
    }

    /// The release; it must be there.
    pub fn update(&self, release: Release) -> UpdateId {
        *self
            .releases
            .get(&release)
            .unwrap_or_else(|| panic!("there is no release {release:?}"))
    }

    /// The freeze with this label.
    pub fn freeze(&self, label: &str) -> FreezeId {
        self.freezes.get(label).copied().unwrap_or(FreezeId(Self::NOBODY))
    }

    /// Whom a freeze concerns.
    pub fn scope(&self, whom: Whom) -> FreezeScope {
        match whom {
            Whom::Organisation => FreezeScope::Organisation,
            Whom::Ring(name) => FreezeScope::Ring(self.ring(name)),
            Whom::Site(name) => FreezeScope::Site(self.sites.get(name).copied().unwrap_or(SiteId(Self::NOBODY))),
            Whom::Room(name) => FreezeScope::Room(self.room(name)),
        }
    }

    /// Learns what a command has made.
    pub fn learn(&mut self, command: &Command, did: &Did) {
        match (command, did) {
            (Command::Freeze { label, .. }, Did::Freeze(id)) => drop(self.freezes.insert(label, *id)),
            (Command::AddRing { name, .. }, Did::Ring(id)) => drop(self.rings.insert((*name).to_owned(), *id)),
            (Command::DeleteRing(name), Did::Something) => drop(self.rings.remove(*name)),
            (Command::AddHeldRoom { room, .. }, Did::Room(id)) => drop(self.rooms.insert((*room).to_owned(), *id)),
            _ => {}
        }
    }
}

/// Gives a command to the service: what it did, or the refusal.
pub async fn give(service: &Service, names: &Names, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    let something = |()| Did::Something;
    match command {
        Command::Publish { .. } | Command::Recall(_) => release(service, command).await,
        Command::Pause { release, until } => {
            let (update, until) = (names.update(*release), until.map(date));
            service
                .pause(&actor, update, "It hums.".into(), until)
                .await
                .map(something)
        }
        Command::SetResumeDate { release, until } => {
            let (update, until) = (names.update(*release), until.map(date));
            service
                .set_resume_date(&actor, update, "Parts are late.".into(), until)
                .await
                .map(something)
        }
        Command::Resume(release) => {
            let resumed = service.resume(&actor, names.update(*release), "Mended.".into());
            resumed.await.map(something)
        }
        Command::RetryAll(release) => {
            let retried = service.retry_all_failed(&actor, names.update(*release));
            retried.await.map(|retried| Did::Rooms(retried.rooms))
        }
        Command::Retry { release, room } => {
            let retried = service.retry(&actor, names.update(*release), names.room(room));
            retried.await.map(something)
        }
        Command::Force { .. } | Command::Cancel { .. } => in_rooms(service, names, command).await,
        Command::Acknowledge(release) => {
            let seen = service.acknowledge(&actor, names.update(*release), "They are replaced.".into());
            seen.await.map(something)
        }
        Command::Freeze { .. } | Command::PlanFreeze { .. } | Command::Lift(_) => freeze(service, names, command).await,
        Command::AddHeldRoom { .. } | Command::Move { .. } => rooms(service, names, command).await,
        Command::AddRing { .. } | Command::EditRing { .. } | Command::DeleteRing(_) => {
            rings(service, names, command).await
        }
        Command::ChangeZone { site, zone } => {
            let draft = SiteDraft {
                name: (*site).into(),
                city: "".into(),
                country: "".into(),
                zone: (*zone).into(),
            };
            service
                .edit_site(&actor, names.sites[*site], &draft)
                .await
                .map(something)
        }
        Command::Settings(change) => {
            let before = organisation(service).await;
            let mut after = draft_of(&before);
            change(&mut after.settings);
            service
                .edit_settings(&actor, &fingerprint(&before), &after)
                .await
                .map(something)
        }
    }
}

async fn in_rooms(service: &Service, names: &Names, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    match command {
        Command::Force { release, rooms, how } => {
            let scope = if rooms.is_empty() {
                RoomScope::All
            } else {
                RoomScope::Rooms(names.rooms(rooms))
            };
            let forced = service.force(
                &actor,
                names.update(*release),
                &scope,
                *how,
                "The board meets here.".into(),
            );
            forced.await.map(|mut forced| {
                forced.rooms.sort();
                forced.left_out.sort_by_key(|(room, _)| *room);
                Did::Forced {
                    rooms: forced.rooms,
                    left_out: forced.left_out,
                }
            })
        }
        Command::Cancel { release, room } => {
            let asked = service.cancel(
                &actor,
                names.update(*release),
                names.room(room),
                "The room is needed.".into(),
            );
            asked
                .await
                .map(|asked| Did::Rooms(usize::try_from(asked).expect("a few")))
        }
        other => panic!("{other:?} is for no rooms"),
    }
}

async fn release(service: &Service, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    match command {
        Command::Publish {
            release: (product, version),
            severity,
            supersedes,
        } => {
            let product = ProductId((*product).to_owned());
            let published = if *supersedes {
                service.publish(&actor, &product, version, *severity).await
            } else {
                service
                    .publish_without_superseding(&actor, &product, version, *severity)
                    .await
            };
            published.map(|_| Did::Something)
        }
        Command::Recall((product, version)) => {
            let product = ProductId((*product).to_owned());
            let recalled = service
                .recall(&actor, &product, version, "cameras stay dark".into())
                .await;
            recalled.map(|_| Did::Something)
        }
        other => panic!("{other:?} is about no release"),
    }
}

async fn freeze(service: &Service, names: &Names, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    match command {
        Command::Freeze { whom, from, until, .. } => {
            let made = service.freeze(&actor, names.scope(*whom), date(from), date(until), "a fair".into());
            made.await.map(Did::Freeze)
        }
        Command::PlanFreeze { whom, from, until } => {
            let plans = service.freeze_plan(&actor, names.scope(*whom), date(from), date(until));
            plans.await.map(|mut plans| {
                plans.sort();
                Did::Plans(plans)
            })
        }
        Command::Lift(label) => {
            let lifted = service.lift_freeze(&actor, names.freeze(label), "It is over.".into());
            lifted.await.map(|()| Did::Something)
        }
        other => panic!("{other:?} is about no freeze"),
    }
}

async fn rooms(service: &Service, names: &Names, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    match command {
        Command::AddHeldRoom {
            room,
            ring,
            since,
            until,
        } => {
            let hold = serde_json::json!({ "owner": "Facilities", "reason": "a fair", "since": since, "until": until });
            let line = serde_json::json!({
                "name": room, "site": "Harbour", "ring": ring, "holds": [hold],
                "devices": [{ "id": controller(room), "model": "B1", "installed": { "bar": "1.0", "app": "10", "win": "1" } }],
            });
            let file = serde_json::json!({ "sites": [], "rooms": [line] }).to_string();
            let report = service.import_rooms(&actor, &RoomsFile::parse(&file)?).await?;
            crate::facts::manage(service, &report.ids).await;
            Ok(Did::Room(report.ids[0]))
        }
        Command::Move { rooms, from, to } => {
            let (which, from) = (RoomChoice::Named(names.rooms(rooms)), from.map(|from| names.ring(from)));
            let moved = service.move_rooms(&actor, &which, from, names.ring(to)).await;
            moved.map(|moved| Did::Rooms(moved.moved))
        }
        other => panic!("{other:?} is about no room"),
    }
}

async fn rings(service: &Service, names: &Names, command: &Command) -> Result<Did, ServiceError> {
    let actor = actor();
    match command {
        Command::AddRing {
            name,
            order,
            rollout_days,
            test_days,
        } => {
            let added = service.add_ring(&actor, draft(name, Some(*order), *rollout_days, *test_days));
            added.await.map(Did::Ring)
        }
        Command::EditRing {
            name,
            order,
            rollout_days,
            test_days,
        } => {
            let draft = draft(name, *order, *rollout_days, *test_days);
            let edited = service.edit_ring(&actor, names.ring(name), None, draft);
            edited.await.map(|()| Did::Something)
        }
        Command::DeleteRing(name) => {
            let deleted = service.delete_ring(&actor, names.ring(name), None);
            deleted.await.map(|()| Did::Something)
        }
        other => panic!("{other:?} is about no ring"),
    }
}

/// The organisation and its settings.
pub async fn organisation(service: &Service) -> Organisation {
    let mut tx = service.store().read().await.expect("a snapshot");
    tx.organisation().await.expect("a query").expect("an organisation")
}

fn draft_of(organisation: &Organisation) -> OrganisationDraft {
    OrganisationDraft {
        name: organisation.name.clone().into(),
        zone: organisation.zone.name().into(),
        settings: organisation.settings.clone(),
    }
}
