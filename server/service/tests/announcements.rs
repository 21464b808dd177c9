//! Announcements on Home: what is new in the portfolio, what admins write, and who has dismissed what, on both engines (SPEC P1).

#![expect(
    clippy::unwrap_used,
    reason = "every behaviour is a test; the functions with the attribute are stamped by a macro"
)]

use chrono::TimeDelta;
use domain::access::Role;
use domain::ids::PersonId;
use domain::update::ProductKind;
use service::announcements::AnnouncementDraft;
use service::read::home::AnnouncementItem;
use service::releases::ProductDraft;
use service::{Actor, ActorAccount};
use testkit::{Estate, actor, both_engines, date, instant};

both_engines![
    what_is_new_in_the_portfolio_announces_itself_for_a_month_p1,
    each_person_dismisses_for_themselves_and_an_admin_for_everybody_p1,
    an_announcement_has_limits_g5,
];

async fn on_home(estate: &Estate, person: Option<PersonId>) -> Vec<AnnouncementItem> {
    let mut snapshot = estate.service.read_snapshot().await.unwrap();
    snapshot.announcements(person).await.unwrap()
}

fn draft(title: &str) -> AnnouncementDraft {
    AnnouncementDraft {
        title: title.into(),
        text: "".into(),
        until: None,
    }
}

/// Somebody with an account.
async fn person(estate: &Estate, email: &str) -> Actor {
    estate
        .service
        .add_person(&actor(), email.into(), email.into(), Role::Helpdesk)
        .await
        .unwrap();
    let mut tx = estate.service.store().read().await.unwrap();
    let person = tx.person_with(email).await.unwrap().unwrap();
    Actor {
        role: Role::Helpdesk,
        account: Some(ActorAccount {
            person: person.id,
            session: uuid::Uuid::nil(),
            email: email.to_owned(),
        }),
        ..actor()
    }
}

fn whose(actor: &Actor) -> Option<PersonId> {
    actor.account.as_ref().map(|account| account.person)
}

async fn what_is_new_in_the_portfolio_announces_itself_for_a_month_p1(estate: Estate) {
    let first = on_home(&estate, None).await;
    let [catalogue] = &first[..] else { panic!("{first:?}") };
    assert_eq!(catalogue.title, "2 products are new in the portfolio");
    assert_eq!(catalogue.text, "They are Example Bar firmware and Example Room app.");
    let dock = ProductDraft {
        id: "dock".to_owned(),
        vendor: "Example".into(),
        name: "Dock".into(),
        kind: ProductKind::Driver,
        expected_minutes: 9,
    };
    estate.clock.set_to(instant("2025-03-20T10:00:00Z"));
    estate.service.add_product(&actor(), &dock).await.unwrap();
    let now = on_home(&estate, None).await;
    assert_eq!(now.len(), 2);
    assert_eq!(now[0].title, "New in the portfolio: Example Dock");
    assert_eq!(now[0].text, "A new kind is covered: Driver.");
    estate.clock.set_to(instant("2025-04-03T23:59:59Z"));
    assert_eq!(on_home(&estate, None).await.len(), 2, "the thirtieth day");
    estate.clock.set_to(instant("2025-04-04T00:00:00Z"));
    assert_eq!(on_home(&estate, None).await.len(), 1);
}

async fn each_person_dismisses_for_themselves_and_an_admin_for_everybody_p1(estate: Estate) {
    let (ada, bo) = (
        person(&estate, "ada@example.com").await,
        person(&estate, "bo@example.com").await,
    );
    estate.clock.set_to(estate.clock.now() + TimeDelta::minutes(1));
    let id = estate
        .service
        .announce(&actor(), &draft("No updates at quarter close"))
        .await
        .unwrap();
    let entries = estate.audit().await.len();
    for _ in 0..2 {
        estate.service.dismiss_announcement(&ada, id).await.unwrap();
    }
    assert_eq!(
        estate.audit().await.len(),
        entries,
        "what somebody has read is nobody's affair"
    );
    let titles = |found: Vec<AnnouncementItem>| found.into_iter().map(|one| one.title).collect::<Vec<_>>();
    assert_eq!(
        titles(on_home(&estate, whose(&ada)).await),
        ["2 products are new in the portfolio"]
    );
    assert_eq!(
        titles(on_home(&estate, whose(&bo)).await)[0],
        "No updates at quarter close"
    );
    let program = estate.service.dismiss_announcement(&actor(), id).await.unwrap_err();
    assert_eq!(program.to_string(), "only somebody with an account can dismiss it");
    estate.service.take_down_announcement(&actor(), id).await.unwrap();
    assert_eq!(on_home(&estate, whose(&bo)).await.len(), 1);
    let gone = estate.service.dismiss_announcement(&bo, id).await.unwrap_err();
    assert_eq!(gone.to_string(), "This announcement was not found");
}

async fn an_announcement_has_limits_g5(estate: Estate) {
    let long = "W".repeat(121);
    let past = AnnouncementDraft {
        until: Some(date("2025-03-03")),
        ..draft("Late")
    };
    for (draft, why) in [
        (draft("  "), "title: is missing"),
        (draft(&long), "title: 121 characters are too many; at most 120"),
        (draft("a\u{7}b"), "title: has characters that cannot be shown"),
        (past, "until: choose 2025-03-04 or a later date, or leave it empty"),
    ] {
        let refused = estate.service.announce(&actor(), &draft).await.unwrap_err();
        assert_eq!(refused.to_string(), why);
    }
    assert_eq!(on_home(&estate, None).await.len(), 1, "nothing was announced");
}
