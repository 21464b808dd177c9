//! Accounts: who makes them, the links to them, and the last admin (A1, A2).

use chrono::TimeDelta;
use domain::access::Role;
use testkit::visitor::Visitor;
use testkit::{ADMIN, Engine, House, PASSWORD, both_engines};

use crate::{is_in, sign_in};

both_engines![
    a_link_to_an_account_works_once_and_for_three_days_a2,
    accounts_are_the_admins_affair_a1,
    the_last_admin_stays_one_a1,
];

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
