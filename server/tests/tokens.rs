//! Tokens for automation on the real router: who makes them, what they open, and what they do not (SPEC A1, A3).

use chrono::TimeDelta;
use domain::access::Role;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use testkit::visitor::{Page, Visitor};
use testkit::{Engine, House, both_engines};

both_engines!(
    a_token_is_shown_once_and_fetches_the_audit_until_it_ends_a1,
    a_token_may_what_its_role_may_and_opens_exports_alone_a1,
    a_revoked_token_is_refused_at_once_and_everywhere_a1,
    tokens_are_the_admins_affair_a1,
    a_token_that_breaks_a_limit_is_not_made_a1,
);

/// Makes one on the page, as an admin does.
async fn make(admin: &Visitor, name: &str, role: &str) -> String {
    let made = admin
        .post(
            "/settings/tokens/add",
            &[("name", name), ("role", role), ("days", "30")],
        )
        .await;
    assert_eq!(made.leads_to(), "/settings/tokens");
    let page = admin.get("/settings/tokens").await.text;
    let (_, shown) = page.split_once("class=\"one-time-secret\">").expect("a token");
    shown.split('<').next().expect("its end").to_owned()
}

async fn fetch(base: &str, path: &str, secret: &str) -> Page {
    let program = Visitor::new(base);
    let request = program
        .request(Method::GET, path)
        .header(AUTHORIZATION, format!("Bearer {secret}"));
    program.send(request).await
}

async fn a_token_is_shown_once_and_fetches_the_audit_until_it_ends_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let secret = make(&admin, "Archive", "auditor").await;
    assert!(secret.starts_with("nightshift_") && secret.len() == 75, "{secret}");
    let page = admin.get("/settings/tokens").await.text;
    assert!(
        !page.contains(&secret) && page.contains("Archive") && page.contains("Never"),
        "{page}"
    );
    let hash = service::devices::token_hash(&secret);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = match engine {
        Engine::Sqlite => "SELECT lower(hex(token_hash)) FROM tokens",
        Engine::Postgres => "SELECT encode(token_hash, 'hex') FROM tokens",
    };
    assert_eq!(house.database.texts(hex).await, [hash], "nothing but its hash is kept");

    let file = fetch(&house.base, "/audit.csv?kind=token", &secret).await;
    assert_eq!((file.status, file.text.lines().count()), (200, 2), "{}", file.text);
    assert!(
        file.text.contains("Added the token Archive for Auditor."),
        "{}",
        file.text
    );
    assert!(!file.text.contains(&secret));
    assert!(
        !admin.get("/settings/tokens").await.text.contains("Never"),
        "it was used"
    );

    house
        .service
        .clock()
        .advance_to(house.now() + TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(fetch(&house.base, "/audit.csv", &secret).await.status, 200);
    house.service.clock().advance_to(house.now() + TimeDelta::seconds(1));
    let late = fetch(&house.base, "/audit.csv", &secret).await;
    assert_eq!(
        (late.status, &late.headers[WWW_AUTHENTICATE]),
        (401, &"Bearer".parse().expect("a value"))
    );
    assert!(late.text.contains("expired or revoked"), "{}", late.text);
}

async fn a_token_may_what_its_role_may_and_opens_exports_alone_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let helpdesk = make(&admin, "Screen", "helpdesk").await;
    assert_eq!(fetch(&house.base, "/audit.csv", &helpdesk).await.status, 403);
    let ruler = make(&admin, "Robot", "admin").await;
    assert_eq!(fetch(&house.base, "/api/home", &ruler).await.status, 401, "no page");
    assert_eq!(fetch(&house.base, "/", &ruler).await.leads_to(), "/sign-in?next=%2F");
    let program = Visitor::new(&house.base);
    let request = program
        .request(Method::POST, "/settings/tokens/add")
        .header(ORIGIN, &house.base)
        .header(AUTHORIZATION, format!("Bearer {ruler}"));
    let fields = [("name", "More"), ("role", "admin"), ("days", "1")];
    let sent = program.send(request.form(&fields)).await;
    assert!(sent.leads_to().starts_with("/sign-in"), "no form");
    // Whoever shows a token has no session beside it.
    for wrong in ["", " ", " nightshift_", " nightshift_0000", " é"] {
        let request = admin
            .request(Method::GET, "/audit.csv")
            .header(AUTHORIZATION, format!("bearer{wrong}"));
        assert_eq!(admin.send(request).await.status, 401, "{wrong:?}");
    }
    assert_eq!(
        Visitor::new(&house.base).get("/audit.csv").await.leads_to(),
        "/sign-in?next=%2Faudit%2Ecsv"
    );
}

