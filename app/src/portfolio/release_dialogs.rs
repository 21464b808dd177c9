//! The dialogs of a release: a new one, its files, publishing it with what would follow (K9), and recalling it (S10).

use domain::ids::UpdateId;
use domain::update::Severity;
use leptos::ev::Event;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::api::{AddOutsideFile, AddRelease, PublishRelease, RecallRelease, RemoveFile, get_release};
use crate::components::address;
use crate::components::dialog::{DIALOG, Dialog, failed, opened};
use crate::components::icon::Icon;
use crate::components::post_form::{
    Field, FormDialog, PostForm, ReasonField, SelectField, TextArea, TextField, posts_to,
};
use crate::portfolio::model::{FileRow, PublishView, ReleaseForm};
use crate::words::count;

/// Words of the dialogs in addresses.
pub(super) const ADD: &str = "add";
pub(super) const FILES: &str = "files";
pub(super) const PUBLISH: &str = "publish";
pub(super) const RECALL: &str = "recall";

/// The dialog of the product's releases that the address opens, if any.
#[component]
pub(super) fn ReleaseDialogs(
    /// The product in the address.
    product: Memo<String>,
) -> impl IntoView {
    let address = use_query_map();
    let key = move || {
        let word = address.with(|address| address::value(address, DIALOG));
        let release = address.with(|address| address::value(address, "release").parse::<UpdateId>().ok());
        let is_ours = word == ADD || ([FILES, PUBLISH, RECALL].contains(&word.as_str()) && release.is_some());
        // After a change of the files, which is in the address, they are asked for again.
        let files = address.with(|address| address::value(address, "as"));
        is_ours.then_some((word, release, files))
    };
    opened(
        key,
        |(word, release, _): (String, Option<UpdateId>, String)| async move {
            match release {
                Some(release) => get_release(release, word == PUBLISH).await.map(Some),
                None => Ok(None),
            }
        },
        move |(word, ..): (String, Option<UpdateId>, String), answer| {
            let close = format!("/portfolio/{}", product.get_untracked());
            let address = address.get_untracked();
            Some(match (word.as_str(), answer) {
                (_, Err(error)) => failed("This release", close, &error),
                (FILES, Ok(Some(form))) => files(form, close, &address),
                (PUBLISH, Ok(Some(form))) => publish(form, close),
                (RECALL, Ok(Some(form))) => recall(&form, close),
                (ADD, Ok(_)) => add(product.get_untracked(), close, &address),
                (_, Ok(_)) => return None,
            })
        },
    )
}

fn severities() -> Vec<(String, String)> {
    vec![
        (
            Severity::Routine.as_str().to_owned(),
            "Routine: waits for the start day".to_owned(),
        ),
        (
            Severity::Critical.as_str().to_owned(),
            "Critical: starts at once".to_owned(),
        ),
    ]
}

fn add(product: String, close: String, address: &ParamsMap) -> AnyView {
    let typed = |name: &str| address::value(address, name);
    let action = posts_to::<AddRelease>();
    let severity = address::typed(address, "severity", Severity::Routine.as_str());
    let (version, released, minutes) = (typed("version"), typed("released"), typed("expected_minutes"));
    let (minimum, models, issues) = (typed("minimum_version"), typed("models"), typed("known_issues"));
    let unknown = typed("applies_to_unknown") == "true";
    view! {
        <FormDialog title="Add a release" close action submit="Add the release">
            <input type="hidden" name="product" value=product />
            <div class="field-row">
                <TextField
                    label="Version"
                    name="version"
                    value=version
                    longest=128
                    first=true
                    hint="As the vendor and the devices write it."
                />
                <TextField label="Released on" name="released" value=released kind="date" optional=true />
            </div>
            <SelectField label="Severity" name="severity" value=severity choices=severities() />
            <div class="field-row">
                <TextField
                    label="Minimum version"
                    name="minimum_version"
                    value=minimum
                    longest=128
                    optional=true
                    hint="A device below it gets a step in between first."
                />
                <TextField
                    label="Expected minutes"
                    name="expected_minutes"
                    value=minutes
                    kind="number"
                    optional=true
                    hint="Empty: as its product."
                />
            </div>
            <TextArea
                label="Device models"
                name="models"
                value=models
                hint="One a line. Empty: all that have the product."
                longest=20_000
                optional=true
            />
            <TextArea label="Known issues" name="known_issues" value=issues hint="One a line." longest=20_000 optional=true />
            <div class="choice">
                <input type="checkbox" id="unknown" name="applies_to_unknown" value="true" checked=unknown />
                <div>
                    <label for="unknown">"Also to devices that do not report their version"</label>
                </div>
            </div>
        </FormDialog>
    }
    .into_any()
}

