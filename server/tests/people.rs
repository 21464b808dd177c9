//! People on the real router: the first admin, signing in and out, sessions, roles, forms from elsewhere, and the audit that
//! nobody can rewrite (SPEC A1–A3).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::access::Role;
use futures::StreamExt;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue, ORIGIN, SET_COOKIE};
use service::ServiceError;
use service::people::Origin;
use testkit::visitor::{Page, Visitor};
use testkit::{ADMIN, Engine, House, Options, PASSWORD, actor, both_engines};

both_engines!(
    the_first_start_makes_one_link_and_the_link_one_admin_a2,
    people_sign_in_with_a_form_and_out_again_a2,
    signing_out_takes_the_cookie_away_and_may_be_said_twice_a2,
    who_was_disabled_comes_back_with_a_new_password_only_a1_a2,
    a_stolen_token_is_worth_nothing_after_signing_out_a2,
    sessions_end_with_the_password_the_role_and_the_account_a1,
    a_session_ends_unused_after_eight_hours_and_in_any_case_after_a_week_a2,
    wrong_passwords_are_counted_before_they_are_compared_a2,
    an_unknown_name_is_answered_like_a_wrong_password_a2,
    a_link_to_an_account_works_once_and_for_three_days_a2,
    accounts_are_the_admins_affair_a1,
    the_last_admin_stays_one_a1,
    forms_of_other_sites_are_not_taken_a2,
    every_answer_says_what_a_browser_may_do_with_it_a2,
    a_form_is_not_larger_than_it_needs_to_be_g5,
    the_audit_names_the_person_and_the_address_a3,
    the_audit_is_filtered_and_exported_a3,
    the_database_refuses_to_change_the_audit_a3,
    who_rewrites_the_audit_is_found_a3,
    who_cuts_off_the_end_of_the_audit_is_found_a3,
    an_admin_sees_and_ends_the_sessions_of_others_a1,
);

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

async fn the_first_start_makes_one_link_and_the_link_one_admin_a2(engine: Engine) {
    let house = House::new(engine).await;
    let older = house
        .service
        .first_admin_link()
        .await
        .expect("a query")
        .expect("a link");
    let link = house
        .service
        .first_admin_link()
        .await
        .expect("a query")
        .expect("a link");
    let visitor = Visitor::new(&house.base);
    assert_eq!(visitor.get("/").await.leads_to(), "/sign-in?next=%2F");
    assert_eq!(
        visitor.get(&format!("/welcome/{older}")).await.status,
        404,
        "an older link"
    );
    let page = visitor.get(&format!("/welcome/{link}")).await;
    assert!(page.status == 200 && page.text.contains("Make yours."), "{}", page.text);

    let make = async |name, email, password| {
        let fields = [("name", name), ("email", email), ("password", password)];
        visitor.post(&format!("/welcome/{link}"), &fields).await
    };
    for (name, email, password, problem) in [
        ("", ADMIN, PASSWORD, "name"),
        ("Ada", "ada", PASSWORD, "e-mail: it must look like name@example.com"),
        (
            "Ada",
            ADMIN,
            "short",
            "password: must have at least 12 characters, not 5",
        ),
        ("Ada", ADMIN, "password1234", "one of those that everybody tries first"),
    ] {
        let page = make(name, email, password).await;
        assert!(page.status == 422 && page.text.contains(problem), "{}", page.text);
    }
    let made = make("Ada", ADMIN, PASSWORD).await;
    assert_eq!(made.leads_to(), "/");
    let cookie = set_cookie(&made.headers);
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(visitor.get("/").await.status, 200);
    assert_eq!(
        make("Eve", "eve@example.com", PASSWORD).await.status,
        404,
        "it works once"
    );
    assert_eq!(house.service.first_admin_link().await.expect("a query"), None);
    // The link and the password are nowhere, and the session only as a hash.
    let people = house.database.texts("SELECT password FROM people").await;
    assert!(people.len() == 1 && people[0].starts_with("$argon2id$"), "{people:?}");
    assert_eq!(house.database.number("SELECT COUNT(*) FROM links").await, 0);
}

