//! How to read the pictures.

use leptos::prelude::*;

/// An entry of a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegendEntry {
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
    /// A night's rooms whose window opens next.
    Tonight,
    /// Paused here.
    Paused,
    /// A ring's rollout, in the 60-day picture.
    Rollout,
    /// A ring's test, in the 60-day picture.
    Test,
    /// Days that remain, in the 60-day picture.
    Remaining,
}

/// The legend with some entries.
#[component]
pub fn Legend(
    /// What the picture is called: `ring track`.
    of: &'static str,
    /// The entries in order.
    entries: Vec<LegendEntry>,
) -> impl IntoView {
    let entries = entries
        .into_iter()
        .map(|entry| view! { <li inner_html=picture_and_word(entry)></li> }.into_any());
    view! {
        <ul class="legend" aria-label=format!("How to read the {of}")>
            {entries.collect_view()}
        </ul>
    }
}

/// Picture and word. `x` and width of outlines come from the stylesheet.
fn picture_and_word(entry: LegendEntry) -> &'static str {
    match entry {
        LegendEntry::Installed => {
            r#"<svg class="legend-pic" width="22" height="14" aria-hidden="true"><rect class="t-done ring-5" y="1" width="22" height="12" rx="3"/></svg> Installed"#
        }
        LegendEntry::Failed => {
            r#"<svg class="legend-pic" width="10" height="18" aria-hidden="true"><rect class="t-fail" x="2" width="6" height="18" rx="2"/></svg> Failed"#
        }
        LegendEntry::Waiting => {
            r#"<svg class="legend-pic" width="22" height="14" aria-hidden="true"><rect class="t-wait" y="1" height="12" rx="3"/></svg> Waiting"#
        }
        LegendEntry::TestDays => {
            r#"<svg class="legend-pic ring-5" width="26" height="14" aria-hidden="true"><line class="t-tested" x1="0" x2="12" y1="7" y2="7"/><line class="t-test" x1="12" x2="26" y1="7" y2="7"/></svg> Test days"#
        }
        LegendEntry::Today => {
            r#"<svg class="legend-pic" width="9" height="18" aria-hidden="true"><line class="t-now" x1="4.5" x2="4.5" y1="3" y2="18"/><circle class="t-moon" cx="4.5" cy="4" r="3.5"/></svg> Today"#
        }
        LegendEntry::Tonight => {
            r#"<svg class="legend-pic" width="22" height="14" aria-hidden="true"><rect class="t-wait t-tonight" x="1" y="1" width="20" height="12" rx="3"/></svg> Tonight"#
        }
        LegendEntry::Paused => {
            r#"<svg class="legend-pic" width="14" height="20" aria-hidden="true"><line class="t-now t-now--paused" x1="7" x2="7" y1="7" y2="20"/><g class="t-pause"><circle cx="7" cy="7" r="7"/><line x1="7" x2="7" y1="4" y2="10"/></g></svg> Paused"#
        }
        LegendEntry::Rollout => {
            r#"<svg class="legend-pic" width="22" height="14" aria-hidden="true"><rect class="b-roll ring-5" y="1" width="22" height="12" rx="3"/></svg> Rollout"#
        }
        LegendEntry::Test => {
            r#"<svg class="legend-pic ring-5" width="22" height="14" aria-hidden="true"><rect class="b-test" y="1" height="12" rx="3"/></svg> Test"#
        }
        LegendEntry::Remaining => {
            r#"<svg class="legend-pic" width="22" height="14" aria-hidden="true"><rect class="b-left" y="1" height="12" rx="3"/></svg> Remaining"#
        }
    }
}
