//! Documents for people who are not signed in: written by the server, complete, and without scripts.

use leptos::prelude::*;

/// The sign-in page. `next`: where it leads; `email`: what was typed before; `problem`: what was wrong with it.
#[must_use]
pub fn sign_in(organisation: &str, next: &str, email: &str, problem: Option<&str>) -> String {
    let form = view! {
        <form method="post" action="/sign-in">
            <input type="hidden" name="next" value=next.to_owned() />
            <div class="field">
                <label for="email">"E-mail"</label>
                <input
                    class="input"
                    id="email"
                    name="email"
                    type="email"
                    value=email.to_owned()
                    autocomplete="username"
                    required
                    autofocus
                />
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input
                    class="input"
                    id="password"
                    name="password"
                    type="password"
                    autocomplete="current-password"
                    required
                />
            </div>
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
            <div class="field">
                <label for="name">"Your name"</label>
                <input
                    class="input"
                    id="name"
                    name="name"
                    value=name.to_owned()
                    maxlength="100"
                    autocomplete="name"
                    required
                    autofocus
                />
            </div>
            <div class="field">
                <label for="email">"E-mail"</label>
                <input
                    class="input"
                    id="email"
                    name="email"
                    type="email"
                    value=email.to_owned()
                    maxlength="200"
                    autocomplete="username"
                    required
                />
            </div>
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

fn new_password() -> AnyView {
    let shortest = service::people::SHORTEST_PASSWORD;
    view! {
        <div class="field">
            <label for="password">"Password"</label>
            <input
                class="input"
                id="password"
                name="password"
                type="password"
                autocomplete="new-password"
                minlength=shortest.to_string()
                aria-describedby="password-hint"
                required
            />
            <p class="hint" id="password-hint">
                {format!("At least {shortest} characters.")}
            </p>
        </div>
    }
    .into_any()
}

fn document(title: &str, below: &str, problem: Option<&str>, content: AnyView) -> String {
    let problem = problem.map(|problem| {
        view! {
            <div class="msg msg--error" role="alert">
                <p>{problem.to_owned()}</p>
            </div>
        }
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
            view! { <circle class=class cx=format!("{x:.1}") cy=format!("{y:.1}") r="5.5"></circle> }
        });
        view! {
            <circle class="orbit" cx="420" cy="420" r=radius.to_string()></circle>
            {dots.collect_view()}
        }
    };
    let rings = [(100.0, 6), (180.0, 12), (290.0, 28), (380.0, 20)];
    rings.into_iter().enumerate().map(ring).collect_view().into_any()
}
