//! The first admin, signing in and out, and how sessions end (A1, A2).

use chrono::TimeDelta;
use domain::access::Role;
use futures::StreamExt;
use service::ServiceError;
use service::people::Origin;
use testkit::visitor::Visitor;
use testkit::{ADMIN, Engine, House, Options, PASSWORD, actor, both_engines};

use crate::{is_in, set_cookie, sign_in};

both_engines![
    the_first_start_makes_one_link_and_the_link_one_admin_a2,
    people_sign_in_with_a_form_and_out_again_a2,
    signing_out_takes_the_cookie_away_and_may_be_said_twice_a2,
    who_was_disabled_comes_back_with_a_new_password_only_a1_a2,
    a_stolen_token_is_worth_nothing_after_signing_out_a2,
    sessions_end_with_the_password_the_role_and_the_account_a1,
    a_session_ends_unused_after_eight_hours_and_in_any_case_after_a_week_a2,
    wrong_passwords_are_counted_before_they_are_compared_a2,
    an_unknown_name_is_answered_like_a_wrong_password_a2,
    an_admin_sees_and_ends_the_sessions_of_others_a1,
];

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
    let page = visitor.get(&format!("/welcome/{older}")).await;
    assert!(
        page.status == 404 && page.text.contains("only the newest works"),
        "{}",
        page.text
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
