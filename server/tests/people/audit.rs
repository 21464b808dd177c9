//! The audit that nobody can rewrite (A3).

use domain::access::Role;
use reqwest::Method;
use reqwest::header::{HeaderValue, ORIGIN};
use testkit::visitor::Visitor;
use testkit::{ADMIN, Engine, House, Options, actor, both_engines};

both_engines![
    the_audit_names_the_person_and_the_address_a3,
    the_audit_is_filtered_and_exported_a3,
    the_database_refuses_to_change_the_audit_a3,
    who_rewrites_the_audit_is_found_a3,
    who_cuts_off_the_end_of_the_audit_is_found_a3,
];

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
