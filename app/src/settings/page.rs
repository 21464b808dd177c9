//! The page.

use domain::access::Act;
use domain::lifecycle::CountingRule;
use domain::settings::Mode;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{EditSettings, get_settings};
use crate::components::address;
use crate::components::for_role::ForRole;
use crate::components::page_header::PageHeader;
use crate::components::post_form::{PostForm, SelectField, TextField, ZoneField, posts_to};
use crate::components::resource::json_resource;
use crate::components::show_resource::show_part;
use crate::settings::model::{SettingsFields, SettingsView};

/// Settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    // Not asked again while it is open, for what is typed must stay; but after it was saved, which is in the address.
    let address = use_query_map();
    let saved = Memo::new(move |_| address.with(|address| address::value(address, "as")));
    let settings = json_resource(move || saved.get(), |_| get_settings());
    view! {
        <PageHeader title="Settings" tab=None />
        {show_part(settings, move |view| page(view, &address.get_untracked()))}
    }
    .into_any()
}

fn page(settings: SettingsView, address: &ParamsMap) -> AnyView {
    let SettingsView {
        fields,
        tzdb,
        zones,
        may_change,
    } = settings;
    let fields = typed(fields, address);
    let action = posts_to::<EditSettings>();
    let save = view! {
        <ForRole act=Act::EditSettings>
            <button class="btn btn--primary" type="submit">
                "Save"
            </button>
        </ForRole>
    };
    let halting = halting([
        fields.failed_rooms,
        fields.failed_percent,
        fields.attempted_percent,
        fields.attempted_at_least,
        fields.first_ring_one,
    ]);
    view! {
        <div class="btn-row">
            <a class="btn" href="/settings/freezes">
                "Freezes"
            </a>
            <a class="btn" href="/settings/people">
                "People and roles"
            </a>
            <a class="btn" href="/settings/tokens">
                "Tokens"
            </a>
        </div>
        <PostForm action class="form form--wide" prefix="settings">
            <input type="hidden" name="seen" value=fields.seen />
            <fieldset class="settings" disabled=!may_change>
                {organisation(fields.name, fields.zone, zones, tzdb)}
                {rollouts([fields.start_weekday, fields.mode, fields.automatic_days, fields.starvation_guard])}
                {windows([
                    fields.window_opens,
                    fields.window_minutes,
                    fields.unreachable_after_windows,
                    fields.crowded_after_windows,
                ])}
                {devices([
                    fields.silent_factor,
                    fields.silent_least_minutes,
                    fields.confirm_within_hours,
                    fields.poll_seconds,
                    fields.prepare_minutes,
                ])}
                {halting}
                {losing([fields.refused_windows, fields.fall_back_times, fields.fall_back_days])}
                {rooms([fields.facts_count_hours, fields.unmonitored_minutes, fields.bad_signal_minutes, fields.support_rule])}
            </fieldset>
            {save}
        </PostForm>
    }
    .into_any()
}

/// What was typed in a form that came back, or what is set.
fn typed(known: SettingsFields, address: &ParamsMap) -> SettingsFields {
    if address::value(address, "seen").is_empty() {
        return known;
    }
    let typed = |name: &str| address::value(address, name);
    SettingsFields {
        seen: typed("seen"),
        name: typed("name"),
        zone: typed("zone"),
        start_weekday: typed("start_weekday"),
        window_opens: typed("window_opens"),
        window_minutes: typed("window_minutes"),
        mode: typed("mode"),
        automatic_days: typed("automatic_days"),
        starvation_guard: typed("starvation_guard"),
        unreachable_after_windows: typed("unreachable_after_windows"),
        silent_factor: typed("silent_factor"),
        silent_least_minutes: typed("silent_least_minutes"),
        confirm_within_hours: typed("confirm_within_hours"),
        crowded_after_windows: typed("crowded_after_windows"),
        poll_seconds: typed("poll_seconds"),
        prepare_minutes: typed("prepare_minutes"),
        support_rule: typed("support_rule"),
        facts_count_hours: typed("facts_count_hours"),
        unmonitored_minutes: typed("unmonitored_minutes"),
        bad_signal_minutes: typed("bad_signal_minutes"),
        failed_rooms: typed("failed_rooms"),
        failed_percent: typed("failed_percent"),
        attempted_percent: typed("attempted_percent"),
        attempted_at_least: typed("attempted_at_least"),
        first_ring_one: typed("first_ring_one"),
        refused_windows: typed("refused_windows"),
        fall_back_times: typed("fall_back_times"),
        fall_back_days: typed("fall_back_days"),
    }
}

