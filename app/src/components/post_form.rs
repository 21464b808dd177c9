//! Forms that change something (P8): they post to a server function's address, with script and without.
//!
//! With script the answer is read here: what was done is announced, the page asks again, and a refusal stands in the form, beside the
//! field that it names; nothing that was typed is lost. Without script the browser sends the form itself, and the server leads back.
//! It is leptos' `ActionForm` with one client for all functions in place of one each, which the browser would have to load.

use leptos::context::Provider;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlElement, HtmlFormElement, UrlSearchParams};

use super::dialog::{Dialog, closing};
use super::flash::Flash;
use super::icon::Icon;
use super::page_refresh::PageRefresh;
use crate::components::model::FormSuccess;
use crate::error::AppError;

/// The form around a field: what its fields' ids begin with, and why it was refused.
#[derive(Clone, Copy)]
struct FormContext {
    prefix: &'static str,
    refused: RwSignal<Option<AppError>>,
}

/// The address of a server function that changes something.
pub fn posts_to<F>() -> &'static str
where
    F: ServerFn<Output = FormSuccess, Error = AppError>,
{
    F::PATH
}

/// The form.
#[component]
pub fn PostForm(
    /// What it posts to: [`posts_to`].
    action: &'static str,
    #[prop(default = "form")] class: &'static str,
    /// What its fields' ids begin with: a page may have one beside a dialog's.
    #[prop(default = "field")]
    prefix: &'static str,
    /// Whether it is on its way.
    #[prop(default = RwSignal::new(false))]
    pending: RwSignal<bool>,
    /// Fields and a button.
    children: Children,
) -> impl IntoView {
    let refused = RwSignal::new(None::<AppError>);
    let (flash, refresh) = (use_context::<Flash>(), use_context::<PageRefresh>());
    let navigate = use_navigate();
    let send = move |event: SubmitEvent| {
        let Some((form, fields)) = fields_of(&event) else {
            // The browser sends it itself, which leads to the same end.
            return;
        };
        event.prevent_default();
        if pending.get_untracked() {
            return;
        }
        pending.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            match post(action, &fields).await {
                Ok(done) => {
                    if let Some(flash) = flash {
                        flash.show(&done);
                    }
                    navigate(&done.to, closing());
                    // It may stay on the page, for the next one.
                    form.reset();
                    _ = refused.try_set(None);
                    if let Some(refresh) = refresh {
                        refresh.request();
                    }
                }
                Err(error) => {
                    if let AppError::Invalid { field, .. } = &error {
                        focus(&form, field);
                    }
                    // The form may be gone by now.
                    _ = refused.try_set(Some(error));
                }
            }
            _ = pending.try_set(false);
        });
    };
    view! {
        <form class=class method="post" action=action on:submit=send>
            <Provider value=FormContext { prefix, refused }>{move || refused.get().map(problem)} {children()}</Provider>
        </form>
    }
}

/// The input of a field, by the name that a refusal gives it in its sentence.
fn input_of(field: &str) -> &str {
    match field {
        "first date" => "from",
        "last date" => "until",
        "rollout duration" => "rollout_days",
        "test period" => "test_days",
        "expected minutes" => "expected_minutes",
        "target ring" => "to",
        "file name" => "filename",
        "e-mail" => "email",
        "SHA-256" => "sha256",
        other => other,
    }
}

/// Leads to the field that was refused, where the form shows it.
fn focus(form: &HtmlFormElement, field: &str) {
    let field = input_of(field);
    let found = form.query_selector(&format!("[name=\"{field}\"]:not([type=hidden])"));
    if let Some(found) = found
        .ok()
        .flatten()
        .and_then(|found| found.dyn_into::<HtmlElement>().ok())
    {
        _ = found.focus();
    }
}