/// The files of a release: those that it has, and one more, from here or from an outside address.
fn files(form: ReleaseForm, close: String, address: &ParamsMap) -> AnyView {
    let title = format!("Files of {}", form.title);
    let id = form.id.to_string();
    let may_change = !form.published;
    let has_file = !form.files.is_empty();
    let list = if form.files.is_empty() {
        view! { <p class="muted">"It has no file yet. It needs one before it is published."</p> }.into_any()
    } else {
        let files = form.files.into_iter().map(|found| file(found, &id, may_change));
        view! { <ul class="list list--compact">{files.collect_view()}</ul> }.into_any()
    };
    let more = if may_change {
        more(&form.product, &id, address)
    } else {
        view! { <p class="muted">"It is published: its files stay as they are."</p> }.into_any()
    };
    let close_again = close.clone();
    let publish = (may_change && !form.recalled && has_file).then(|| {
        let href = format!("/portfolio/{}?{DIALOG}={PUBLISH}&release={id}", form.product);
        view! {
            <a class="btn btn--primary" href=href data-noscroll="">
                "Publish it"
            </a>
        }
        .into_any()
    });
    view! {
        <Dialog title close>
            <div class="dialog-body">{list} {more}</div>
            <div class="dialog-foot">
                {publish}
                <a class="btn" href=close_again data-noscroll="">
                    "Close"
                </a>
            </div>
        </Dialog>
    }
    .into_any()
}

fn file(file: FileRow, release: &str, may_change: bool) -> AnyView {
    let FileRow {
        filename,
        size,
        sha256,
        url,
    } = file;
    let remove = may_change.then(|| {
        let (action, release, name) = (posts_to::<RemoveFile>(), release.to_owned(), filename.clone());
        let label = format!("Remove {filename}");
        view! {
            <PostForm action class="inline-form" prefix="remove">
                <input type="hidden" name="release" value=release />
                <input type="hidden" name="filename" value=name />
                <button class="btn btn--small" type="submit" aria-label=label>
                    "Remove"
                </button>
            </PostForm>
        }
        .into_any()
    });
    let place = url.unwrap_or_else(|| "on this server".to_owned());
    view! {
        <li>
            <div class="split">
                <b>{filename}</b>
                <span class="split">{size} {remove}</span>
            </div>
            <span class="sub break">{place}</span>
            <span class="sub break">"SHA-256 "<code>{sha256}</code></span>
        </li>
    }
    .into_any()
}

fn more(product: &str, release: &str, address: &ParamsMap) -> AnyView {
    let typed = |name: &str| address::value(address, name);
    let outside = posts_to::<AddOutsideFile>();
    let (here, there) = (
        format!("/portfolio/files?product={product}&release={release}"),
        release.to_owned(),
    );
    let (filename, url, size) = (typed("filename"), typed("url"), typed("size"));
    let (sha256, sha1, md5) = (typed("sha256"), typed("sha1"), typed("md5"));
    let is_open = !url.is_empty();
    view! {
        <h3>"Send a file"</h3>
        <form class="form" method="post" action=here enctype="multipart/form-data">
            <div class="field">
                <label for="release-file">"File"</label>
                <input class="input" type="file" id="release-file" name="file" aria-describedby="release-file-hint" required />
                <p class="hint" id="release-file-hint">
                    "Devices see it under its own name: letters, digits, dot, dash and underscore. It is hashed here."
                </p>
            </div>
            <div class="field">
                <label for="release-sha256">"Its SHA-256, if you know it"</label>
                <input class="input" id="release-sha256" name="sha256" maxlength="64" autocomplete="off" />
            </div>
            <button class="btn btn--primary" type="submit">
                "Send the file"
            </button>
        </form>
        <details class="dialog-after" open=is_open>
            <summary>"Or devices fetch it from an outside address"</summary>
            <PostForm action=outside class="form" prefix="outside">
                <input type="hidden" name="release" value=there />
                <TextField label="File name" name="filename" value=filename longest=128 />
                <TextField label="URL" name="url" value=url longest=2000 />
                <TextField label="Bytes" name="size" value=size kind="number" />
                <TextField label="SHA-256" name="sha256" value=sha256 longest=64 />
                <TextField label="SHA-1" name="sha1" value=sha1 longest=40 />
                <TextField label="MD5" name="md5" value=md5 longest=32 hint="Devices check all three." />
                <button class="btn" type="submit">
                    "Add it"
                </button>
            </PostForm>
        </details>
    }
    .into_any()
}

