//! One harness for the tests of store, service and server.
//!
//! It makes what a test needs to live in. Without features that is a [`Database`] of its own and an open [`Home`] on it. The feature `service` adds an
//! [`Estate`]: a service whose clock stands still until a test sets it, and devices that speak to it. The feature `server` adds a [`House`]: the
//! real router on a real listener, a [`visitor`], and the [`program`] itself. [`both_engines!`] stamps a test for SQLite and Postgres.
//!
//! Only tests in `tests/` folders and benches may use it: the crates below it are its own dependencies, so that their unit tests would have
//! two copies of their types. No rule stands here. What only one crate's tests need stays with them.
//!
//! Start with [`OnEngine`]: what a test function may ask for.

mod database;
mod dice;
mod engines;
pub mod statements;

#[cfg(feature = "service")]
pub mod catalogue;
#[cfg(feature = "service")]
mod devices;
#[cfg(feature = "service")]
mod estate;
#[cfg(feature = "service")]
pub mod facts;
#[cfg(feature = "service")]
pub mod people;
#[cfg(feature = "service")]
pub mod template;

#[cfg(feature = "server")]
mod house;
#[cfg(feature = "server")]
pub mod program;
#[cfg(feature = "server")]
pub mod visitor;
#[cfg(feature = "server")]
pub mod wire;

use chrono::{DateTime, NaiveDate, Utc};
use domain::conversation::feedback::{Execution, Feedback, Finished};

pub use database::{Database, Home, SERVER, migrations, postgres};
pub use dice::Dice;
pub use engines::{OnEngine, run};
pub use store::Engine;

#[cfg(feature = "service")]
pub use catalogue::{BAR, MUTE};
#[cfg(feature = "service")]
pub use devices::{Devices, controller, open_install, say, speak};
#[cfg(feature = "service")]
pub use estate::{Estate, actor, draft, problem, service_on, without_halts};
#[cfg(feature = "server")]
pub use house::{
    ADMIN, Answer, House, Options, PASSWORD, action_in, address_of, bar, client, content, link, monday, rooms, rooms_in,
};

/// The instant of a text like `2025-03-04T15:00:00Z`.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// The date of a text like `2025-03-04`.
pub fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// What a device says about its action, with one word of its own.
pub fn says(execution: Execution, finished: Finished) -> Feedback {
    Feedback {
        execution,
        finished,
        details: vec!["A word of the device.".to_owned()],
    }
}