/// A form in a dialog: a body, and a foot with its button.
#[component]
pub fn FormDialog(
    /// The dialog's title.
    #[prop(into)]
    title: String,
    /// The address of the page without it.
    #[prop(into)]
    close: String,
    /// What it posts to: [`posts_to`].
    action: &'static str,
    /// The words on its button.
    #[prop(into)]
    submit: String,
    /// Its button takes something away.
    #[prop(optional)]
    danger: bool,
    /// Narrower, for one question.
    #[prop(optional)]
    narrow: bool,
    /// What stands below the form, in a form of its own.
    #[prop(optional)]
    after: Option<AnyView>,
    /// The body.
    children: Children,
) -> impl IntoView {
    let pending = RwSignal::new(false);
    let class = if danger { "btn btn--danger" } else { "btn btn--primary" };
    let cancel = close.clone();
    view! {
        <Dialog title close narrow>
            <PostForm action class="dialog-form" prefix="dialog" pending>
                <div class="dialog-body">{children()}</div>
                <div class="dialog-foot">
                    <a class="btn" href=cancel data-noscroll="">
                        "Cancel"
                    </a>
                    <button class=class type="submit" aria-disabled=move || pending.get().then_some("true")>
                        {submit}
                    </button>
                </div>
            </PostForm>
            {after}
        </Dialog>
    }
}

/// A field with its label, what it wants, and what is wrong with it.
#[component]
pub fn Field(
    /// Its name on screen.
    #[prop(into)]
    label: String,
    /// Its name in the form.
    name: &'static str,
    /// What it wants.
    #[prop(optional, into)]
    hint: String,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
    /// The control, given its id and the ids of what describes it.
    control: impl FnOnce(String, String) -> AnyView + 'static,
) -> impl IntoView {
    let context = use_context::<FormContext>();
    let id = format!("{}-{name}", context.map_or("field", |context| context.prefix));
    let (hint_id, problem_id) = (format!("{id}-hint"), format!("{id}-problem"));
    let described = if hint.is_empty() {
        problem_id.clone()
    } else {
        format!("{hint_id} {problem_id}")
    };
    let problem = move || {
        let error = context?.refused.get()?;
        match error {
            AppError::Invalid { field, problem } if input_of(&field) == name => Some(problem),
            _ => None,
        }
    };
    let hint = (!hint.is_empty()).then(|| {
        view! {
            <p class="hint" id=hint_id>
                {hint}
            </p>
        }
        .into_any()
    });
    let shown = move || {
        problem().map(|problem| {
            view! {
                <Icon name="error-f" />
                {problem}
            }
            .into_any()
        })
    };
    let optional = optional.then(|| view! { <span class="opt">" (optional)"</span> }.into_any());
    view! {
        <div class="field">
            <label for=id.clone()>{label} {optional}</label>
            {control(id, described)}
            {hint}
            <p class="field-error" id=problem_id>
                {shown}
            </p>
        </div>
    }
}

/// Words on one line.
#[component]
pub fn TextField(
    /// Its name on screen.
    #[prop(into)]
    label: String,
    /// Its name in the form.
    name: &'static str,
    /// What stands in it.
    #[prop(optional, into)]
    value: String,
    /// What it wants.
    #[prop(optional, into)]
    hint: String,
    /// Most characters.
    #[prop(default = 200)]
    longest: u32,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
    /// `text`, `date`, `number` …
    #[prop(default = "text")]
    kind: &'static str,
    /// It has the focus when its dialog opens.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let control = move |id: String, described: String| {
        view! {
            <input
                class="input"
                id=id
                name=name
                type=kind
                value=value
                maxlength=longest.to_string()
                autocomplete="off"
                aria-describedby=described
                required=!optional
                autofocus=first
            />
        }
        .into_any()
    };
    view! { <Field label name hint optional control /> }
}

/// Words on several lines.
#[component]
pub fn TextArea(
    /// Its name on screen.
    #[prop(into)]
    label: String,
    /// Its name in the form.
    name: &'static str,
    /// What stands in it.
    #[prop(optional, into)]
    value: String,
    /// What it wants.
    #[prop(optional, into)]
    hint: String,
    /// Most characters.
    #[prop(default = 500)]
    longest: u32,
    /// Lines that show.
    #[prop(default = 2)]
    rows: u32,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
    /// It has the focus when its dialog opens.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let text = value.replace('&', "&amp;").replace('<', "&lt;");
    let control = move |id: String, described: String| {
        view! {
            <textarea
                class="input textarea"
                id=id
                name=name
                rows=rows.to_string()
                maxlength=longest.to_string()
                aria-describedby=described
                required=!optional
                autofocus=first
                // As a child it would be marked with a comment, which is text in here.
                inner_html=text
            ></textarea>
        }
        .into_any()
    };
    view! { <Field label name hint optional control /> }
}

