//! Forms from elsewhere, forms that are too large, and what every answer says to a browser (A2, G5).

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::ORIGIN;
use testkit::visitor::{Page, Visitor};
use testkit::{ADMIN, Engine, House, PASSWORD, both_engines};

use crate::{is_in, sign_in};

both_engines![
    forms_of_other_sites_are_not_taken_a2,
    every_answer_says_what_a_browser_may_do_with_it_a2,
    a_form_is_not_larger_than_it_needs_to_be_g5,
];

async fn forms_of_other_sites_are_not_taken_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let forms = [
        "/sign-out",
        "/settings/people/disable",
        "/account/password",
        "/api/home",
        "/sign-in",
    ];
    for path in forms {
        let from = async |headers: &[(&str, &str)]| {
            let mut request = admin.request(Method::POST, path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            admin.send(request.form(&[("email", ADMIN)])).await.status
        };
        assert_eq!(from(&[]).await, 403, "{path}: from nowhere");
        assert_eq!(from(&[(ORIGIN.as_str(), "https://evil.example")]).await, 403, "{path}");
        assert_eq!(from(&[(ORIGIN.as_str(), "null")]).await, 403, "{path}");
        let lies = [("sec-fetch-site", "cross-site"), (ORIGIN.as_str(), house.base.as_str())];
        assert_eq!(from(&lies).await, 403, "{path}");
        assert_eq!(
            from(&[("sec-fetch-site", "same-site")]).await,
            403,
            "{path}: a neighbour"
        );
    }
    assert!(is_in(&admin).await, "nothing was taken");
    let ours = admin
        .request(Method::POST, "/sign-out")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(admin.send(ours).await.status, 303);
}

async fn every_answer_says_what_a_browser_may_do_with_it_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let text = |page: &Page, name: &str| {
        let value = page.headers.get(name).unwrap_or_else(|| panic!("no {name}"));
        value.to_str().expect("text").to_owned()
    };
    let mut policies = BTreeSet::new();
    for path in [
        "/",
        "/rooms",
        "/rooms",
        "/account",
        "/settings/people",
        "/nowhere",
        "/sign-in",
        "/favicon.svg",
        "/api/home",
    ] {
        let page = admin.get(path).await;
        let policy = text(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{path}: {policy}"
        );
        assert_eq!(text(&page, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text(&page, "referrer-policy"), "same-origin", "{path}");
        assert_eq!(text(&page, "cross-origin-opener-policy"), "same-origin", "{path}");
        if let Some((_, nonce)) = policy.split_once("'nonce-") {
            let nonce = nonce.split('\'').next().expect("its end");
            for script in page.text.split("<script").skip(1) {
                assert!(
                    script.split('>').next().is_some_and(|tag| tag.contains(nonce)),
                    "{path}: {script:.80}"
                );
            }
            assert!(policies.insert(policy.clone()), "{path}: a nonce is used twice");
        } else {
            assert!(!page.text.contains("<script"), "{path}");
        }
    }
    assert!(policies.len() >= 6, "pages have a nonce: {policies:?}");
}

async fn a_form_is_not_larger_than_it_needs_to_be_g5(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    let visitor = Visitor::new(&house.base);
    let page = sign_in(&visitor, ADMIN, &"x".repeat(65 * 1024)).await;
    assert_eq!(page.status, 413);
    // What fits is not hashed as a whole.
    assert_eq!(sign_in(&visitor, ADMIN, &"x".repeat(60 * 1024)).await.status, 401);
    let email = "e".repeat(60 * 1024);
    assert_eq!(sign_in(&visitor, &email, PASSWORD).await.status, 401);
    assert_eq!(
        house
            .database
            .number("SELECT COUNT(*) FROM attempts WHERE length(key) > 250")
            .await,
        0
    );
    for path in [
        "/rooms?q=%00",
        "/incidents?state=%00",
        "/api/rooms/list?query[after]=%00|x",
        "/sign-in?next=%00",
    ] {
        assert_eq!(visitor.get(path).await.status, 400, "{path}");
    }
    assert_eq!(sign_in(&visitor, "a\0b", PASSWORD).await.status, 401);
    for path in ["/account/sessions/end", "/settings/people/add", "/demo/role"] {
        let broken = visitor.post(path, &[("session", "%00")]).await;
        assert!((400..500).contains(&broken.status), "{path}: {}", broken.status);
    }
}
