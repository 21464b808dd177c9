//! The flash message: what came of what was just done, one line above the page, read aloud by screen readers. It goes when another page opens.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icon::Icon;
use super::resource::{empty_view, transition};
use super::show_resource::PageResource;
use crate::components::model::{FlashMessage, FormSuccess, ShellView};

/// The last message in this browser, and its page.
#[derive(Clone, Copy)]
pub struct Flash(RwSignal<Option<(String, FlashMessage)>>);

impl Flash {
    /// Puts it into the context of everything below.
    #[must_use]
    pub fn provide() -> Self {
        let flash = Self(RwSignal::new(None));
        provide_context(flash);
        flash
    }

    /// Has whoever asks run again whenever there is a message.
    pub fn track(self) {
        self.0.track();
    }

    /// Shows it on the page at this address.
    pub fn show(self, done: &FormSuccess) {
        let path = done.to.split(['?', '#']).next().unwrap_or_default().to_owned();
        let message = FlashMessage {
            is_good: true,
            text: done.text.clone(),
            one_time_secret: done.one_time_secret.clone(),
        };
        self.0.set(Some((path, message)));
    }
}

/// Where it stands. What a form without script has brought comes with the shell, once.
#[component]
pub fn FlashLine(
    /// What every page asks for.
    shell: PageResource<ShellView>,
    /// The message of this browser.
    flash: Flash,
) -> impl IntoView {
    let path = use_location().pathname;
    let first_path = path.get_untracked();
    let here = move || {
        flash
            .0
            .get()
            .filter(|(place, _)| *place == path.get())
            .map(|(_, message)| message)
    };
    let brought = move || {
        let first_path = first_path.clone();
        async move {
            let message = shell.await.ok().and_then(|shell| shell.flash);
            let is_first = path.get_untracked() == first_path;
            message.filter(|_| is_first).map_or_else(empty_view, flash_line)
        }
    };
    view! {
        <div class="flash" role="status">
            {move || here().map(flash_line)}
            {transition(brought, empty_view)}
        </div>
    }
}

/// A message above the page's content.
fn flash_line(message: FlashMessage) -> AnyView {
    let FlashMessage {
        is_good,
        text,
        one_time_secret,
    } = message;
    let one_time_secret = one_time_secret.map(|secret| {
        view! {
            <div class="msg msg--warning">
                <div class="msg-body">
                    <p>{secret.why}</p>
                    <p>
                        <code class="one-time-secret">{secret.secret}</code>
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
        {one_time_secret}
    }
    .into_any()
}