/// The reason that a change wants (K3, K5): it stands in the history and in the audit.
#[component]
pub fn ReasonField(
    /// What stands in it.
    #[prop(optional, into)]
    value: String,
    /// It has the focus when its dialog opens.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    view! { <TextArea label="Reason" name="reason" value first hint="Goes into the history and the audit." /> }
}

/// One of several.
#[component]
pub fn SelectField(
    /// Its name on screen.
    #[prop(into)]
    label: String,
    /// Its name in the form.
    name: &'static str,
    /// What is chosen.
    #[prop(into)]
    value: String,
    /// Value and words of each.
    choices: Vec<(String, String)>,
    /// What it wants.
    #[prop(optional, into)]
    hint: String,
) -> impl IntoView {
    let control = move |id: String, described: String| {
        let options = choices.into_iter().map(|(word, label)| {
            let selected = word == value;
            view! {
                <option value=word selected=selected>
                    {label}
                </option>
            }
            .into_any()
        });
        view! {
            <span class="select-wrap">
                <select class="input select" id=id name=name aria-describedby=described>
                    {options.collect_view()}
                </select>
            </span>
        }
        .into_any()
    };
    view! { <Field label name hint control /> }
}

/// An IANA time zone, with those that there are to choose from while it is typed.
#[component]
pub fn ZoneField(
    /// Its name on screen.
    #[prop(into)]
    label: String,
    /// What stands in it.
    #[prop(into)]
    value: String,
    /// Every zone.
    zones: Vec<String>,
    /// What it wants.
    #[prop(default = "As in Europe/London.", into)]
    hint: &'static str,
    /// It may stay empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let control = move |id: String, described: String| {
        let list = format!("{id}-zones");
        let options = zones
            .into_iter()
            .map(|zone| view! { <option value=zone></option> }.into_any());
        view! {
            <input
                class="input"
                id=id
                name="zone"
                value=value
                list=list.clone()
                maxlength="64"
                autocomplete="off"
                aria-describedby=described
                required=!optional
            />
            <datalist id=list>{options.collect_view()}</datalist>
        }
        .into_any()
    };
    view! { <Field label name="zone" hint optional control /> }
}

/// What is wrong with the form as a whole, or with a field that it does not show.
fn problem(error: AppError) -> AnyView {
    let is_signed_out = error == AppError::SignedOut;
    let sign_in = is_signed_out.then(|| {
        view! {
            <p>
                <a href="/sign-in" target="_blank">
                    "Sign in in another tab"
                </a>
                ", then send this again. What you have typed stays."
            </p>
        }
        .into_any()
    });
    view! {
        <div class="msg msg--error" role="alert">
            <Icon name="error-f" />
            <div class="msg-body">
                <p>{error.to_string()}</p>
                {sign_in}
            </div>
        </div>
    }
    .into_any()
}

fn fields_of(event: &SubmitEvent) -> Option<(HtmlFormElement, String)> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let data = FormData::new_with_form(&form).ok()?;
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    Some((form, fields.to_string().as_string()?))
}

async fn post(action: &str, fields: &str) -> Result<FormSuccess, AppError> {
    let network = |error: gloo_net::Error| AppError::Network {
        problem: error.to_string(),
    };
    let request = gloo_net::http::Request::post(action)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(fields)
        .map_err(network)?;
    let answer = request.send().await.map_err(network)?;
    let text = answer.binary().await.map_err(network)?;
    let unreadable = |_| AppError::Network {
        problem: format!("it answered {}", answer.status()),
    };
    if answer.ok() {
        serde_json::from_slice(&text).map_err(unreadable)
    } else {
        Err(serde_json::from_slice(&text).map_err(unreadable)?)
    }
}