async fn a_revoked_token_is_refused_at_once_and_everywhere_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let secret = make(&admin, "Archive", "auditor").await;
    let elsewhere = match engine {
        Engine::Postgres => house.another().await,
        Engine::Sqlite => house.base.clone(),
    };
    assert_eq!(fetch(&elsewhere, "/audit.csv", &secret).await.status, 200);
    let page = admin.get("/settings/tokens").await.text;
    let (_, id) = page.split_once("name=\"token\" value=\"").expect("its id");
    let id = id.split('"').next().expect("its end");
    admin.post("/settings/tokens/revoke", &[("token", id)]).await;
    assert_eq!(fetch(&elsewhere, "/audit.csv", &secret).await.status, 401);
    let page = admin.get("/settings/tokens").await.text;
    assert!(
        page.contains("The token was revoked.") && page.contains("No program has a token."),
        "{page}"
    );
    admin.post("/settings/tokens/revoke", &[("token", id)]).await;
    assert!(
        admin
            .get("/settings/tokens")
            .await
            .text
            .contains("This token was not found"),
        "a second click"
    );
}

async fn tokens_are_the_admins_affair_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    make(&admin, "Archive", "auditor").await;
    let fields = [("name", "More"), ("role", "admin"), ("days", "1")];
    for (role, sees) in [(Role::Helpdesk, false), (Role::Auditor, true)] {
        let visitor = house.person(&format!("{}@example.com", role.as_str()), role).await;
        let page = visitor.get("/settings/tokens").await;
        assert_eq!(
            (page.status == 200, page.text.contains("Archive")),
            (sees, sees),
            "{role:?}"
        );
        assert!(!page.text.contains("Add a token"), "{role:?}: not offered");
        assert_eq!(
            visitor.post("/settings/tokens/add", &fields).await.status,
            403,
            "{role:?}"
        );
    }
    assert!(
        Visitor::new(&house.base)
            .post("/settings/tokens/add", &fields)
            .await
            .leads_to()
            .starts_with("/sign-in")
    );
    assert_eq!(house.database.number("SELECT COUNT(*) FROM tokens").await, 1);
}

async fn a_token_that_breaks_a_limit_is_not_made_a1(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    make(&admin, "Archive", "auditor").await;
    let long = "n".repeat(101);
    for (name, days, problem) in [
        ("", "30", "name: "),
        (long.as_str(), "30", "name: "),
        ("Archive", "30", "name: there is a token Archive already"),
        ("More", "0", "days: 0 is not between 1 and 366"),
        ("More", "367", "days: 367 is not between 1 and 366"),
    ] {
        admin
            .post(
                "/settings/tokens/add",
                &[("name", name), ("role", "auditor"), ("days", days)],
            )
            .await;
        let page = admin.get("/settings/tokens").await.text;
        assert!(
            page.contains(problem) && !page.contains("one-time-secret"),
            "{name:?} {days}: {page}"
        );
    }
    let broken = admin
        .post(
            "/settings/tokens/add",
            &[("name", "More"), ("role", "king"), ("days", "1")],
        )
        .await;
    assert_eq!(broken.status, 422);
    assert_eq!(house.database.number("SELECT COUNT(*) FROM tokens").await, 1);
}