/// Publishing, with the exact dates that would follow for every ring (K9).
fn publish(form: ReleaseForm, close: String) -> AnyView {
    let title = format!("Publish {}?", form.title);
    let chosen = RwSignal::new(form.severity.as_str().to_owned());
    let plans = form.plans;
    let control = move |id: String, described: String| {
        let options = severities().into_iter().map(|(word, label)| {
            let selected = word == chosen.get_untracked();
            view! {
                <option value=word selected=selected>
                    {label}
                </option>
            }
            .into_any()
        });
        let choose = move |event: Event| chosen.set(event_target_value(&event));
        view! {
            <span class="select-wrap">
                <select class="input select" id=id name="severity" aria-describedby=described autofocus=true on:change=choose>
                    {options.collect_view()}
                </select>
            </span>
        }
        .into_any()
    };
    let refused = plans.iter().find_map(|plan| plan.refused.clone());
    if refused.is_some() && form.files.is_empty() && !form.published && !form.recalled {
        return without_file(title, form.product, form.id, close);
    }
    if let Some(problem) = refused {
        return failed("Publish", close, &crate::error::AppError::Conflict { problem });
    }
    let follows = move || {
        let severity = chosen.get();
        let plan = plans.iter().find(|plan| plan.severity.as_str() == severity);
        plan.cloned().map(plan_view)
    };
    let (action, id) = (posts_to::<PublishRelease>(), form.id.to_string());
    view! {
        <FormDialog title close action submit="Publish">
            <input type="hidden" name="release" value=id />
            <Field label="Severity" name="severity" control />
            <div aria-live="polite">{follows}</div>
            <div class="choice">
                <input type="checkbox" id="beside" name="beside" value="true" aria-describedby="beside-hint" />
                <div>
                    <label for="beside">"Keep older updates going"</label>
                    <p class="hint" id="beside-hint">
                        "It supersedes nothing: older updates of the product continue alongside it, and a room may get both."
                    </p>
                </div>
            </div>
        </FormDialog>
    }
    .into_any()
}

/// What is missing, and the way to it.
fn without_file(title: String, product: String, release: UpdateId, close: String) -> AnyView {
    let files = format!("/portfolio/{product}?{DIALOG}={FILES}&release={release}");
    let cancel = close.clone();
    view! {
        <Dialog title close narrow=true>
            <div class="dialog-body">
                <p>"It has no file yet, and devices would have nothing to install."</p>
            </div>
            <div class="dialog-foot">
                <a class="btn" href=cancel data-noscroll="">
                    "Cancel"
                </a>
                <a class="btn btn--primary" href=files data-noscroll="">
                    "Add a file"
                </a>
            </div>
        </Dialog>
    }
    .into_any()
}

fn plan_view(plan: PublishView) -> AnyView {
    let PublishView {
        starts,
        rings,
        supersedes,
        ..
    } = plan;
    let rings = rings.into_iter().map(|(name, dates, rooms)| {
        view! {
            <li>
                <div class="split">
                    <b>{name}</b>
                    <span>{dates}</span>
                </div>
                <span class="sub">{rooms}</span>
            </li>
        }
        .into_any()
    });
    let older = (!supersedes.is_empty()).then(|| {
        view! {
            <div class="msg msg--warning">
                <Icon name="warning" />
                <p class="msg-body">{format!("It supersedes {}.", supersedes.join(", "))}</p>
            </div>
        }
        .into_any()
    });
    view! {
        <div class="stack">
            <p>{starts}</p>
            <div class="preview">
                <h3>"Dates, and the rooms that need it now"</h3>
                <ul class="list list--compact">{rings.collect_view()}</ul>
            </div>
            {older}
        </div>
    }
    .into_any()
}

fn recall(form: &ReleaseForm, close: String) -> AnyView {
    let title = format!("Recall {}?", form.title);
    let (action, id) = (posts_to::<RecallRelease>(), form.id.to_string());
    let have = match form.rooms {
        0 => "No room has it.".to_owned(),
        rooms => format!("{} it now, and keep it.", count(rooms, "room has", "rooms have")),
    };
    let rollout = form.published.then(|| {
        view! { <p>"Its rollout ends at once: installs that have not started are withdrawn, and devices that are still downloading are asked to stop."</p> }.into_any()
    });
    view! {
        <FormDialog title close action submit="Recall the release" danger=true narrow=true>
            <input type="hidden" name="release" value=id />
            <p>{have}</p>
            {rollout}
            <p>"A recalled release cannot be published again."</p>
            <ReasonField first=true />
        </FormDialog>
    }
    .into_any()
}