fn organisation(name: String, zone: String, zones: Vec<String>, tzdb: String) -> AnyView {
    view! {
        <section aria-labelledby="h-organisation">
            <h2 id="h-organisation">"Organisation"</h2>
            <div class="field-row">
                <TextField label="Name" name="name" value=name longest=100 hint="As the top bar shows it." />
                <ZoneField label="Time zone" value=zone zones hint="Days of a rollout are days in it." />
            </div>
            <p class="muted">{format!("Time zone rules in use: {tzdb}.")}</p>
        </section>
    }
    .into_any()
}

fn rollouts([weekday, mode, days, guard]: [String; 4]) -> AnyView {
    let weekdays = [
        ("Mon", "Monday"),
        ("Tue", "Tuesday"),
        ("Wed", "Wednesday"),
        ("Thu", "Thursday"),
        ("Fri", "Friday"),
        ("Sat", "Saturday"),
        ("Sun", "Sunday"),
    ];
    let weekdays = weekdays.map(|(word, label)| (word.to_owned(), label.to_owned()));
    let modes = Mode::ALL.map(|mode| (mode.as_str().to_owned(), mode.label().to_owned()));
    let on = guard == "true";
    view! {
        <section aria-labelledby="h-rollouts">
            <h2 id="h-rollouts">"Rollouts"</h2>
            <div class="field-row">
                <SelectField
                    label="Start day"
                    name="start_weekday"
                    value=weekday
                    choices=weekdays.to_vec()
                    hint="Of routine updates; critical ones start at once."
                />
                <SelectField
                    label="Mode"
                    name="mode"
                    value=mode
                    choices=modes.to_vec()
                    hint="For updates that are published from now on."
                />
                <TextField
                    label="Automatic nights"
                    name="automatic_days"
                    value=days
                    kind="number"
                    hint="In Automatic mode: 1 to 60, over all rooms."
                />
            </div>
            <div class="choice">
                <input
                    type="checkbox"
                    id="starvation-guard"
                    name="starvation_guard"
                    value="true"
                    checked=on
                    aria-describedby="starvation-guard-hint"
                />
                <div>
                    <label for="starvation-guard">"Starvation guard"</label>
                    <p class="hint" id="starvation-guard-hint">
                        "A superseded update that has finished its Staging test continues, ring by ring, until the newer one has caught up."
                    </p>
                </div>
            </div>
        </section>
    }
    .into_any()
}

fn windows([opens, minutes, unreachable, crowded]: [String; 4]) -> AnyView {
    view! {
        <section aria-labelledby="h-windows">
            <h2 id="h-windows">"Windows"</h2>
            <div class="field-row">
                <TextField
                    label="Opens at"
                    name="window_opens"
                    value=opens
                    kind="time"
                    hint="In each room’s local time. Outside the window, only forced installs start."
                />
                <TextField label="Minutes" name="window_minutes" value=minutes kind="number" hint="60 to 1440, within one date." />
            </div>
            <div class="field-row">
                <TextField
                    label="Unreachable after, windows"
                    name="unreachable_after_windows"
                    value=unreachable
                    kind="number"
                    hint="Windows without contact, or in which the update was offered and did not start: 1 to 30."
                />
                <TextField
                    label="Windows without space"
                    name="crowded_after_windows"
                    value=crowded
                    kind="number"
                    hint="1 to 30; then the room gets a ticket."
                />
            </div>
        </section>
    }
    .into_any()
}

fn number_field(label: &'static str, name: &'static str, value: String, hint: &'static str) -> AnyView {
    view! { <TextField label name value kind="number" optional=true hint /> }.into_any()
}

