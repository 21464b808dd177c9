//! Text that people type: cleaned in one place, whichever way it comes in, and names the same in every Unicode form (SPEC P8, K2, R4, G5).

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};
use service::RoomsFile;
use service::catalogue::Catalogue;
use testkit::visitor::{Page, Visitor};
use testkit::{BAR, Engine, House, actor, both_engines};

both_engines!(
    a_reason_of_two_lines_is_taken_from_every_form_without_script_p8_k2,
    a_description_counts_as_it_is_stored_r4_p8,
    a_nul_in_a_form_is_refused_by_its_field_g5,
    a_nul_or_very_long_text_in_a_file_is_refused_by_its_field_g5,
    asking_for_what_has_a_nul_is_no_fault_g5,
    a_name_is_the_same_in_every_unicode_form_r4_g5,
    a_file_finds_names_in_every_unicode_form_g5,
    an_account_is_found_in_every_unicode_form_a2_g5,
);

/// Two lines as a browser posts them, with the key of the field.
const REASON: &str = "reason=Cameras+stay+dark.%0D%0AVendor+case+4711.";
const STORED: &str = "Cameras stay dark.\nVendor case 4711.";

/// A form as a browser without script sends it.
async fn post(visitor: &Visitor, path: &str, body: String) -> Page {
    let request = visitor
        .request(Method::POST, path)
        .header(ORIGIN, &visitor.base)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    visitor.send(request.body(body)).await
}

/// A form as a page with script sends it: the answer is the refusal itself.
async fn ask(visitor: &Visitor, path: &str, body: &str) -> Page {
    let request = visitor
        .request(Method::POST, path)
        .header(ORIGIN, &visitor.base)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    visitor.send(request.body(body.to_owned())).await
}

async fn id(house: &House, table: &str, column: &str, value: &str) -> String {
    let hex = match house.database.address.starts_with("sqlite:") {
        true => "lower(hex(id))",
        false => "replace(CAST(id AS text), '-', '')",
    };
    let query = format!("SELECT {hex} FROM {table} WHERE {column} = '{value}'");
    house.database.text(&query).await
}

async fn a_reason_of_two_lines_is_taken_from_every_form_without_script_p8_k2(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let update = house.publish("2.0").await;
    let room = id(&house, "rooms", "name", "Board").await;
    let taken = async |path: &str, rest: String, number: usize| {
        let page = post(&admin, path, format!("{rest}&{REASON}")).await;
        assert!(
            (300..400).contains(&page.status),
            "{path}: {} {}",
            page.status,
            page.text
        );
        let told = house.database.texts("SELECT summary FROM audit").await;
        let told = told.iter().filter(|summary| summary.contains(STORED)).count();
        assert_eq!(told, number, "{path}: {page:?}");
    };
    let of = |rest: &str| format!("update={update}{rest}");
    taken("/api/updates/pause", of(""), 1).await;
    let paused = house
        .database
        .texts("SELECT state_reason FROM rollouts WHERE state = 'paused'")
        .await;
    assert_eq!(paused, [STORED]);
    taken("/api/updates/resume-date", of("&resumes_on=2025-03-10"), 2).await;
    taken("/api/tickets/leave-out", of(""), 3).await;
    taken("/api/updates/resume", of(""), 4).await;
    taken("/api/updates/force", of("&mode=when_available"), 5).await;
    let dates = "scope=organisation&from=2025-04-01&until=2025-04-03";
    taken("/api/freezes/add", dates.to_owned(), 6).await;
    let freeze = id(&house, "freezes", "first_date", "2025-04-01").await;
    taken("/api/freezes/lift", format!("freeze={freeze}"), 7).await;
    taken("/api/rooms/retire", format!("room={room}"), 8).await;
    // Nothing has failed yet, and that is what is said: the reason itself is good.
    let early = ask(&admin, "/api/updates/acknowledge", &format!("update={update}&{REASON}")).await;
    assert_eq!(early.status, 409, "{}", early.text);
    taken("/api/portfolio/recall", format!("release={update}"), 9).await;
    let recalled = house
        .database
        .texts("SELECT state_reason FROM rollouts WHERE state = 'deprecated'")
        .await;
    assert!(recalled[0].contains(STORED), "{recalled:?}");

    let issue =
        "title=Echo&description=Since+noon.%0D%0AIn+both+rooms.&severity=warning&category=Audio&rooms=Lab%0D%0AHall";
    let page = post(&admin, "/api/tickets/record", issue.to_owned()).await;
    assert!((300..400).contains(&page.status), "{}", page.text);
    let told = house
        .database
        .texts("SELECT description FROM tickets WHERE title = 'Echo'")
        .await;
    assert_eq!(told, ["Since noon.\nIn both rooms."]);
}

