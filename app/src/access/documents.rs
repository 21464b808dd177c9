//! Documents for people who are not signed in: written by the server, complete, and without scripts.

use leptos::prelude::*;
use service::people::LONGEST_EMAIL;
use service::{LONGEST_PASSWORD, SHORTEST_PASSWORD};

/// The sign-in page. `next`: where it leads; `email`: what was typed before; `problem`: what was wrong with it.
#[must_use]
pub fn sign_in(organisation: &str, next: &str, email: &str, problem: Option<&str>) -> String {
    let form = view! {
        <form method="post" action="/sign-in">
            <input type="hidden" name="next" value=next.to_owned() />
            {email_field(email, true)}
            {password_field("current-password", 0)}
            <button class="btn btn--primary" type="submit">
                "Sign in"
            </button>
        </form>
        <p class="signin-foot">"Forgot your password? Ask an admin of your organisation for a reset link."</p>
    };
    document(
        "Sign in",
        &format!("{organisation}, room updates"),
        problem,
        form.into_any(),
    )
}

/// The page behind the link that the first start prints (A2).
#[must_use]
pub fn first_admin(action: &str, name: &str, email: &str, problem: Option<&str>) -> String {
    let form = view! {
        <form method="post" action=action.to_owned()>
            {field(
                &Field {
                    label: "Your name",
                    name: "name",
                    kind: "text",
                    value: name,
                    length: (0, 100),
                    autocomplete: "name",
                    first: true,
                },
            )}
            {email_field(email, false)}
            {new_password()}
            <button class="btn btn--primary" type="submit">
                "Create the first admin"
            </button>
        </form>
    };
    document(
        "Welcome to Nightshift",
        "Nobody has an account yet. Make yours.",
        problem,
        form.into_any(),
    )
}

/// The page behind a one-time link to an account.
#[must_use]
pub fn choose_password(action: &str, email: &str, problem: Option<&str>) -> String {
    let form = view! {
        <form method="post" action=action.to_owned()>
            <input type="hidden" name="email" value=email.to_owned() autocomplete="username" />
            {new_password()}
            <button class="btn btn--primary" type="submit">
                "Save the password"
            </button>
        </form>
    };
    document("Choose a password", &format!("For {email}."), problem, form.into_any())
}

/// A page that says one thing, and leads to the sign-in.
#[must_use]
pub fn notice(title: &str, text: &str) -> String {
    let leads_on = view! {
        <p>
            <a class="btn" href="/sign-in">
                "Sign in"
            </a>
        </p>
    };
    document(title, text, None, leads_on.into_any())
}

/// A form that could not be taken, with its fields still in it, to be sent once more: nothing that was typed is lost.
#[must_use]
pub fn send_again(action: &str, problem: &str, is_signed_out: bool, fields: &[(String, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| view! { <input type="hidden" name=name.clone() value=value.clone() /> }.into_any());
    let sign_in = is_signed_out.then(|| {
        view! {
            <p>
                <a href="/sign-in" target="_blank">
                    "Sign in in another tab"
                </a>
                " first."
            </p>
        }
        .into_any()
    });
    let form = view! {
        {sign_in}
        <form method="post" action=action.to_owned()>
            {fields.collect_view()}
            <button class="btn btn--primary" type="submit">
                "Send it again"
            </button>
        </form>
    };
    let below = "What you have typed is kept on this page.";
    document("Not accepted yet", below, Some(problem), form.into_any())
}

/// A field of a form here.
struct Field<'a> {
    label: &'static str,
    name: &'static str,
    /// As `type` of an input has it.
    kind: &'static str,
    value: &'a str,
    /// Fewest and most characters.
    length: (usize, usize),
    /// What browsers fill in.
    autocomplete: &'static str,
    /// It is where people begin.
    first: bool,
}

fn field(field: &Field<'_>) -> AnyView {
    let id = format!("f-{}", field.name);
    let (shortest, longest) = field.length;
    let hint = (shortest > 0).then(|| format!("At least {shortest} characters."));
    let hint_id = hint.as_ref().map(|_| format!("{id}-hint"));
    let shortest = (shortest > 0).then(|| shortest.to_string());
    view! {
        <div class="field">
            <label for=id.clone()>{field.label}</label>
            <input
                class="input"
                id=id
                name=field.name
                type=field.kind
                value=field.value.to_owned()
                minlength=shortest
                maxlength=longest.to_string()
                autocomplete=field.autocomplete
                aria-describedby=hint_id.clone()
                required
                autofocus=field.first
            />
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> }.into_any())}
        </div>
    }
    .into_any()
}

/// The name of an account.
fn email_field(email: &str, first: bool) -> AnyView {
    field(&Field {
        label: "E-mail",
        name: "email",
        kind: "email",
        value: email,
        length: (0, LONGEST_EMAIL),
        autocomplete: "username",
        first,
    })
}

fn password_field(autocomplete: &'static str, shortest: usize) -> AnyView {
    field(&Field {
        label: "Password",
        name: "password",
        kind: "password",
        value: "",
        length: (shortest, LONGEST_PASSWORD),
        autocomplete,
        first: false,
    })
}

fn new_password() -> AnyView {
    password_field("new-password", SHORTEST_PASSWORD)
}

fn document(title: &str, below: &str, problem: Option<&str>, content: AnyView) -> String {
    let problem = problem.map(|problem| {
        view! {
            <div class="msg msg--error" role="alert">
                <p>{problem.to_owned()}</p>
            </div>
        }
        .into_any()
    });
    let body = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>{format!("{title} - Nightshift")}</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href="/pkg/nightshift.css" />
            </head>
            <body class="signin">
                <main class="signin-form" id="main">
                    <p class="signin-brand">
                        <svg class="brand-mark" viewBox="0 0 24 24" aria-hidden="true">
                            <path class="brand-ring" d="M12.9 4.2A8.2 8.2 0 1 0 19.8 11.1"></path>
                            <path class="brand-moon" d="M20.4 7.6A4.6 4.6 0 1 1 16 2a3.8 3.8 0 0 0 4.4 5.6Z"></path>
                        </svg>
                        "Nightshift"
                    </p>
                    <div class="title-block">
                        <h1>{title.to_owned()}</h1>
                        <p class="muted">{below.to_owned()}</p>
                    </div>
                    {problem}
                    {content}
                </main>
                <aside class="signin-art" aria-hidden="true">
                    <svg viewBox="0 0 840 840" preserveAspectRatio="xMidYMid slice">{orbits()}</svg>
                </aside>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", body.to_html())
}

/// Rings of rooms around the night: the inner ones are done.
fn orbits() -> AnyView {
    const CENTRE: f64 = 420.0;
    let ring = |(index, (radius, dots)): (usize, (f64, u32))| {
        let dots = (0..dots).map(move |dot| {
            let angle = std::f64::consts::TAU * f64::from(dot) / f64::from(dots);
            let class = if index < 2 { "dot-done" } else { "dot-wait" };
            let (x, y) = (CENTRE + radius * angle.sin(), CENTRE - radius * angle.cos());
            view! { <circle class=class cx=format!("{x:.1}") cy=format!("{y:.1}") r="5.5"></circle> }.into_any()
        });
        view! {
            <circle class="orbit" cx="420" cy="420" r=radius.to_string()></circle>
            {dots.collect_view()}
        }
    };
    let rings = [(100.0, 6), (180.0, 12), (290.0, 28), (380.0, 20)];
    rings.into_iter().enumerate().map(ring).collect_view().into_any()
}