async fn people_sign_in_with_a_form_and_out_again_a2(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    let visitor = Visitor::new(&house.base);
    let wanted = visitor.get("/rooms?site=London").await;
    assert_eq!(wanted.leads_to(), "/sign-in?next=%2Frooms%3Fsite%3DLondon");
    let page = visitor.get(wanted.leads_to()).await;
    assert!(page.text.contains("value=\"/rooms?site=London\""), "{}", page.text);
    let wrong = sign_in(&visitor, ADMIN, "not my password").await;
    assert!(wrong.status == 401 && wrong.text.contains("the e-mail address or the password is wrong"));
    // However it is written.
    let good = sign_in(&visitor, " Ada@Example.COM ", PASSWORD).await;
    assert_eq!(good.leads_to(), "/rooms");
    assert!(visitor.get("/rooms").await.text.contains("Hall"));
    assert_eq!(visitor.post("/sign-out", &[]).await.leads_to(), "/sign-in");
    assert_eq!(visitor.get("/rooms").await.status, 303);
    // It leads nowhere but home.
    for next in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
    ] {
        let fields = [("email", ADMIN), ("password", PASSWORD), ("next", next)];
        assert_eq!(visitor.post("/sign-in", &fields).await.leads_to(), "/", "{next}");
    }
    let behind_https = Options {
        public_url: Some("https://nightshift.example".to_owned()),
        ..Options::default()
    };
    let house = House::with(engine, behind_https).await;
    house.admin().await;
    let visitor = Visitor::new(&house.base);
    let cookie = set_cookie(&sign_in(&visitor, ADMIN, PASSWORD).await.headers);
    assert!(
        cookie.starts_with("__Host-nightshift=") && cookie.contains("Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
}

async fn signing_out_takes_the_cookie_away_and_may_be_said_twice_a2(engine: Engine) {
    let behind_https = Options {
        public_url: Some("https://nightshift.example".to_owned()),
        ..Options::default()
    };
    let house = House::with(engine, behind_https).await;
    house.admin().await;
    let visitor = Visitor::new(&house.base);
    sign_in(&visitor, ADMIN, PASSWORD).await;
    let again = visitor.at(&house.base);
    let cookies = set_cookie(&visitor.post("/sign-out", &[]).await.headers);
    for name in [
        "__Host-nightshift=",
        "__Host-nightshift-flash=",
        "__Host-nightshift-secret=",
    ] {
        let cookie = cookies.lines().find(|line| line.starts_with(name));
        let cookie = cookie.unwrap_or_else(|| panic!("{name} stays: {cookies}"));
        assert!(
            cookie.contains("Secure") && cookie.contains("Max-Age=0"),
            "a browser keeps it: {cookie}"
        );
    }
    assert_eq!(again.post("/sign-out", &[]).await.leads_to(), "/sign-in");
}

async fn who_was_disabled_comes_back_with_a_new_password_only_a1_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let (bo, origin) = ("bo@example.com", Origin::default());
    house.person(bo, Role::Helpdesk).await;
    let link = house.service.reset_link(&actor(), bo.into()).await.expect("a link");
    admin.post("/settings/people/disable", &[("email", bo)]).await;
    let chosen = house
        .service
        .choose_password(&link, "a thief has this link", &origin)
        .await;
    assert!(matches!(chosen, Err(ServiceError::NotFound { .. })), "{chosen:?}");
    let link = house.service.reset_link(&actor(), bo.into()).await.expect("a link");
    let old = house.service.sign_in(bo.into(), PASSWORD, &origin).await;
    assert!(
        matches!(old, Err(ServiceError::Invalid { .. })),
        "the old password is gone"
    );
    for number in 0..20 {
        let guess = house
            .service
            .sign_in(bo.into(), &format!("guess {number}"), &origin)
            .await;
        assert!(guess.is_err(), "{number}");
    }
    let chosen = house
        .service
        .choose_password(&link, "another lamp that hums", &origin)
        .await;
    chosen.expect("a password");
    let new = house
        .service
        .sign_in(bo.into(), "another lamp that hums", &origin)
        .await;
    new.expect("the way that the message names leads in, whatever others have tried");
}

async fn a_stolen_token_is_worth_nothing_after_signing_out_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let thief = admin.at(&house.base);
    assert!(is_in(&thief).await);
    admin.post("/sign-out", &[]).await;
    assert!(!is_in(&thief).await);
    let nobody = Visitor::with_session(&house.base, "");
    assert!(!is_in(&nobody).await && !is_in(&Visitor::with_session(&house.base, "guess")).await);
}

