//! The ways in which a person changes something, and sees before what a change would do.
//!
//! - [`change!`](change) is for what the domain decides: right, facts with their locks, the clock, the decision, what it writes, the
//!   audit, commit. The facts come from rows, the decision from the domain: a use case brings the two together and decides nothing itself.
//! - [`change_in_pages!`](change_in_pages) keeps the same order for any number of rooms.
//! - [`change_records!`](change_records) is for records over which the domain decides nothing, such as rooms, tickets, people and
//!   products: right, the clock, the records, the audit, commit. The use case checks and writes them itself. It must not decide what
//!   follows for a rollout: it has the planner look again. One exception: a retired room, and a room or a site with another zone, take
//!   back what is prepared themselves, because no device may start it before the planner has looked.
//! - [`preview!`](preview) decides as a change does, on a reading transaction. It writes nothing.
//!
//! The first three run in one `store::write!` and wake the tick after the commit. All are macros, because a closure that borrows the
//! transaction makes a future that is not `Send`.

/// Changes something: `change!(self, actor, act, |tx| { facts }, |facts, now| { decision })`.
///
/// `facts` is a block that loads, and locks what it loads; it runs again with everything after it when another transaction was faster.
/// `decision` gives `(changes, journal)`: what is written, and a closure that makes the audit's entries, and the value of the use case,
/// of how many rows that were. Either may refuse; nothing is written then.
macro_rules! change {
    ($service:expr, $actor:expr, $act:expr, |$tx:ident| $facts:block, |$loaded:pat_param, $now:ident| $decision:block) => {{
        let service = $service;
        $actor.may($act)?;
        let value = store::write!(service.store, $tx => {
            let $loaded = $facts;
            // Not before the facts are locked: a start that was a little faster must not look later than the change (law E).
            let $now = service.clock.now();
            let (changes, journal) = $decision;
            let applied = $tx.apply(&changes, &[], $now).await?;
            let journaled: $crate::error::Result<(Vec<store::AuditEntry>, _)> = journal(&applied);
            let (entries, value) = journaled?;
            $tx.add_audits($now, &entries).await?;
            Ok::<_, $crate::error::ServiceError>(value)
        })?;
        service.wake();
        Ok(value)
    }};
}
pub(crate) use change;

/// Changes something in any number of rooms, page by page in one transaction:
/// `change_in_pages!(self, actor, act, |tx| { facts }, |facts, now, done: Done| { page }, { journal })`.
///
/// `facts` is a block as in [`change!`](change); the clock is read once after it. `page` is a block that loads the rooms after those that
/// are done, decides, adds to `done`, and gives the changes of this page; `None`: no room is left. `journal` gives `(entries, value)`.
macro_rules! change_in_pages {
    (
        $service:expr, $actor:expr, $act:expr,
        |$tx:ident| $facts:block, |$loaded:pat_param, $now:ident, $done:ident: $type:ty| $page:block, $journal:block
    ) => {{
        let service = $service;
        $actor.may($act)?;
        let value = store::write!(service.store, $tx => {
            let $loaded = $facts;
            let $now = service.clock.now();
            let mut $done = <$type>::default();
            while let Some(changes) = $page {
                $tx.apply(&changes, &[], $now).await?;
            }
            let (entries, value): (Vec<store::AuditEntry>, _) = $journal;
            $tx.add_audits($now, &entries).await?;
            Ok::<_, $crate::error::ServiceError>(value)
        })?;
        service.wake();
        Ok(value)
    }};
}
pub(crate) use change_in_pages;

/// Changes records over which the domain decides nothing: `change_records!(self, actor, act, |tx, now| { (entries, value) })`.
///
/// The block checks, writes, and gives the audit's entries and the value of the use case. It runs again, with the clock read again, when
/// another transaction was faster. If it refuses, nothing is written. If nothing has changed, it gives no entries.
///
/// Work that takes long, such as hashing a password, comes before the transaction. Such a use case asks for the right itself first.
macro_rules! change_records {
    ($service:expr, $actor:expr, $act:expr, |$tx:ident, $now:ident| $block:block) => {{
        let service = $service;
        $actor.may($act)?;
        let value = store::write!(service.store, $tx => {
            let $now = service.clock.now();
            let (entries, value): (Vec<store::AuditEntry>, _) = $block;
            $tx.add_audits($now, &entries).await?;
            Ok::<_, $crate::error::ServiceError>(value)
        })?;
        service.wake();
        Ok::<_, $crate::error::ServiceError>(value)
    }};
}
pub(crate) use change_records;

/// What a change would do (K9): `preview!(self, actor, act, |tx| { facts }, |facts, now| { what would follow })`. The facts are read
/// without locks, and nothing is written.
macro_rules! preview {
    ($service:expr, $actor:expr, $act:expr, |$tx:ident| $facts:block, |$loaded:pat_param, $now:ident| $decision:block) => {{
        let service = $service;
        $actor.may($act)?;
        let mut snapshot = service.store.read().await?;
        let $tx = &mut snapshot;
        let $loaded = $facts;
        let $now = service.clock.now();
        Ok($decision)
    }};
}
pub(crate) use preview;
