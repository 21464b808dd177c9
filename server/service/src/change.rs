//! The one way in which a person changes something: right, facts with their locks, the clock, the decision, what it writes, the audit,
//! commit; and only then whoever waits hears of it.
//!
//! [`change!`](change) keeps this order by its shape. The facts come from rows, the decision from the domain: a use case brings the two
//! together and decides nothing itself.

/// Changes something: `change!(self, actor, act, |tx| { facts }, |facts, now| { decision })`.
///
/// `facts` is a block that loads, and locks what it loads; it runs again with everything after it when another transaction was faster.
/// `decision` gives `(changes, journal)`: what is written, and a closure that makes the audit's entry, and the value of the use case,
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
            let journaled: $crate::error::Result<(store::AuditEntry, _)> = journal(&applied);
            let (entry, value) = journaled?;
            $tx.add_audit($now, &entry).await?;
            Ok::<_, $crate::error::ServiceError>(value)
        })?;
        service.wake();
        Ok(value)
    }};
}
pub(crate) use change;