fn halting([rooms, percent, share, least, first]: [String; 5]) -> AnyView {
    let choices = [("true", "Yes"), ("false", "No")].map(|(value, label)| (value.to_owned(), label.to_owned()));
    let rooms = number_field(
        "Failed rooms of a ring",
        "failed_rooms",
        rooms,
        "1 to 10000; so many at least …",
    );
    let percent = number_field(
        "Percent of its rooms",
        "failed_percent",
        percent,
        "1 to 100; … and so many percent of the rooms that need the update.",
    );
    let share = number_field(
        "Percent of attempted rooms",
        "attempted_percent",
        share,
        "1 to 100; of the rooms in which the update was tried …",
    );
    let least = number_field(
        "Attempted rooms, at least",
        "attempted_at_least",
        least,
        "1 to 10000; … once it was tried in so many.",
    );
    view! {
        <section aria-labelledby="h-halt">
            <h2 id="h-halt">"Halt rule"</h2>
            <p class="muted">
                "A rollout is paused by rule when too many rooms of a ring have failed. A number that is left empty is switched off."
            </p>
            <div class="field-row field-row--3">
                {rooms} {percent}
                <SelectField
                    label="One is enough in the first ring"
                    name="first_ring_one"
                    value=first
                    choices=choices.to_vec()
                    hint="In the first ring with rooms that need the update."
                /> {share} {least}
            </div>
        </section>
    }
    .into_any()
}

fn losing([refused, times, days]: [String; 3]) -> AnyView {
    view! {
        <section aria-labelledby="h-lost">
            <h2 id="h-lost">"Rooms that refuse or lose an update"</h2>
            <div class="field-row field-row--3">
                <TextField
                    label="Windows after a refusal"
                    name="refused_windows"
                    value=refused
                    kind="number"
                    hint="0 to 30; a device that is busy gets so many further windows before its room has failed."
                />
                <TextField
                    label="Fall-backs until a person looks"
                    name="fall_back_times"
                    value=times
                    kind="number"
                    hint="1 to 20; a room that loses an update so often waits for a person."
                />
                <TextField
                    label="Days for which fall-backs count"
                    name="fall_back_days"
                    value=days
                    kind="number"
                    hint="1 to 366."
                />
            </div>
        </section>
    }
    .into_any()
}

fn rooms([facts, unmonitored, signal, rule]: [String; 4]) -> AnyView {
    let rules = CountingRule::ALL.map(|rule| {
        let label = match rule {
            CountingRule::Releases => "Releases",
            CountingRule::Lines => "Release lines",
        };
        (rule.as_str().to_owned(), label.to_owned())
    });
    view! {
        <section aria-labelledby="h-rooms">
            <h2 id="h-rooms">"Rooms"</h2>
            <p class="muted">
                "What readiness checks demand stands in the " <a href="/rooms/readiness/profile">"readiness profile"</a> "."
            </p>
            <div class="field-row field-row--3">
                <TextField
                    label="Hours for which facts count"
                    name="facts_count_hours"
                    value=facts
                    kind="number"
                    hint="30 to 336; a check that goes by older facts is unknown."
                />
                <TextField
                    label="Minutes until unmonitored"
                    name="unmonitored_minutes"
                    value=unmonitored
                    kind="number"
                    hint="5 to 2880, without a check-in of any device of the room; no fewer than between two polls."
                />
                <TextField
                    label="Minutes of a bad signal"
                    name="bad_signal_minutes"
                    value=signal
                    kind="number"
                    hint="0 to 1440; then the room gets a ticket."
                />
                <SelectField
                    label="Support counts newer"
                    name="support_rule"
                    value=rule
                    choices=rules.to_vec()
                    hint="At most two newer ones may exist; a line is the first two numbers of a version."
                />
            </div>
        </section>
    }
    .into_any()
}

fn devices([factor, least, confirm, poll, prepare]: [String; 5]) -> AnyView {
    view! {
        <section aria-labelledby="h-devices">
            <h2 id="h-devices">"Devices"</h2>
            <div class="field-row">
                <TextField
                    label="Silent after, times"
                    name="silent_factor"
                    value=factor
                    kind="number"
                    hint="1 to 20 times the expected minutes without a report."
                />
                <TextField
                    label="Silent after, at least minutes"
                    name="silent_least_minutes"
                    value=least
                    kind="number"
                    hint="10 to 1440."
                />
                <TextField
                    label="Confirmed within, hours"
                    name="confirm_within_hours"
                    value=confirm
                    kind="number"
                    hint="Until its inventory shows the new version: 1 to 336."
                />
            </div>
            <div class="field-row">
                <TextField
                    label="Check-in every, seconds"
                    name="poll_seconds"
                    value=poll
                    kind="number"
                    hint="Of an idle device: 5 to 86399."
                />
                <TextField
                    label="Prepared before a window, minutes"
                    name="prepare_minutes"
                    value=prepare
                    kind="number"
                    hint="Devices are asked for their configuration this long before a window: 0 to 720."
                />
            </div>
        </section>
    }
    .into_any()
}
