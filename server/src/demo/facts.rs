//! What the demo's Windows computers report of their readiness, from the estate's file (`docs/devices.md` 4).
//!
//! Facts alone: which check they lead to is the product's to find out. Start with [`attributes`].

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Estate, Facts, RoomEntry, WindowsUpdate};

/// Attributes of a device, by name.
pub(super) type Attributes = BTreeMap<String, String>;

/// Names of software that the demo's admins have reviewed, each once for all rooms.
pub(super) fn reviewed_names(estate: &Estate) -> BTreeSet<String> {
    let facts = estate.rooms.iter().filter_map(|room| room.facts.as_ref());
    let software = facts.flat_map(|facts| facts.additional_software.iter().flatten());
    software
        .filter(|software| software.reviewed)
        .map(|software| software.name.clone())
        .collect()
}

/// What the computer of a room reports; empty: the room has none. `reviewed`: [`reviewed_names`].
pub(super) fn attributes(room: &RoomEntry, reviewed: &BTreeSet<String>) -> Attributes {
    let Some(facts) = &room.facts else {
        return Attributes::new();
    };
    let mut told = Attributes::new();
    let mut tell = |name: &str, value: Option<String>| {
        told.extend(value.map(|value| (name.to_owned(), value)));
    };
    tell("device.vendor", facts.expected_oem.clone());
    tell("os.name", Some("Windows".to_owned()));
    tell("os.edition", facts.os_edition.as_deref().map(edition));
    tell("os.channel", facts.os_channel.as_deref().map(channel));
    let image = facts.base_image_oem.as_deref();
    tell("readiness.base_image_oem", image.map(image_maker));
    let sync = facts.logitech_sync.as_ref().map(|sync| match sync.services.as_str() {
        "missing" => "absent".to_owned(),
        services => services.to_owned(),
    });
    tell("readiness.logitech_sync", sync);
    tell("readiness.os_updates", facts.windows_update.as_ref().map(os_updates));
    tell("readiness.store_updates", facts.store_updates.clone());
    let antivirus = facts.antivirus.as_ref();
    let exclusions = antivirus.map(|antivirus| match (&antivirus.product, antivirus.teams_exclusions) {
        (None, _) => "none",
        (Some(_), Some(true)) => "excluded",
        (Some(_), Some(false)) => "not_excluded",
        (Some(_), None) => "unknown",
    });
    tell("readiness.antivirus", exclusions.map(str::to_owned));
    tell(
        "readiness.antivirus_product",
        antivirus.and_then(|antivirus| antivirus.product.clone()),
    );
    tell("readiness.additional_software", software(facts, reviewed));
    tell(
        "readiness.other_change_management",
        facts.other_change_management.as_ref().map(|names| list(names)),
    );
    if facts.store_updates.as_deref() == Some("on") {
        // These have an agent that changes settings when it is asked to (C3).
        tell("agent.version", Some("1.0".to_owned()));
    }
    told
}

fn edition(name: &str) -> String {
    match name {
        "Windows 11 Pro" => "Professional",
        "Windows 10 IoT Enterprise" | "Windows 11 IoT Enterprise" => "IoTEnterprise",
        other => other,
    }
    .to_owned()
}

fn channel(name: &str) -> String {
    match name {
        "General Availability Channel" => "general",
        "Semi-Annual Channel" => "semi_annual",
        "Long Term Servicing Channel" => "long_term",
        other => other,
    }
    .to_owned()
}

fn image_maker(maker: &str) -> String {
    match maker {
        "rebuilt from generic media" => "generic",
        other => other,
    }
    .to_owned()
}

fn os_updates(update: &WindowsUpdate) -> String {
    let managed = update.managed_by.as_deref();
    let words = [
        (!update.enabled, "disabled"),
        (update.wsus_server.is_some(), "wsus"),
        (!update.reachable, "blocked"),
        (managed == Some("group policy"), "gpo"),
        (managed == Some("device management"), "mdm"),
    ];
    let words: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    if words.is_empty() {
        "enabled".to_owned()
    } else {
        words.join(",")
    }
}

/// A review counts for all rooms. A program that nobody has reviewed in one room, although its name is reviewed in another, is another
/// program: it reports its version as well.
fn software(facts: &Facts, reviewed: &BTreeSet<String>) -> Option<String> {
    let names = facts.additional_software.as_ref()?.iter().map(|software| {
        if !software.reviewed && reviewed.contains(&software.name) {
            format!("{} 4.1", software.name)
        } else {
            software.name.clone()
        }
    });
    Some(list(&names.collect::<Vec<_>>()))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