async fn a_description_counts_as_it_is_stored_r4_p8(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let form =
        |description: String| format!("name=Pilots&description={description}&order=3&rollout_days=1&test_days=1");
    let many = format!("{}%0D%0A%0D%0A%0D%0A{}", "d".repeat(248), "d".repeat(250));
    let refused = ask(&admin, "/api/rings/add", &form(many)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("501 characters are too many"), "{}", refused.text);
    let just = format!("{}%0D%0A%0D%0A%0D%0A{}", "d".repeat(248), "d".repeat(249));
    let page = post(&admin, "/api/rings/add", form(just)).await;
    assert!((300..400).contains(&page.status), "{}", page.text);
    let stored = house
        .database
        .text("SELECT description FROM rings WHERE name = 'Pilots'")
        .await;
    assert_eq!(stored, format!("{}\n\n\n{}", "d".repeat(248), "d".repeat(249)));
}

async fn a_nul_in_a_form_is_refused_by_its_field_g5(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let update = house.publish("2.0").await;
    let (site, room) = (
        id(&house, "sites", "name", "London").await,
        id(&house, "rooms", "name", "Hall").await,
    );
    let audit = house.database.number("SELECT COUNT(*) FROM audit").await;
    let ring = |name: &str, description: &str| {
        format!("name={name}&description={description}&order=3&rollout_days=1&test_days=1")
    };
    let in_room = |name: &str, building: &str, floor: &str| {
        format!("name={name}&site={site}&building={building}&floor={floor}&state=managed")
    };
    let release = |version: &str, minimum: &str, models: &str, issues: &str| {
        format!(
            "product={BAR}&version={version}&severity=routine&minimum_version={minimum}&models={models}&known_issues={issues}"
        )
    };
    let ticket = |title: &str, description: &str| {
        format!("title={title}&description={description}&severity=warning&category=Audio&rooms=Lab")
    };
    let device = |rest: &str| format!("room={room}&device=new-1&{rest}");
    let forms = [
        ("/api/rings/add", ring("a%00b", ""), "name"),
        ("/api/rings/add", ring("Pilots", "a%00b"), "description"),
        ("/api/rooms/add", in_room("a%00b", "", ""), "name"),
        ("/api/rooms/add", in_room("New", "a%00b", ""), "building"),
        ("/api/rooms/add", in_room("New", "", "a%00b"), "floor"),
        ("/api/rooms/retire", format!("room={room}&reason=a%00b"), "reason"),
        ("/api/sites/add", "name=a%00b&zone=UTC".to_owned(), "name"),
        ("/api/sites/add", "name=Oslo&city=a%00b&zone=UTC".to_owned(), "city"),
        (
            "/api/sites/add",
            "name=Oslo&country=a%00b&zone=UTC".to_owned(),
            "country",
        ),
        ("/api/sites/add", "name=Oslo&zone=a%00b".to_owned(), "zone"),
        ("/api/devices/add", device("model=a%00b"), "model"),
        ("/api/devices/add", device("model=m&role=a%00b"), "role"),
        ("/api/devices/add", device("model=m&vendor=a%00b"), "vendor"),
        ("/api/devices/add", device("model=m&serial=a%00b"), "serial"),
        ("/api/updates/pause", format!("update={update}&reason=a%00b"), "reason"),
        (
            "/api/updates/force",
            format!("update={update}&mode=now&reason=a%00b"),
            "reason",
        ),
        ("/api/tickets/record", ticket("a%00b", "d"), "title"),
        ("/api/tickets/record", ticket("t", "a%00b"), "description"),
        ("/api/home/announce", "title=a%00b".to_owned(), "title"),
        ("/api/home/announce", "title=t&text=a%00b".to_owned(), "text"),
        (
            "/api/freezes/add",
            "scope=organisation&from=2025-04-01&until=2025-04-02&reason=a%00b".to_owned(),
            "reason",
        ),
        (
            "/api/portfolio/add",
            "id=p&vendor=a%00b&name=n&kind=app&expected_minutes=1".to_owned(),
            "vendor",
        ),
        (
            "/api/portfolio/add",
            "id=p&vendor=v&name=a%00b&kind=app&expected_minutes=1".to_owned(),
            "name",
        ),
        ("/api/portfolio/add-release", release("a%00b", "", "", ""), "version"),
        (
            "/api/portfolio/add-release",
            release("9", "a%00b", "", ""),
            "minimum version",
        ),
        ("/api/portfolio/add-release", release("9", "", "a%00b", ""), "models"),
        (
            "/api/portfolio/add-release",
            release("9", "", "", "a%00b"),
            "known issues",
        ),
        (
            "/api/portfolio/recall",
            format!("release={update}&reason=a%00b"),
            "reason",
        ),
    ];
    for (path, form, field) in forms {
        let page = ask(&admin, path, &form).await;
        assert_eq!(page.status, 422, "{path} {form}: {}", page.text);
        assert!(page.text.contains(field), "{path} {form}: {}", page.text);
    }
    let entries = house.database.number("SELECT COUNT(*) FROM audit").await;
    assert_eq!(entries, audit, "nothing is changed");
}