async fn sessions_end_with_the_password_the_role_and_the_account_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let own = async || {
        let signed_in = house
            .service
            .sign_in("bo@example.com".into(), PASSWORD, &Origin::default())
            .await;
        Visitor::with_session(&house.base, &signed_in.expect("a session").token)
    };
    let bo = house.person("bo@example.com", Role::Helpdesk).await;
    // On Postgres at another server: what one has ended, no other one goes on with.
    let base = match engine {
        Engine::Postgres => house.another().await,
        Engine::Sqlite => house.base.clone(),
    };
    let elsewhere = own().await.at(&base);
    assert!(is_in(&elsewhere).await);
    let new = "another lamp that hums";
    let wrong = bo.post("/account/password", &[("old", "no"), ("new", new)]).await;
    assert_eq!(wrong.leads_to(), "/account");
    assert!(
        bo.get("/account")
            .await
            .text
            .contains("old password: it is not the one that you have now")
    );
    assert!(is_in(&elsewhere).await, "nothing has changed");
    bo.post("/account/password", &[("old", PASSWORD), ("new", new)]).await;
    let page = bo.get("/account").await;
    assert!(page.text.contains("Your password was changed"), "{}", page.text);
    assert!(
        !bo.get("/account").await.text.contains("Your password was changed"),
        "said once"
    );
    assert!(!is_in(&elsewhere).await);
    bo.post("/account/password", &[("old", new), ("new", PASSWORD)]).await;

    let elsewhere = own().await.at(&base);
    admin
        .post(
            "/settings/people/role",
            &[("email", "bo@example.com"), ("role", "auditor")],
        )
        .await;
    assert!(!is_in(&bo).await && !is_in(&elsewhere).await, "with the old role");
    let elsewhere = own().await.at(&base);
    admin
        .post("/settings/people/disable", &[("email", "bo@example.com")])
        .await;
    assert!(!is_in(&elsewhere).await, "disabled");
    assert_eq!(
        sign_in(&Visitor::new(&base), "bo@example.com", PASSWORD).await.status,
        401
    );
}

async fn a_session_ends_unused_after_eight_hours_and_in_any_case_after_a_week_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let (idle, clock, start) = (admin.at(&house.base), house.service.clock(), house.now());
    let unused = house.person("bo@example.com", Role::Auditor).await;
    clock.advance_to(start + TimeDelta::hours(8));
    assert!(is_in(&idle).await, "eight hours");
    clock.advance_to(start + TimeDelta::hours(8) + TimeDelta::seconds(1));
    assert!(!is_in(&unused).await, "more than eight hours without a request");
    let start = house.now();
    let busy = house.person("cy@example.com", Role::Helpdesk).await;
    for hours in (0..168).step_by(7) {
        clock.advance_to(start + TimeDelta::hours(hours));
        assert!(is_in(&busy).await, "after {hours} hours");
    }
    clock.advance_to(start + TimeDelta::days(7));
    assert!(is_in(&busy).await, "a week");
    clock.advance_to(start + TimeDelta::days(7) + TimeDelta::seconds(1));
    assert!(!is_in(&busy).await, "more than a week");
}

async fn wrong_passwords_are_counted_before_they_are_compared_a2(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    let visitor = Visitor::new(&house.base);
    // Many at once, so that none of them knows how the others went.
    let tries = futures::stream::iter(0..1000).map(|number| {
        let (service, address) = (&house.service, format!("192.0.2.{}", number % 200));
        let origin = Origin {
            address,
            ..Origin::default()
        };
        async move { service.sign_in(ADMIN.into(), &format!("guess {number}"), &origin).await }
    });
    let compared = tries.buffer_unordered(24).filter(|tried| {
        let is_compared = matches!(tried, Err(ServiceError::Invalid { .. }));
        assert!(
            is_compared || matches!(tried, Err(ServiceError::Conflict { .. })),
            "{tried:?}"
        );
        std::future::ready(is_compared)
    });
    let compared = compared.count().await;
    assert_eq!(compared, 100, "at all addresses together");
    let page = sign_in(&visitor, ADMIN, PASSWORD).await;
    assert!(
        page.status == 409 && page.text.contains("too many attempts"),
        "{}",
        page.text
    );
    house.service.clock().advance_to(house.now() + TimeDelta::minutes(30));
    // A stranger at one address keeps nobody out at another one; all addresses of one subscriber are one.
    for number in 0..20 {
        let stranger = Origin {
            address: format!("2001:db8::{number}"),
            ..Origin::default()
        };
        let tried = house
            .service
            .sign_in(ADMIN.into(), &format!("guess {number}"), &stranger)
            .await;
        let is_compared = matches!(tried, Err(ServiceError::Invalid { .. }));
        assert_eq!(is_compared, number < 10, "{number}: {tried:?}");
    }
    assert_eq!(sign_in(&visitor, ADMIN, PASSWORD).await.leads_to(), "/rooms");
    // Good ones do not count.
    for _ in 0..12 {
        assert_eq!(sign_in(&visitor, ADMIN, PASSWORD).await.leads_to(), "/rooms");
    }
}

