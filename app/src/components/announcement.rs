//! What came of what was just done: one line above the page, said aloud by screen readers. It goes when another page opens.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::answer::{later, nothing};
use super::icon::Icon;
use super::loaded::Loading;
use crate::model::{Done, Said, ShellView};

/// What was said last in this browser, and on which page.
#[derive(Clone, Copy)]
pub struct Announcement(RwSignal<Option<(String, Said)>>);

impl Announcement {
    /// Puts it into the context of everything below.
    #[must_use]
    pub fn provide() -> Self {
        let announcement = Self(RwSignal::new(None));
        provide_context(announcement);
        announcement
    }

    /// Has whoever asks run again whenever something is said.
    pub fn track(self) {
        self.0.track();
    }

    /// Says it on the page at this address.
    pub fn say(self, done: &Done) {
        let path = done.to.split(['?', '#']).next().unwrap_or_default().to_owned();
        let said = Said {
            is_good: true,
            text: done.text.clone(),
            shown_once: done.shown_once.clone(),
        };
        self.0.set(Some((path, said)));
    }
}

/// Where it stands. What a form without script has brought comes with the shell, once.
#[component]
pub fn Announced(
    /// What every page asks for.
    shell: Loading<ShellView>,
    /// What was said in this browser.
    said: Announcement,
) -> impl IntoView {
    let path = use_location().pathname;
    let first_path = path.get_untracked();
    let here = move || {
        said.0
            .get()
            .filter(|(place, _)| *place == path.get())
            .map(|(_, said)| said)
    };
    let brought = move || {
        let first_path = first_path.clone();
        async move {
            let said = shell.await.ok().and_then(|shell| shell.said);
            let is_first = path.get_untracked() == first_path;
            said.filter(|_| is_first).map_or_else(nothing, message)
        }
    };
    view! {
        <div class="announced" role="status">
            {move || here().map(message)}
            {later(brought, nothing)}
        </div>
    }
}

/// A message above the page's content.
fn message(said: Said) -> AnyView {
    let Said {
        is_good,
        text,
        shown_once,
    } = said;
    let shown_once = shown_once.map(|once| {
        view! {
            <div class="msg msg--warning">
                <div class="msg-body">
                    <p>{once.why}</p>
                    <p>
                        <code class="shown-once">{once.secret}</code>
                    </p>
                </div>
            </div>
        }
        .into_any()
    });
    let (class, role, icon) = if is_good {
        ("msg msg--success", None, "check")
    } else {
        ("msg msg--error", Some("alert"), "error-f")
    };
    view! {
        <div class=class role=role>
            <Icon name=icon />
            <p>{text}</p>
        </div>
        {shown_once}
    }
    .into_any()
}
