//! What holds for use cases by their types, before any of them runs.

use chrono::NaiveDate;
use domain::deployment::Force;
use domain::freeze::FreezeScope;
use domain::ids::UpdateId;
use service::settings::OrganisationDraft;
use service::{Actor, RoomScope, RoomsFile, Service};

fn is_send<T: Send>(_: T) {}

#[test]
fn changes_can_be_spawned_on_any_thread() {
    // The compiler is what proves it. Nothing is called.
    let _ = |service: &Service, actor: &Actor, update: UpdateId, date: NaiveDate| {
        let scope = RoomScope::All;
        is_send(service.pause(actor, update, "".into(), Some(date)));
        is_send(service.force(actor, update, &scope, Force::Now, "".into()));
        is_send(service.retry_all_failed(actor, update));
        is_send(service.freeze(actor, FreezeScope::Organisation, date, date, "".into()));
    };
    let _ = |service: &Service, actor: &Actor, draft: &OrganisationDraft, file: &RoomsFile| {
        is_send(service.edit_settings(actor, "", draft));
        is_send(service.import_rooms(actor, file));
    };
}
