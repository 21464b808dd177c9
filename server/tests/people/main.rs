//! People on the real router: the first admin, signing in and out, sessions, roles, forms from elsewhere, and the audit that
//! nobody can rewrite (SPEC A1–A3). A file a noun; here stands how a browser signs in.

mod accounts;
mod audit;
mod forms;
mod sessions;

use reqwest::header::{HeaderMap, SET_COOKIE};
use testkit::visitor::{Page, Visitor};

/// The cookie that an answer sets, with its attributes.
fn set_cookie(headers: &HeaderMap) -> String {
    let cookies = headers.get_all(SET_COOKIE).iter();
    let cookies: Vec<&str> = cookies.filter_map(|cookie| cookie.to_str().ok()).collect();
    cookies.join("\n")
}

async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Page {
    visitor
        .post(
            "/sign-in",
            &[("email", email), ("password", password), ("next", "/rooms")],
        )
        .await
}

async fn is_in(visitor: &Visitor) -> bool {
    match visitor.get("/api/account").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}
