//! How to read the pictures.

use leptos::prelude::*;

/// An entry of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEntry {
    /// Rooms with the update.
    Installed,
    /// Rooms in which it failed.
    Failed,
    /// Rooms that wait.
    Waiting,
    /// Test days, passed and to come.
    TestDays,
    /// Now.
    Today,
    /// Paused here.
    Paused,
    /// A ring's rollout, in the 60-day picture.
    Rollout,
    /// A ring's test, in the 60-day picture.
    Test,
    /// Days that remain, in the 60-day picture.
    Remaining,
}

/// The key with some entries.
#[component]
pub fn Key(
    /// What the picture is called: `ring track`.
    of: &'static str,
    /// The entries in order.
    entries: Vec<KeyEntry>,
) -> impl IntoView {
    let entries = entries.into_iter().map(|entry| {
        let (picture, word) = look(entry);
        view! { <li>{picture} {word}</li> }
    });
    view! {
        <ul class="key" aria-label=format!("How to read the {of}")>
            {entries.collect_view()}
        </ul>
    }
}

fn look(entry: KeyEntry) -> (AnyView, &'static str) {
    match entry {
        KeyEntry::Installed => (block("t-done ring-5"), "Installed"),
        KeyEntry::Failed => (failed(), "Failed"),
        KeyEntry::Waiting => (outline("key-pic", "t-wait"), "Waiting"),
        KeyEntry::TestDays => (test_days(), "Test days"),
        KeyEntry::Today => (today(), "Today"),
        KeyEntry::Paused => (paused(), "Paused"),
        KeyEntry::Rollout => (block("b-roll ring-5"), "Rollout"),
        KeyEntry::Test => (outline("key-pic ring-5", "b-test"), "Test"),
        KeyEntry::Remaining => (outline("key-pic", "b-left"), "Remaining"),
    }
}

fn block(class: &'static str) -> AnyView {
    view! {
        <svg class="key-pic" width="22" height="14" aria-hidden="true">
            <rect class=class y="1" width="22" height="12" rx="3"></rect>
        </svg>
    }
    .into_any()
}

/// `x` and width of outlines come from the stylesheet.
fn outline(picture: &'static str, class: &'static str) -> AnyView {
    view! {
        <svg class=picture width="22" height="14" aria-hidden="true">
            <rect class=class y="1" height="12" rx="3"></rect>
        </svg>
    }
    .into_any()
}

fn failed() -> AnyView {
    view! {
        <svg class="key-pic" width="10" height="18" aria-hidden="true">
            <rect class="t-fail" x="2" width="6" height="18" rx="2"></rect>
        </svg>
    }
    .into_any()
}

fn test_days() -> AnyView {
    view! {
        <svg class="key-pic ring-5" width="26" height="14" aria-hidden="true">
            <line class="t-tested" x1="0" x2="12" y1="7" y2="7"></line>
            <line class="t-test" x1="12" x2="26" y1="7" y2="7"></line>
        </svg>
    }
    .into_any()
}

fn today() -> AnyView {
    view! {
        <svg class="key-pic" width="9" height="18" aria-hidden="true">
            <line class="t-now" x1="4.5" x2="4.5" y1="3" y2="18"></line>
            <circle class="t-moon" cx="4.5" cy="4" r="3.5"></circle>
        </svg>
    }
    .into_any()
}

fn paused() -> AnyView {
    view! {
        <svg class="key-pic" width="14" height="20" aria-hidden="true">
            <line class="t-now t-now--paused" x1="7" x2="7" y1="7" y2="20"></line>
            <g class="t-pause">
                <circle cx="7" cy="7" r="7"></circle>
                <line x1="7" x2="7" y1="4" y2="10"></line>
                <line x1="7" x2="7" y1="4" y2="10"></line>
            </g>
        </svg>
    }
    .into_any()
}
