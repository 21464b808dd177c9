//! The device API on the real router: every point of docs/devices.md section 2, and what surrounds it (SPEC A4, W1, W5, K1, K3–K5, G5). A file
//! a noun; here stands what several of them need.

mod actions;
mod addresses;
mod artifacts;
mod bodies;
mod facts;
mod inventory;
mod polls;
mod reports;
mod settings;
mod tokens;
mod windows;

use serde_json::Value;

const DEVICE: &str = "lab-1";
const ROOM: &str = "Lab";

fn download_link(work: &Value) -> String {
    let artifact = &work["deployment"]["chunks"][0]["artifacts"][0];
    artifact["_links"]["download-http"]["href"]
        .as_str()
        .unwrap_or_else(|| panic!("no artifact: {work}"))
        .to_owned()
}

fn sleep_of(poll: &Value) -> u32 {
    let text = poll["config"]["polling"]["sleep"].as_str().expect("a sleep");
    let parts: Vec<u32> = text.split(':').map(|part| part.parse().expect("a number")).collect();
    let [hours, minutes, seconds] = parts[..] else {
        panic!("{text} is not HH:MM:SS")
    };
    assert_eq!(text.len(), 8, "{text}");
    assert!(hours < 24 && minutes < 60 && seconds < 60, "{text}");
    hours * 3600 + minutes * 60 + seconds
}