async fn an_unknown_name_is_answered_like_a_wrong_password_a2(engine: Engine) {
    let house = House::new(engine).await;
    let visitor = Visitor::new(&house.base);
    house.admin().await;
    house
        .service
        .add_person(&actor(), "Bo".into(), "bo@example.com".into(), Role::Helpdesk)
        .await
        .expect("a link");
    let known = sign_in(&visitor, ADMIN, "not my password").await;
    for other in ["eve@example.com", "bo@example.com"] {
        let page = sign_in(&visitor, other, "not my password").await;
        assert_eq!(
            (page.status, page.text.replace(other, ADMIN)),
            (known.status, known.text.clone())
        );
    }
}

async fn a_link_to_an_account_works_once_and_for_three_days_a2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let fields = [("name", "Bo"), ("email", "bo@example.com"), ("role", "helpdesk")];
    assert_eq!(
        admin.post("/settings/people/add", &fields).await.leads_to(),
        "/settings/people"
    );
    let shown = admin.get("/settings/people").await.text;
    let link = |text: &str| {
        let (_, link) = text.split_once("class=\"one-time-secret\">").expect("a link");
        let (_, path) = link.split_once(&house.base).expect("an address");
        path.split('<').next().unwrap_or_default().to_owned()
    };
    let first = link(&shown);
    assert!(
        !admin.get("/settings/people").await.text.contains("one-time-secret"),
        "shown once"
    );
    admin
        .post("/settings/people/reset", &[("email", "bo@example.com")])
        .await;
    let second = link(&admin.get("/settings/people").await.text);
    let bo = Visitor::new(&house.base);
    assert_eq!(bo.get(&first).await.status, 404, "a newer one was made");
    assert!(bo.get(&second).await.text.contains("For bo@example.com."));
    let short = bo
        .post(&second, &[("password", "short"), ("email", "bo@example.com")])
        .await;
    assert_eq!(short.status, 422);
    assert_eq!(bo.post(&second, &[("password", PASSWORD)]).await.status, 200);
    assert_eq!(bo.post(&second, &[("password", PASSWORD)]).await.status, 404, "used up");
    assert_eq!(sign_in(&bo, "bo@example.com", PASSWORD).await.leads_to(), "/rooms");
    admin
        .post("/settings/people/reset", &[("email", "bo@example.com")])
        .await;
    let late = link(&admin.get("/settings/people").await.text);
    house
        .service
        .clock()
        .advance_to(house.now() + TimeDelta::days(3) + TimeDelta::seconds(1));
    assert_eq!(
        bo.post(&late, &[("password", PASSWORD)]).await.status,
        404,
        "three days are over"
    );
}