async fn a_nul_or_very_long_text_in_a_file_is_refused_by_its_field_g5(engine: Engine) {
    let house = House::new(engine).await;
    let rooms = house.database.number("SELECT COUNT(*) FROM rooms").await;
    let long = "m".repeat(4000);
    let columns = ["model", "vendor", "serial", "role", "version", "building", "floor"];
    for (column, bad) in columns
        .iter()
        .flat_map(|column| [(column, "a\0b"), (column, long.as_str())])
    {
        let cell = |name: &str| if name == *column { bad } else { "x" };
        let csv = format!(
            "site,name,building,floor,device,role,model,vendor,serial,product,version\nLondon,N1,,,n-1,,Bar,,,,\nLondon,N2,{},{},n-2,{},{},{},{},{BAR},{}\n",
            cell("building"),
            cell("floor"),
            cell("role"),
            cell("model"),
            cell("vendor"),
            cell("serial"),
            cell("version"),
        );
        let file = RoomsFile::parse(&csv).expect("it can be read");
        let refused = house
            .service
            .import_rooms(&actor(), &file)
            .await
            .expect_err(column)
            .to_string();
        assert!(refused.starts_with(&format!("{column}: line 3 (N2): ")), "{refused}");
        // What was sent is looked at first; Postgres could not even keep it.
        let upload = house
            .service
            .upload_rooms(&actor(), "rooms.csv", &csv)
            .await
            .expect("it is kept");
        let review = house.service.review_rooms(&actor(), upload).await.expect("a review");
        let fields: Vec<&str> = review.refused.iter().map(|line| line.field).collect();
        assert_eq!(fields, [*column], "{:?}", review.refused);
    }
    let hold = |owner: &str, reason: &str| json!([{ "owner": owner, "reason": reason, "since": "2025-04-01", "until": "2025-04-02" }]);
    let device = |key: &str, bad: &str| {
        let mut device = json!({ "id": "n-9", "model": "Bar" });
        device[key] = bad.into();
        json!([device])
    };
    for bad in ["a\0b", long.as_str()] {
        let lines: [(&str, Value); 5] = [
            ("model", json!({ "devices": device("model", bad) })),
            ("vendor", json!({ "devices": device("vendor", bad) })),
            ("reason", json!({ "holds": hold("Ada", bad) })),
            ("owner", json!({ "holds": hold(bad, "It hums.") })),
            (
                "version",
                json!({ "devices": [{ "id": "n-9", "model": "Bar", "installed": { BAR: bad } }] }),
            ),
        ];
        for (field, mut room) in lines {
            room["name"] = "N9".into();
            room["site"] = "London".into();
            let file = json!({ "rooms": [room] }).to_string();
            let file = RoomsFile::parse(&file).expect("it can be read");
            let refused = house
                .service
                .import_rooms(&actor(), &file)
                .await
                .expect_err(field)
                .to_string();
            assert!(refused.starts_with(&format!("{field}: room 1 (N9): ")), "{refused}");
        }
        // A key that nobody reads is named (G5): what checks block follows from facts, and from no file (C4).
        let unread = json!({ "rooms": [{ "name": "N9", "site": "London", "blocks": [] }] }).to_string();
        let refused = RoomsFile::parse(&unread).expect_err("an unknown key").to_string();
        assert!(
            refused.contains("unknown field `blocks`, expected one of `name`, `site`"),
            "{refused}"
        );
        let city = json!({ "sites": [{ "name": "Oslo", "zone": "UTC", "city": bad }], "rooms": [] }).to_string();
        let city = RoomsFile::parse(&city).expect("it can be read");
        let refused = house
            .service
            .import_rooms(&actor(), &city)
            .await
            .expect_err("city")
            .to_string();
        assert!(refused.starts_with("city: "), "{refused}");

        let product = |key: &str, bad: &str| {
            let mut product = json!({ "id": "dock", "vendor": "V", "name": "N", "kind": "app", "expected_minutes": 5 });
            product[key] = bad.into();
            product
        };
        let release = |rest: Value| {
            let mut release = json!({ "product": "dock", "version": "1", "rank": 1 });
            for (key, value) in rest.as_object().expect("an object") {
                release[key] = value.clone();
            }
            release
        };
        let good = || product("name", "Dock");
        let catalogues = [
            ("vendor", product("vendor", bad), release(json!({}))),
            ("name", product("name", bad), release(json!({}))),
            ("version", good(), release(json!({ "version": bad }))),
            ("minimum version", good(), release(json!({ "minimum_version": bad }))),
            ("models", good(), release(json!({ "applies_to_models": ["Bar", bad] }))),
            (
                "known issues",
                good(),
                release(json!({ "known_issues": [{ "summary": bad }] })),
            ),
        ];
        for (field, product, release) in catalogues {
            let (products, releases) = (json!([product]).to_string(), json!([release]).to_string());
            let catalogue = Catalogue::parse(&products, &releases).expect("it can be read");
            let refused = house
                .service
                .import_catalogue(&actor(), &catalogue)
                .await
                .expect_err(field)
                .to_string();
            assert!(refused.starts_with(&format!("{field}: ")), "{refused}");
            let upload = house
                .service
                .upload_catalogue(&actor(), "releases.json", &products, &releases)
                .await;
            let upload = upload.expect("it is kept");
            let refused = house
                .service
                .import_uploaded_catalogue(&actor(), upload)
                .await
                .expect_err(field)
                .to_string();
            assert!(refused.starts_with(&format!("{field}: ")), "{refused}");
        }
    }
    assert_eq!(house.database.number("SELECT COUNT(*) FROM rooms").await, rooms);
}

