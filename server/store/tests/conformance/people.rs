//! People, their sessions and their links; and the audit of what they did (A1–A3).

use domain::access::Role;
use domain::ids::PersonId;
use store::{AuditFacts, AuditFilter, NewSession, PersonRecord, Tx};
use testkit::{Home, both_engines};
use uuid::Uuid;

use crate::lab::{at_night, later};

both_engines![
    people_their_sessions_and_their_links_come_back_a1_a2,
    the_audit_is_read_by_whom_what_and_when_and_page_by_page_a3,
];

async fn people_their_sessions_and_their_links_come_back_a1_a2(home: Home) {
    let mut tx = home.store.begin().await.unwrap();
    assert!(!tx.has_people().await.unwrap());
    let mut ada = PersonRecord {
        id: PersonId(Uuid::from_u128(1)),
        name: "Ada".to_owned(),
        email: "Ada@example.com".to_owned(),
        role: Role::Admin,
        password: None,
        disabled_at: None,
    };
    assert!(tx.add_person(&ada, "ada@example.com", at_night()).await.unwrap());
    let twin = PersonRecord {
        id: PersonId(Uuid::from_u128(2)),
        ..ada.clone()
    };
    let added = tx.add_person(&twin, "ada@example.com", at_night()).await.unwrap();
    assert!(!added, "an address has one account");
    (ada.role, ada.password, ada.disabled_at) = (Role::Auditor, Some("hash".to_owned()), Some(later(1)));
    tx.put_person(&ada).await.unwrap();
    assert_eq!(tx.person(ada.id).await.unwrap().as_ref(), Some(&ada));
    assert_eq!(tx.person_with("ada@example.com").await.unwrap().as_ref(), Some(&ada));
    assert_eq!(tx.people().await.unwrap(), std::slice::from_ref(&ada));

    let session = |number: u8| NewSession {
        id: Uuid::from_u128(u128::from(number)),
        token_hash: [number; 32],
        person: ada.id,
        address: "192.0.2.7".to_owned(),
        agent: "a browser".to_owned(),
    };
    for number in 1..=3 {
        tx.add_session(&session(number), later(i64::from(number)))
            .await
            .unwrap();
    }
    tx.touch_session(Uuid::from_u128(1), later(9)).await.unwrap();
    tx.touch_session(Uuid::from_u128(1), later(5)).await.unwrap();
    let found = tx.session(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(
        (found.made_at, found.seen_at),
        (later(1), later(9)),
        "it is never used earlier than it was"
    );
    assert_eq!((found.person, found.agent.as_str()), (ada.clone(), "a browser"));
    let ids = async |tx: &mut Tx| {
        let sessions = tx.sessions_of(ada.id).await.unwrap();
        sessions
            .into_iter()
            .map(|session| session.id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut tx).await, [1, 3, 2], "those last used first");
    assert!(
        !tx.end_session(twin.id, Uuid::from_u128(2)).await.unwrap(),
        "somebody else's"
    );
    assert!(tx.end_session(ada.id, Uuid::from_u128(2)).await.unwrap());
    assert_eq!(tx.end_sessions_of(ada.id, Some(Uuid::from_u128(1))).await.unwrap(), 1);
    assert_eq!(ids(&mut tx).await, [1]);
    tx.forget_sessions(ada.id, later(9), later(0)).await.unwrap();
    assert_eq!(ids(&mut tx).await, [1], "it is neither");
    tx.forget_sessions(ada.id, later(10), later(0)).await.unwrap();
    assert_eq!(ids(&mut tx).await, [0_u128; 0], "it was used before that");

    for person in [None, Some(ada.id)] {
        tx.put_link(&[7; 32], person, later(60)).await.unwrap();
        assert_eq!(tx.link(&[7; 32], later(59)).await.unwrap(), Some(person));
        assert_eq!(tx.link(&[7; 32], later(60)).await.unwrap(), None, "its time is over");
        tx.put_link(&[8; 32], person, later(60)).await.unwrap();
        assert_eq!(tx.link(&[7; 32], later(0)).await.unwrap(), None, "there is a newer one");
        tx.delete_links_of(person).await.unwrap();
        assert_eq!(tx.link(&[8; 32], later(0)).await.unwrap(), None);
    }

    tx.commit().await.unwrap();
    let count = async |keys: &[(&str, i64)], slot| home.store.count_attempt(keys, slot).await.unwrap();
    assert!(count(&[("a", 2), ("b", 9)], 5).await);
    assert!(count(&[("a", 2)], 6).await, "two of two, in two slots");
    assert!(!count(&[("b", 9), ("a", 2)], 6).await, "and no third");
    assert!(
        !count(&[("b", 1)], 6).await,
        "what was refused is not counted, and what was stays"
    );
    assert!(count(&[("b", 2)], 6).await);
    home.store.uncount_attempt(&["a"], 6).await.unwrap();
    assert!(count(&[("a", 2)], 6).await, "a good one does not count");
    assert!(count(&[("a", 2)], 7).await, "the slot before the last is forgotten");
}

async fn the_audit_is_read_by_whom_what_and_when_and_page_by_page_a3(home: Home) {
    let mut tx = home.store.begin().await.unwrap();
    for number in 0..12 {
        let entry = store::AuditEntry {
            actor: ["Ada", "Bo", "Cy"][number % 3].to_owned(),
            address: "192.0.2.7".to_owned(),
            action: "test.made",
            object_kind: ["room", "ring"][number % 2],
            object_id: number.to_string(),
            summary: format!("entry {number}"),
            before: None,
            after: Some(serde_json::json!({ "number": number })),
        };
        // Three at each instant; the clock once went back.
        let minutes = if number == 11 {
            0
        } else {
            i64::try_from(number / 3).unwrap()
        };
        tx.add_audit(later(minutes), &entry).await.unwrap();
    }
    assert_eq!(tx.audit_actors().await.unwrap(), ["Ada", "Bo", "Cy"]);
    assert_eq!(tx.audit_kinds().await.unwrap(), ["ring", "room"]);
    let ids = async |tx: &mut Tx, filter: &AuditFilter, limit: i64| {
        let entries = tx.audit_page(filter, limit).await.unwrap();
        let ids = entries.iter().map(|entry| entry.object_id.parse::<u32>().unwrap());
        (
            ids.collect::<Vec<_>>(),
            entries.first().map(AuditFacts::position),
            entries.last().map(AuditFacts::position),
        )
    };
    let all = [10, 9, 8, 7, 6, 5, 4, 3, 11, 2, 1, 0];
    let everything = AuditFilter::default();
    assert_eq!(
        ids(&mut tx, &everything, 100).await.0,
        all,
        "by the instant, and then by the number"
    );
    let (first, _, end) = ids(&mut tx, &everything, 5).await;
    assert_eq!(first, all[..5]);
    let second = AuditFilter {
        older_than: end,
        ..AuditFilter::default()
    };
    let (second, start, end) = ids(&mut tx, &second, 5).await;
    assert_eq!(second, all[5..10]);
    assert_eq!(
        ids(
            &mut tx,
            &AuditFilter {
                older_than: end,
                ..AuditFilter::default()
            },
            5
        )
        .await
        .0,
        all[10..]
    );
    let back = AuditFilter {
        newer_than: start,
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &back, 5).await.0, all[..5], "the page before");
    let of = |actor: Option<&str>, kind: Option<&str>| AuditFilter {
        actor: actor.map(str::to_owned),
        object_kind: kind.map(str::to_owned),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &of(Some("Bo"), None), 100).await.0, [10, 7, 4, 1]);
    assert_eq!(ids(&mut tx, &of(None, Some("ring")), 100).await.0, [9, 7, 5, 3, 11, 1]);
    assert_eq!(ids(&mut tx, &of(Some("Bo"), Some("ring")), 100).await.0, [7, 1]);
    let span = AuditFilter {
        from: Some(later(1)),
        until: Some(later(3)),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&mut tx, &span, 100).await.0, [8, 7, 6, 5, 4, 3]);
}
