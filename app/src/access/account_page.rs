//! The own account: password and sessions.

use leptos::prelude::*;

use super::api::get_account;
use super::sessions::SessionOwner;
use crate::access::model::AccountView;
use crate::components::page_header::PageHeader;
use crate::components::page_refresh::page_resource;
use crate::components::show_resource::show_part;

/// The own account.
#[component]
pub fn AccountPage() -> impl IntoView {
    let account = page_resource(|| (), |()| get_account());
    view! {
        <PageHeader title="Your account" tab=None />
        {show_part(account, page)}
    }
    .into_any()
}

fn page(account: AccountView) -> AnyView {
    let AccountView {
        name,
        email,
        role,
        sessions,
        shortest_password,
    } = account;
    // Whoever looks at the demo has no account.
    let is_signed_in = !email.is_empty();
    view! {
        <section aria-labelledby="h-you">
            <div class="section-head">
                <h2 id="h-you">"You"</h2>
            </div>
            <dl class="facts facts--wide">
                <dt>"Name"</dt>
                <dd>{name}</dd>
                {is_signed_in
                    .then(|| {
                        view! {
                            <dt>"E-mail"</dt>
                            <dd>{email}</dd>
                        }.into_any()
                    })}
                <dt>"Role"</dt>
                <dd>{role}</dd>
            </dl>
            <p>{crate::search::shortcuts::link()}</p>
            {if is_signed_in {
                view! {
                    <form class="sign-out" method="post" action="/sign-out">
                        <button class="btn" type="submit">
                            "Sign out"
                        </button>
                    </form>
                }
                    .into_any()
            } else {
                view! { <p class="sign-out">"The demo has no sign-in. A button in the demo bar changes the role."</p> }.into_any()
            }}
        </section>
        {is_signed_in.then(|| password(shortest_password))}
        {is_signed_in.then(|| super::sessions::sessions(sessions, SessionOwner::Own))}
    }
    .into_any()
}

fn password(shortest: u32) -> AnyView {
    view! {
        <section aria-labelledby="h-password">
            <div class="section-head">
                <h2 id="h-password">"Password"</h2>
            </div>
            <form class="form" method="post" action="/account/password">
                <div class="field">
                    <label for="old">"Old password"</label>
                    <input
                        class="input"
                        id="old"
                        name="old"
                        type="password"
                        autocomplete="current-password"
                        required
                    />
                </div>
                <div class="field">
                    <label for="new">"New password"</label>
                    <input
                        class="input"
                        id="new"
                        name="new"
                        type="password"
                        autocomplete="new-password"
                        minlength=shortest.to_string()
                        aria-describedby="new-hint"
                        required
                    />
                    <p class="hint" id="new-hint">
                        {format!("At least {shortest} characters. Your other sessions end.")}
                    </p>
                </div>
                <button class="btn btn--primary" type="submit">
                    "Change password"
                </button>
            </form>
        </section>
    }
    .into_any()
}