async fn an_admin_sees_and_ends_the_sessions_of_others_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let bo = house.person("bo@example.com", Role::Helpdesk).await;
    let elsewhere = Visitor::new(&house.base);
    sign_in(&elsewhere, "bo@example.com", PASSWORD).await;
    let people = house.service.people(&actor()).await.expect("people");
    let id = people
        .iter()
        .find(|person| person.email == "bo@example.com")
        .expect("Bo")
        .id
        .to_string();
    let path = format!("/settings/people/{id}");
    let page = admin.get(&path).await;
    assert!(
        page.status == 200 && page.text.contains("bo@example.com"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches(">End<").count(), 2, "{}", page.text);
    assert_eq!(bo.get(&path).await.status, 403);
    let auditor = house.person("cy@example.com", Role::Auditor).await;
    let shown = auditor.get(&path).await;
    assert!(shown.status == 200 && !shown.text.contains(">End<"), "{}", shown.text);

    let ends = |fields: Vec<(&'static str, String)>| {
        let (admin, auditor) = (&admin, &auditor);
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let refused = auditor.post("/settings/people/sessions/end", &fields).await;
            assert_eq!(refused.status, 403);
            admin
                .post("/settings/people/sessions/end", &fields)
                .await
                .leads_to()
                .to_owned()
        }
    };
    let session = page.text.split("name=\"session\" value=\"").nth(1).expect("a session");
    let session = session.split('"').next().expect("its end").to_owned();
    assert_eq!(ends(vec![("person", id.clone()), ("session", session)]).await, path);
    let (one, other) = (is_in(&bo).await, is_in(&elsewhere).await);
    assert!(one != other, "one of the two has ended");
    assert_eq!(ends(vec![("person", id.clone())]).await, path);
    assert!(!is_in(&bo).await && !is_in(&elsewhere).await);
    let page = admin.get(&path).await.text;
    assert!(
        page.contains("All their sessions have ended.") && page.contains("Not signed in anywhere."),
        "{page}"
    );
    assert_eq!(
        admin
            .get("/settings/people/00000000-0000-0000-0000-000000000000")
            .await
            .status,
        404
    );
}

async fn accounts_are_the_admins_affair_a1(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    let facts = async || {
        house
            .database
            .texts("SELECT name || role || password FROM people ORDER BY id")
            .await
    };
    for role in [Role::Helpdesk, Role::Auditor] {
        let visitor = house.person(&format!("{}@example.com", role.as_str()), role).await;
        let before = facts().await;
        for (path, fields) in [
            (
                "/settings/people/add",
                vec![("name", "Eve"), ("email", "eve@example.com"), ("role", "admin")],
            ),
            (
                "/settings/people/role",
                vec![("email", "helpdesk@example.com"), ("role", "admin")],
            ),
            ("/settings/people/reset", vec![("email", ADMIN)]),
            ("/settings/people/disable", vec![("email", ADMIN)]),
        ] {
            let page = visitor.post(path, &fields).await;
            assert!(
                page.status == 403 && page.text.contains("This is not for your role"),
                "{role:?} {path}"
            );
            let nobody = Visitor::new(&house.base).post(path, &fields).await;
            assert!(nobody.leads_to().starts_with("/sign-in"), "{path}");
        }
        assert_eq!(facts().await, before, "{role:?}");
    }
}

async fn the_last_admin_stays_one_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    for (path, fields) in [
        ("/settings/people/role", vec![("email", ADMIN), ("role", "auditor")]),
        ("/settings/people/disable", vec![("email", ADMIN)]),
    ] {
        admin.post(path, &fields).await;
        let page = admin.get("/settings/people").await;
        assert!(
            page.text.contains("Ada is the only admin; make another one first"),
            "{}",
            page.text
        );
    }
    house.person("bo@example.com", Role::Admin).await;
    admin.post("/settings/people/disable", &[("email", ADMIN)]).await;
    assert!(!is_in(&admin).await);
}

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

async fn the_audit_names_the_person_and_the_address_a3(engine: Engine) {
    let proxied = Options {
        trusted_proxies: vec!["127.0.0.1".parse().expect("an address")],
        ..Options::default()
    };
    for (options, expected) in [(proxied, "203.0.113.9"), (Options::default(), "127.0.0.1")] {
        let house = House::with(engine, options).await;
        let admin = house.admin().await;
        // What stands left of the proxy's own word is anybody's.
        let request = admin
            .request(Method::POST, "/settings/people/add")
            .header(ORIGIN, &house.base)
            .header("x-forwarded-for", "198.51.100.1")
            .header(
                "x-forwarded-for",
                HeaderValue::from_bytes(b"\xe9, 203.0.113.9:51234, ::ffff:127.0.0.1").expect("bytes"),
            );
        let fields = [("name", "Bo"), ("email", "bo@example.com"), ("role", "helpdesk")];
        assert_eq!(admin.send(request.form(&fields)).await.status, 303);
        let said = house
            .database
            .texts("SELECT actor || ' ' || address || ' ' || action FROM audit ORDER BY id DESC LIMIT 1")
            .await;
        assert_eq!(said, [format!("Ada ({ADMIN}) {expected} person.added")]);
        let page = admin.get("/audit").await.text;
        assert!(page.contains("Added Bo, bo@example.com, as Helpdesk."), "{page}");
    }
}