async fn asking_for_what_has_a_nul_is_no_fault_g5(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    for path in [
        "/portfolio?q=a%00b",
        "/portfolio/a%00b",
        "/rooms?q=a%00b",
        "/tickets?q=a%00b",
        "/updates?q=a%00b",
        "/search?q=a%00b",
        "/audit?who=a%00b",
        "/audit?kind=a%00b&object=a%00b",
    ] {
        let page = admin.get(path).await;
        assert!(
            page.status < 500 && !page.text.contains("This could not be loaded"),
            "{path}: {} {}",
            page.status,
            page.text
        );
    }
    for (path, form) in [
        (
            "/api/devices/token",
            "room=00000000-0000-0000-0000-000000000001&device=a%00b",
        ),
        (
            "/api/devices/revoke",
            "room=00000000-0000-0000-0000-000000000001&device=a%00b",
        ),
        ("/api/portfolio/cover", "product=a%00b&covered=true"),
        ("/api/portfolio/add-release", "product=a%00b&version=1&severity=routine"),
    ] {
        let page = ask(&admin, path, form).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text);
    }
}

async fn a_name_is_the_same_in_every_unicode_form_r4_g5(engine: Engine) {
    let house = House::new(engine).await;
    let admin = house.admin().await;
    let site = id(&house, "sites", "name", "London").await;
    // "Café" with one character for the last letter, with two, and with what nobody sees.
    let (one, two, unseen) = ("Caf%C3%A9", "Cafe%CC%81", "Ca%E2%80%8Bf%C3%A9");
    let forms = [
        ("/api/rooms/add", format!("site={site}&state=managed"), "rooms"),
        ("/api/sites/add", "zone=UTC".to_owned(), "sites"),
        (
            "/api/rings/add",
            "order=3&rollout_days=1&test_days=1".to_owned(),
            "rings",
        ),
    ];
    for (path, rest, table) in forms {
        let added = ask(&admin, path, &format!("name={two}&{rest}")).await;
        assert_eq!(added.status, 200, "{path}: {}", added.text);
        let stored = house
            .database
            .texts(&format!("SELECT name FROM {table} WHERE name LIKE 'Caf%'"))
            .await;
        assert_eq!(stored, ["Café"], "{path}: in the usual form");
        let again = ask(&admin, path, &format!("name={one}&{rest}")).await;
        assert_eq!(again.status, 422, "{path}: {}", again.text);
        for name in [two, unseen, "CAFE%CC%81"] {
            let refused = ask(&admin, path, &format!("name={name}&{rest}")).await;
            assert_eq!(refused.status, 422, "{path} {name}: {}", refused.text);
            assert!(refused.text.contains("already"), "{path} {name}: {}", refused.text);
        }
    }
    let explained = house
        .service
        .explain_room(&"cafe\u{301}".into())
        .await
        .expect("it is found");
    assert_eq!(explained.room, "Café");
}

