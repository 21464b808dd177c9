//! Tokens with which programs fetch exports (A1).

use domain::access::Role;
use leptos::prelude::*;

use super::api::get_tokens;
use super::people_page::roles;
use crate::access::model::{TokenRow, TokensView};
use crate::components::data_table::{Cell, DataTable, Head, NameCell};
use crate::components::empty_state::EmptyState;
use crate::components::page_header::PageHeader;
use crate::components::resource::json_resource;
use crate::components::show_resource::show_part;
use crate::components::time::Time;

/// How long a token lives, unless somebody chooses otherwise.
const DAYS: u16 = 90;

/// The page.
#[component]
pub fn TokensPage() -> impl IntoView {
    // Not asked again while it is open: what is shown once must stay until it is copied.
    let tokens = json_resource(|| (), |()| get_tokens());
    view! {
        <PageHeader
            title="Tokens"
            tab=None
            above=("/settings", "Settings")
            lede="With a token, a program fetches exports without signing in. It may do what its role may."
        />
        {show_part(tokens, page)}
    }
    .into_any()
}

fn page(view: TokensView) -> AnyView {
    let TokensView {
        rows,
        may_change,
        secret,
        example,
        longest_days,
    } = view;
    let secret = secret.map(|secret| {
        view! {
            <div class="msg msg--warning" role="status">
                <div class="msg-body">
                    <p>"Copy this token now. It is not shown again."</p>
                    <p>
                        <code class="one-time-secret">{secret}</code>
                    </p>
                    <p>"A program sends it like this:"</p>
                    <p>
                        <code class="one-time-secret">{example}</code>
                    </p>
                </div>
            </div>
        }
        .into_any()
    });
    let list = if rows.is_empty() {
        let text = "No program has a token.";
        view! { <EmptyState title="No tokens" text clear=None /> }.into_any()
    } else {
        let head = view! {
            <Head label="Name" />
            <Head label="Role" />
            <Head label="Expires" />
            <Head label="Last used" />
            <Head label="Added" />
            {may_change.then(|| view! { <Head label="Revoke it" /> }.into_any())}
        };
        view! {
            <DataTable kind="tokens" caption="Tokens" head=head.into_any()>
                {rows.into_iter().map(|row| token(row, may_change)).collect_view()}
            </DataTable>
        }
        .into_any()
    };
    view! {
        {secret}
        <section aria-label="Tokens">{list}</section>
        {may_change.then(|| add(longest_days))}
    }
    .into_any()
}

fn token(row: TokenRow, may_change: bool) -> AnyView {
    let TokenRow {
        id,
        name,
        role,
        made_by,
        made,
        expires,
        is_expired,
        used,
    } = row;
    let revoke = may_change.then(|| {
        let named = format!("Revoke {name}");
        view! {
            <Cell class="col-act">
                <form method="post" action="/settings/tokens/revoke">
                    <input type="hidden" name="token" value=id />
                    <button class="btn btn--small" type="submit" aria-label=named>
                        "Revoke"
                    </button>
                </form>
            </Cell>
        }
        .into_any()
    });
    let used = match used {
        Some(used) => view! { <Time when=used /> }.into_any(),
        None => view! { <span class="sub">"Never"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <NameCell class="col-name">{name}</NameCell>
            <Cell class="col-role" label="Role">
                {role.label()}
            </Cell>
            <Cell class="col-expires" label="Expires">
                <Time when=expires />
                {is_expired.then(|| view! { <span class="sub">" Expired"</span> }.into_any())}
            </Cell>
            <Cell class="col-used" label="Last used">
                {used}
            </Cell>
            <Cell class="col-made" label="Added">
                <Time when=made />
                <span class="sub">{format!(" by {made_by}")}</span>
            </Cell>
            {revoke}
        </tr>
    }
    .into_any()
}

fn add(longest_days: u16) -> AnyView {
    view! {
        <section aria-labelledby="h-add">
            <div class="section-head">
                <h2 id="h-add">"Add a token"</h2>
            </div>
            <form class="form" method="post" action="/settings/tokens/add">
                <div class="field">
                    <label for="token-name">"Name"</label>
                    <input
                        class="input"
                        id="token-name"
                        name="name"
                        maxlength="100"
                        autocomplete="off"
                        aria-describedby="token-name-hint"
                        required
                    />
                    <p class="hint" id="token-name-hint">
                        "The program and the place that use it: Audit archive, backup host."
                    </p>
                </div>
                <div class="field">
                    <label for="token-role">"Role"</label>
                    <div class="select-wrap">
                        <select class="input select" id="token-role" name="role">
                            {roles(Some(Role::Auditor))}
                        </select>
                    </div>
                </div>
                <div class="field">
                    <label for="token-days">"Days until it expires"</label>
                    <input
                        class="input"
                        id="token-days"
                        name="days"
                        type="number"
                        min="1"
                        max=longest_days.to_string()
                        value=DAYS.to_string()
                        required
                    />
                </div>
                <button class="btn btn--primary" type="submit">
                    "Add a token"
                </button>
            </form>
        </section>
    }
    .into_any()
}