async fn the_audit_is_filtered_and_exported_a3(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    // Names come from people, and spreadsheets take some of them for formulas.
    for number in 0..60 {
        let (name, email) = (format!("=SUM({number})"), format!("p{number}@example.com"));
        let link = house
            .service
            .add_person(&actor(), name.as_str().into(), email.as_str().into(), Role::Helpdesk)
            .await;
        link.expect("a link");
    }
    admin
        .post(
            "/settings/people/role",
            &[("email", "p7@example.com"), ("role", "auditor")],
        )
        .await;
    let page = admin.get("/audit?who=Ada%20(ada@example.com)&kind=person").await.text;
    assert!(
        page.contains("role: auditor (was helpdesk)") && page.contains("from 127.0.0.1"),
        "{page}"
    );
    assert!(!page.contains("as Helpdesk."), "nobody else's: {page}");
    let day = house.now().format("%Y-%m-%d").to_string();
    for (query, status) in [
        (format!("?from={day}&until={day}"), 200),
        ("?from=yesterday".to_owned(), 422),
        ("?until=9999-01-01".to_owned(), 422),
        ("?after=1.x&who=%27&kind=nothing".to_owned(), 200),
        ("?who=%00".to_owned(), 400),
        ("?object=x".to_owned(), 422),
    ] {
        assert_eq!(admin.get(&format!("/audit{query}")).await.status, status, "{query}");
        assert_eq!(admin.get(&format!("/audit.csv{query}")).await.status, status, "{query}");
    }
    let seven = house
        .database
        .texts("SELECT CAST(object_id AS TEXT) FROM audit WHERE action = 'person.role_changed'")
        .await;
    let about = format!("kind=person&object={}", seven[0]);
    let page = admin.get("/audit?kind=person&who=Admin").await.text;
    assert!(page.contains("Everything about this person"), "{page}");
    let page = admin.get(&format!("/audit?{about}")).await.text;
    assert!(
        page.contains("Only one person") && page.contains("Added =SUM(7)"),
        "{page}"
    );
    assert!(!page.contains("SUM(8)"), "of nobody else: {page}");
    let file = admin.get(&format!("/audit.csv?{about}")).await.text;
    assert_eq!(file.lines().count(), 3, "{file}");
    let older = admin.get("/audit").await.text;
    let next = older
        .split("href=\"/audit?after=")
        .nth(1)
        .or_else(|| older.split("?after=").nth(1))
        .expect("a next page");
    let next = next.split('"').next().expect("its end");
    assert!(
        admin
            .get(&format!("/audit?after={next}"))
            .await
            .text
            .contains("before="),
        "a way back"
    );

    let file = admin.get("/audit.csv?kind=person").await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(
        lines.first(),
        Some(&"at,actor,address,action,object_kind,object_id,summary,before,after,sequence,hash")
    );
    let count = house
        .database
        .number("SELECT COUNT(*) FROM audit WHERE object_kind = 'person'")
        .await;
    assert_eq!(lines.len(), usize::try_from(count).expect("a number") + 1);
    assert!(
        lines[1].contains(",Ada (ada@example.com),127.0.0.1,person.role_changed,person,"),
        "{}",
        lines[1]
    );
    assert!(!file.text.contains(",=SUM("), "a formula");
    assert_eq!(Visitor::new(&house.base).get("/audit.csv").await.status, 303);
    let helpdesk = house.person("bo@example.com", Role::Helpdesk).await;
    assert_eq!(helpdesk.get("/audit.csv").await.status, 403);
    assert_eq!(
        house
            .person("cy@example.com", Role::Auditor)
            .await
            .get("/audit.csv")
            .await
            .status,
        200
    );
}