async fn a_file_finds_names_in_every_unicode_form_g5(engine: Engine) {
    let house = House::new(engine).await;
    let decomposed = json!({
        "sites": [{ "name": "Zu\u{308}rich", "zone": "Europe/Zurich" }],
        "rooms": [{ "name": "Cafe\u{301}", "site": "Zürich" }],
    });
    let import = async |file: &str| {
        let file = RoomsFile::parse(file).expect("it can be read");
        house.service.import_rooms(&actor(), &file).await
    };
    import(&decomposed.to_string()).await.expect("it is imported");
    assert_eq!(
        house.database.texts("SELECT name FROM sites ORDER BY name").await,
        ["London", "Zürich"]
    );
    let refused = import("site,name\nZu\u{308}rich,Café\n")
        .await
        .expect_err("it is there");
    assert!(refused.to_string().starts_with("name: "), "{refused}");
    let twice = import("site,name\nLondon,Bar e\u{301}\nLondon,bar é\n")
        .await
        .expect_err("twice");
    assert!(twice.to_string().contains("appears twice"), "{twice}");
    import("site,name\nZu\u{308}rich,Zwei\n")
        .await
        .expect("the site is found");
}

async fn an_account_is_found_in_every_unicode_form_a2_g5(engine: Engine) {
    let house = House::new(engine).await;
    house
        .person("zoe\u{308}@example.com", domain::access::Role::Helpdesk)
        .await;
    let origin = service::people::Origin::default();
    let signed_in = house
        .service
        .sign_in("Zoë@example.com".into(), testkit::PASSWORD, &origin)
        .await;
    assert_eq!(signed_in.expect("a session").actor.name, "zoë@example.com");
    let again = house
        .service
        .add_person(
            &actor(),
            "Zoe".into(),
            "zoë@example.com".into(),
            domain::access::Role::Admin,
        )
        .await;
    assert!(again.expect_err("it is taken").to_string().contains("already"));
}
