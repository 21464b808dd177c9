//! What holds for use cases by their types, before any of them runs.

use chrono::NaiveDate;
use domain::deployment::Force;
use domain::freeze::FreezeScope;
use domain::ids::{FreezeId, ProductId, RingId, RoomId, UpdateId};
use domain::update::Severity;
use service::settings::OrganisationDraft;
use service::{Actor, RoomChoice, RoomScope, RoomsFile, Service};

fn is_send<T: Send>(_: T) {}

#[test]
fn changes_can_be_spawned_on_any_thread() {
    // The compiler is what proves it. Nothing is called.
    let _ = |service: &Service, actor: &Actor, update: UpdateId, date: NaiveDate| {
        let scope = RoomScope::All;
        is_send(service.pause(actor, update, "".into(), Some(date)));
        is_send(service.force(actor, update, &scope, Force::Now, "".into()));
        is_send(service.retry_all_failed(actor, update));
        is_send(service.force_plan(actor, update, &scope, Force::Now));
        is_send(service.acknowledge(actor, update, "".into()));
        is_send(service.freeze(actor, FreezeScope::Organisation, date, date, "".into()));
        is_send(service.freeze_plan(actor, FreezeScope::Organisation, date, date));
    };
    let _ = |service: &Service, actor: &Actor, product: &ProductId, update: UpdateId| {
        is_send(service.publish(actor, product, "", None));
        is_send(service.publish_plan(actor, update, Severity::Routine));
        is_send(service.recall(actor, product, "", "".into()));
    };
    let _ = |service: &Service, actor: &Actor, update: UpdateId, room: RoomId| {
        is_send(service.retry(actor, update, room));
        is_send(service.cancel(actor, update, room, "".into()));
    };
    let _ = |service: &Service, actor: &Actor, which: &RoomChoice, ring: RingId, freeze: FreezeId| {
        is_send(service.move_rooms(actor, which, None, ring));
        is_send(service.delete_ring(actor, ring, None));
        is_send(service.lift_freeze(actor, freeze, "".into()));
    };
    let _ = |service: &Service, actor: &Actor, draft: &OrganisationDraft, file: &RoomsFile| {
        is_send(service.edit_settings(actor, "", draft));
        is_send(service.import_rooms(actor, file));
    };
}
