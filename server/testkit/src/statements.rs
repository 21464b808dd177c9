//! The SQL that runs, as sqlx tells it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Hears every statement that sqlx runs.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Statements {
    /// What was heard since the last time.
    pub fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().expect("a lock"))
    }
}

impl tracing::field::Visit for Statements {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        // A short statement stands in the summary only.
        if (field.name() == "db.statement" || field.name() == "summary") && !value.is_empty() && !value.ends_with('…')
        {
            self.0.lock().expect("a lock").insert(value.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