async fn the_database_refuses_to_change_the_audit_a3(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    house.service.seal_audit().await.expect("sealed");
    let count = house.database.number("SELECT COUNT(*) FROM audit").await;
    assert!(count > 3, "{count}");
    assert_eq!(
        house
            .database
            .number("SELECT COUNT(*) FROM audit WHERE hash IS NULL")
            .await,
        0
    );
    for statement in [
        "UPDATE audit SET summary = 'nothing happened'",
        "UPDATE audit SET at = at + 1",
        "UPDATE audit SET sequence = sequence + 100, hash = hash",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE sequence = 2",
        "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, hash) VALUES (1, 'a', 'b', 'c', 'd', 'e', 'f')",
        "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, sequence) VALUES (1, 'a', 'b', 'c', 'd', 'e', -1)",
    ] {
        assert!(house.database.try_execute(statement).await.is_err(), "{statement}");
    }
    if engine == Engine::Sqlite {
        // It deletes without asking the trigger of deletions.
        let replace = "INSERT OR REPLACE INTO audit (id, at, actor, action, object_kind, object_id, summary)
            SELECT id, at, actor, action, object_kind, object_id, 'nothing happened' FROM audit";
        assert!(house.database.try_execute(replace).await.is_err());
    }
    assert_eq!(house.service.check_audit().await.expect("a check"), []);
}

async fn who_rewrites_the_audit_is_found_a3(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    house.service.seal_audit().await.expect("sealed");
    let findings = async || {
        let findings = house.service.check_audit().await.expect("a check");
        findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
    };
    assert_eq!(findings().await, Vec::<String>::new());
    let lift = match engine {
        Engine::Sqlite => vec![
            "DROP TRIGGER audit_stays",
            "DROP TRIGGER audit_is_only_sealed",
            "DROP TRIGGER audit_is_only_added",
        ],
        Engine::Postgres => vec!["ALTER TABLE audit DISABLE TRIGGER USER"],
    };
    for statement in lift {
        house.database.execute(statement).await;
    }
    let before = house
        .database
        .texts("SELECT summary FROM audit WHERE sequence = 3")
        .await;
    house
        .database
        .execute("UPDATE audit SET summary = 'nothing happened' WHERE sequence = 3")
        .await;
    assert_eq!(
        findings().await,
        ["audit entry 3 (nothing happened) or the one before it was changed"]
    );
    house
        .database
        .execute(&format!(
            "UPDATE audit SET summary = '{}' WHERE sequence = 3",
            before[0].replace('\'', "''")
        ))
        .await;
    assert_eq!(findings().await, Vec::<String>::new());
    let beside = "INSERT INTO audit (at, actor, action, object_kind, object_id, summary, hash)
        VALUES (1, 'Ada', 'b', 'c', 'd', 'never happened', 'f')";
    house.database.execute(beside).await;
    let said = findings().await;
    assert!(
        said.len() == 1 && said[0].ends_with("was put beside the chain"),
        "{said:?}"
    );
    house.database.execute("DELETE FROM audit WHERE sequence = 2").await;
    assert_eq!(
        findings().await.first().map(String::as_str),
        Some("audit entries 2 to 2 are gone")
    );
}

async fn who_cuts_off_the_end_of_the_audit_is_found_a3(engine: Engine) {
    let house = House::new(engine).await;
    house.admin().await;
    house.service.seal_audit().await.expect("sealed");
    let last = house.database.number("SELECT MAX(sequence) FROM audit").await;
    let lift = match engine {
        Engine::Sqlite => "DROP TRIGGER audit_stays",
        Engine::Postgres => "ALTER TABLE audit DISABLE TRIGGER USER",
    };
    house.database.execute(lift).await;
    house
        .database
        .execute(&format!("DELETE FROM audit WHERE sequence = {last}"))
        .await;
    let findings = async || {
        let findings = house.service.check_audit().await.expect("a check");
        findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
    };
    let before = last - 1;
    let said = format!("the audit's chain ends with entry {before}, and ended with entry {last} when it was sealed");
    assert_eq!(findings().await, [said]);
    house.person("bo@example.com", Role::Helpdesk).await;
    house.service.seal_audit().await.expect("sealed");
    assert_eq!(
        findings().await,
        [format!("audit entries {last} to {last} are gone")],
        "what comes after hides nothing"
    );
    house
        .database
        .execute("DELETE FROM program WHERE key = 'audit.head'")
        .await;
    let said = findings().await;
    assert_eq!(
        said.last().map(String::as_str),
        Some("the note of where the audit's chain ends is gone")
    );
}
