//! The role walk (SPEC A1): every route of the built router and every server function has a row in a table here, and is called by each
//! role and by nobody.
//!
//! axum lists its routes nowhere but in its debug output, so that is read; a route that a table does not know fails the walk, and a
//! probe shows that it does.

use std::collections::{BTreeMap, BTreeSet};

use app::error::AppError;
use axum::Router;
use axum::routing::get;
use domain::access::{Act, Role};
use server::router::{ServerConfig, router};
use testkit::visitor::{Page, Visitor};
use testkit::{ADMIN, Engine, House, both_engines};

both_engines!(
    every_route_has_a_row_and_keeps_to_it_a1,
    every_server_function_asks_for_its_right_a1,
);

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Anybody, and it tells nobody anything that is not public.
    Anybody,
    /// Whoever has this right; others are forbidden it, and nobody is asked to sign in.
    People(Act),
    /// A device with its own token, and no person.
    Devices,
    /// Whoever has signed in; it never ends by itself, so only its head is read.
    Streams,
    /// Each server function for itself: [`FUNCTIONS`].
    Functions,
}

use Whose::{Anybody, Devices, Functions, People, Streams};

/// Method, route, an address of it, the fields of a form that is no good, and who may. `ROOM`, `UPDATE`, `PERSON` stand for ids.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Whose,
);

const NO_FORM: &[(&str, &str)] = &[];
const NOBODY: &[(&str, &str)] = &[("email", "nobody@example.com"), ("role", "admin"), ("name", "")];
const NO_SESSION: &[(&str, &str)] = &[
    ("person", "00000000-0000-0000-0000-000000000001"),
    ("session", "00000000-0000-0000-0000-000000000001"),
    ("token", "00000000-0000-0000-0000-000000000001"),
];
const CONTROLLER: &str = "/{tenant}/controller/v1/{controller}";

const TABLE: &[Row] = &[
    ("GET", "/livez", "/livez", NO_FORM, Anybody),
    ("GET", "/readyz", "/readyz", NO_FORM, Anybody),
    ("GET", "/metrics", "/metrics", NO_FORM, Anybody),
    ("GET", "/pkg/{*file}", "/pkg/nightshift.css", NO_FORM, Anybody),
    ("GET", "/icons.svg", "/icons.svg", NO_FORM, Anybody),
    ("GET", "/favicon.svg", "/favicon.svg", NO_FORM, Anybody),
    ("POST", "/csp-reports", "/csp-reports", NO_FORM, Anybody),
    ("GET", "/sign-in", "/sign-in", NO_FORM, Anybody),
    (
        "POST",
        "/sign-in",
        "/sign-in",
        &[("email", "nobody@example.com"), ("password", "")],
        Anybody,
    ),
    ("GET", "/welcome/{link}", "/welcome/none", NO_FORM, Anybody),
    (
        "POST",
        "/welcome/{link}",
        "/welcome/none",
        &[("name", "E"), ("email", "e@e"), ("password", "")],
        Anybody,
    ),
    ("GET", "/password/{link}", "/password/none", NO_FORM, Anybody),
    (
        "POST",
        "/password/{link}",
        "/password/none",
        &[("password", "")],
        Anybody,
    ),
    ("POST", "/demo/role", "/demo/role", &[("role", "admin")], Anybody),
    (
        "POST",
        "/account/password",
        "/account/password",
        &[("old", ""), ("new", "")],
        People(Act::ManageOwnAccount),
    ),
    (
        "POST",
        "/account/sessions/end",
        "/account/sessions/end",
        NO_SESSION,
        People(Act::ManageOwnAccount),
    ),
    (
        "POST",
        "/settings/people/add",
        "/settings/people/add",
        NOBODY,
        People(Act::ManagePeople),
    ),
    (
        "POST",
        "/settings/people/role",
        "/settings/people/role",
        NOBODY,
        People(Act::ManagePeople),
    ),
    (
        "POST",
        "/settings/people/reset",
        "/settings/people/reset",
        NOBODY,
        People(Act::ManagePeople),
    ),
    (
        "POST",
        "/settings/people/disable",
        "/settings/people/disable",
        NOBODY,
        People(Act::ManagePeople),
    ),
    (
        "POST",
        "/settings/people/sessions/end",
        "/settings/people/sessions/end",
        NO_SESSION,
        People(Act::ManagePeople),
    ),
    (
        "POST",
        "/settings/tokens/add",
        "/settings/tokens/add",
        &[("name", ""), ("role", "admin"), ("days", "1")],
        People(Act::ManageTokens),
    ),
    (
        "POST",
        "/settings/tokens/revoke",
        "/settings/tokens/revoke",
        NO_SESSION,
        People(Act::ManageTokens),
    ),
    ("GET", "/audit.csv", "/audit.csv", NO_FORM, People(Act::SeeAudit)),
    // A stream that never ends by itself: `live.rs` listens to it.
    ("GET", "/events", "/events", NO_FORM, Streams),
    ("GET", "/api/{*function}", "/api/home", NO_FORM, Functions),
    ("POST", "/api/{*function}", "/api/home", NO_FORM, Functions),
    ("GET", "/", "/", NO_FORM, People(Act::See)),
    ("GET", "/incidents", "/incidents", NO_FORM, People(Act::See)),
    ("GET", "/incidents/{number}", "/incidents/7", NO_FORM, People(Act::See)),
    ("GET", "/rooms", "/rooms", NO_FORM, People(Act::See)),
    ("GET", "/rooms.csv", "/rooms.csv", NO_FORM, People(Act::See)),
    (
        "GET",
        "/portfolio/{id}",
        "/portfolio/bar",
        NO_FORM,
        People(Act::SeePortfolio),
    ),
    (
        "GET",
        "/portfolio/import",
        "/portfolio/import",
        NO_FORM,
        People(Act::Publish),
    ),
    (
        "POST",
        "/portfolio/import/file",
        "/portfolio/import/file",
        NO_FORM,
        People(Act::Publish),
    ),
    (
        "POST",
        "/portfolio/files",
        "/portfolio/files?product=bar&release=UPDATE",
        NO_FORM,
        People(Act::Publish),
    ),
    (
        "GET",
        "/settings/freezes",
        "/settings/freezes",
        NO_FORM,
        People(Act::SeeSettings),
    ),
    ("GET", "/search", "/search?q=a", NO_FORM, People(Act::See)),
    (
        "GET",
        "/updates/{id}/rooms.csv",
        "/updates/UPDATE/rooms.csv",
        NO_FORM,
        People(Act::See),
    ),
    ("GET", "/rooms/sites", "/rooms/sites", NO_FORM, People(Act::See)),
    ("GET", "/rooms/import", "/rooms/import", NO_FORM, People(Act::EditRooms)),
    (
        "POST",
        "/rooms/import/file",
        "/rooms/import/file",
        NO_FORM,
        People(Act::EditRooms),
    ),
    ("GET", "/rooms/{id}", "/rooms/ROOM", NO_FORM, People(Act::See)),
    (
        "GET",
        "/rooms/{id}/updates",
        "/rooms/ROOM/updates",
        NO_FORM,
        People(Act::See),
    ),
    (
        "GET",
        "/rooms/{id}/tickets",
        "/rooms/ROOM/tickets",
        NO_FORM,
        People(Act::See),
    ),
    (
        "GET",
        "/rooms/{id}/history",
        "/rooms/ROOM/history",
        NO_FORM,
        People(Act::See),
    ),
    ("GET", "/updates", "/updates", NO_FORM, People(Act::See)),
    ("GET", "/updates/rooms", "/updates/rooms", NO_FORM, People(Act::See)),
    ("GET", "/updates/rings", "/updates/rings", NO_FORM, People(Act::See)),
    ("GET", "/updates/{id}", "/updates/UPDATE", NO_FORM, People(Act::See)),
    ("GET", "/portfolio", "/portfolio", NO_FORM, People(Act::SeePortfolio)),
    ("GET", "/audit", "/audit", NO_FORM, People(Act::SeeAudit)),
    ("GET", "/settings", "/settings", NO_FORM, People(Act::SeeSettings)),
    (
        "GET",
        "/settings/people",
        "/settings/people",
        NO_FORM,
        People(Act::SeePeople),
    ),
    (
        "GET",
        "/settings/people/{id}",
        "/settings/people/PERSON",
        NO_FORM,
        People(Act::SeePeople),
    ),
    (
        "GET",
        "/settings/tokens",
        "/settings/tokens",
        NO_FORM,
        People(Act::SeeTokens),
    ),
    ("GET", "/account", "/account", NO_FORM, People(Act::ManageOwnAccount)),
    ("GET", CONTROLLER, "/DEFAULT/controller/v1/hall-1", NO_FORM, Devices),
    (
        "PUT",
        "/{tenant}/controller/v1/{controller}/configData",
        "/DEFAULT/controller/v1/hall-1/configData",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/{tenant}/controller/v1/{controller}/deploymentBase/{action}",
        "/DEFAULT/controller/v1/hall-1/deploymentBase/1",
        NO_FORM,
        Devices,
    ),
    (
        "POST",
        "/{tenant}/controller/v1/{controller}/deploymentBase/{action}/feedback",
        "/DEFAULT/controller/v1/hall-1/deploymentBase/1/feedback",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/{tenant}/controller/v1/{controller}/cancelAction/{action}",
        "/DEFAULT/controller/v1/hall-1/cancelAction/1",
        NO_FORM,
        Devices,
    ),
    (
        "POST",
        "/{tenant}/controller/v1/{controller}/cancelAction/{action}/feedback",
        "/DEFAULT/controller/v1/hall-1/cancelAction/1/feedback",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/{tenant}/controller/v1/{controller}/installedBase/{action}",
        "/DEFAULT/controller/v1/hall-1/installedBase/1",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/{tenant}/controller/v1/{controller}/confirmationBase",
        "/DEFAULT/controller/v1/hall-1/confirmationBase",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/{tenant}/controller/v1/{controller}/softwaremodules/{module}/artifacts/{file}",
        "/DEFAULT/controller/v1/hall-1/softwaremodules/1/artifacts/file.swu",
        NO_FORM,
        Devices,
    ),
    // Last, for it ends the session.
    ("POST", "/sign-out", "/sign-out", NO_FORM, Anybody),
];

/// Each server function: method, path, what it is called with – a query, or the fields of a form that is no good – and what it asks for.
const FUNCTIONS: &[(&str, &str, &str, Act)] = &[
    ("GET", "/api/home", "", Act::See),
    ("GET", "/api/shell", "", Act::See),
    ("GET", "/api/rooms/list", "query[page]=1", Act::See),
    ("GET", "/api/portfolio/product", "id=bar&page=1", Act::SeePortfolio),
    ("GET", "/api/portfolio/release", "id=UPDATE", Act::Publish),
    (
        "POST",
        "/api/portfolio/add",
        "id=&vendor=v&name=n&kind=app&expected_minutes=1",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/cover",
        "product=nothing&covered=true",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/add-release",
        "product=nothing&version=1&severity=routine",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/add-outside",
        "release=NOTHING&size=1",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/remove-file",
        "release=NOTHING&filename=f",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/publish",
        "release=NOTHING&severity=routine",
        Act::Publish,
    ),
    (
        "POST",
        "/api/portfolio/recall",
        "release=NOTHING&reason=r",
        Act::Publish,
    ),
    ("GET", "/api/portfolio/review", "", Act::Publish),
    ("POST", "/api/portfolio/import", "upload=NOTHING", Act::Publish),
    (
        "POST",
        "/api/settings/edit",
        "name=n&zone=UTC&start_weekday=Mon&window_opens=never",
        Act::EditSettings,
    ),
    ("GET", "/api/freezes/list", "", Act::SeeSettings),
    (
        "GET",
        "/api/freezes/plan",
        "scope=organisation&from=2100-01-01&until=2100-01-02",
        Act::Freeze,
    ),
    (
        "POST",
        "/api/freezes/add",
        "scope=organisation&from=2000-01-01&until=2000-01-02&reason=r",
        Act::Freeze,
    ),
    ("POST", "/api/freezes/lift", "freeze=NOTHING&reason=r", Act::Freeze),
    ("GET", "/api/search", "q=a", Act::See),
    ("GET", "/api/rooms/form", "id=ROOM", Act::EditRooms),
    (
        "POST",
        "/api/rooms/add",
        "name=&site=NOTHING&state=managed",
        Act::EditRooms,
    ),
    (
        "POST",
        "/api/rooms/edit",
        "room=NOTHING&revision=0&name=n&site=NOTHING&state=managed",
        Act::EditRooms,
    ),
    ("POST", "/api/rooms/retire", "room=NOTHING&reason=r", Act::EditRooms),
    ("POST", "/api/rooms/bring-back", "room=NOTHING", Act::EditRooms),
    (
        "POST",
        "/api/rooms/assign",
        "room=NOTHING&from=NOTHING&to=NOTHING",
        Act::EditRings,
    ),
    ("GET", "/api/rooms/review", "", Act::EditRooms),
    ("POST", "/api/rooms/import", "upload=NOTHING", Act::EditRooms),
    (
        "POST",
        "/api/devices/add",
        "room=NOTHING&device=d&model=m",
        Act::ManageDevices,
    ),
    (
        "POST",
        "/api/devices/token",
        "room=NOTHING&device=nobody",
        Act::ManageDevices,
    ),
    (
        "POST",
        "/api/devices/revoke",
        "room=NOTHING&device=nobody",
        Act::ManageDevices,
    ),
    ("GET", "/api/sites/list", "", Act::See),
    ("POST", "/api/sites/add", "name=&zone=UTC", Act::EditRooms),
    (
        "POST",
        "/api/sites/edit",
        "site=NOTHING&name=n&zone=UTC",
        Act::EditRooms,
    ),
    ("GET", "/api/rooms/overview", "id=ROOM", Act::See),
    ("GET", "/api/rooms/updates", "id=ROOM", Act::See),
    ("GET", "/api/rooms/tickets", "id=ROOM", Act::See),
    ("GET", "/api/rooms/history", "id=ROOM", Act::See),
    ("GET", "/api/updates/list", "query[page]=1", Act::See),
    ("GET", "/api/updates/one", "id=UPDATE&rooms[page]=1", Act::See),
    (
        "GET",
        "/api/updates/control",
        "id=UPDATE&what=pause",
        Act::ControlUpdates,
    ),
    (
        "POST",
        "/api/updates/pause",
        "update=NOTHING&reason=r",
        Act::ControlUpdates,
    ),
    (
        "POST",
        "/api/updates/resume-date",
        "update=NOTHING&reason=r",
        Act::ControlUpdates,
    ),
    (
        "POST",
        "/api/updates/resume",
        "update=NOTHING&reason=r",
        Act::ControlUpdates,
    ),
    ("POST", "/api/updates/retry", "update=NOTHING", Act::ControlUpdates),
    (
        "POST",
        "/api/updates/retry-room",
        "update=NOTHING&room=ROOM",
        Act::RetryRoom,
    ),
    (
        "POST",
        "/api/updates/force",
        "update=NOTHING&mode=now&reason=r",
        Act::ControlUpdates,
    ),
    (
        "POST",
        "/api/updates/acknowledge",
        "update=NOTHING&reason=r",
        Act::ControlUpdates,
    ),
    ("POST", "/api/home/announce", "title=", Act::Announce),
    ("POST", "/api/home/take-down", "id=NOTHING", Act::Announce),
    ("POST", "/api/home/dismiss", "id=NOTHING", Act::ManageOwnAccount),
    ("GET", "/api/rings/plan", "", Act::EditRings),
    ("GET", "/api/rings/move-plan", "query[q]=", Act::EditRings),
    ("GET", "/api/rings/list", "", Act::See),
    (
        "POST",
        "/api/rings/add",
        "name=&rollout_days=1&test_days=0",
        Act::EditRings,
    ),
    (
        "POST",
        "/api/rings/edit",
        "ring=NOTHING&name=n&rollout_days=1&test_days=0",
        Act::EditRings,
    ),
    (
        "POST",
        "/api/rings/delete",
        "ring=NOTHING&rooms_to=NOTHING",
        Act::EditRings,
    ),
    ("POST", "/api/rings/move", "to=NOTHING", Act::EditRings),
    ("GET", "/api/tickets/list", "query[page]=1", Act::See),
    ("GET", "/api/tickets/one", "number=7", Act::See),
    ("GET", "/api/tickets/draft", "about[room]=", Act::WorkOnTickets),
    (
        "POST",
        "/api/tickets/record",
        "title=t&description=d&severity=warning&category=Audio&rooms=",
        Act::WorkOnTickets,
    ),
    (
        "POST",
        "/api/tickets/leave-out",
        "update=NOTHING&reason=r",
        Act::WorkOnTickets,
    ),
    ("POST", "/api/tickets/note", "number=7&note=n", Act::WorkOnTickets),
    ("POST", "/api/tickets/assign", "number=7&assignee=", Act::WorkOnTickets),
    (
        "POST",
        "/api/tickets/investigate",
        "number=7&investigating=true",
        Act::WorkOnTickets,
    ),
    (
        "POST",
        "/api/tickets/edit",
        "number=7&title=t&description=d&severity=warning",
        Act::WorkOnTickets,
    ),
    (
        "POST",
        "/api/tickets/resolve",
        "number=7&category=Audio&note=n",
        Act::WorkOnTickets,
    ),
    (
        "POST",
        "/api/tickets/suppress",
        "number=7&until=2025-03-04&reason=r",
        Act::WorkOnTickets,
    ),
    ("GET", "/api/account", "", Act::ManageOwnAccount),
    ("GET", "/api/portfolio", "page=1", Act::SeePortfolio),
    ("GET", "/api/audit", "query[who]=", Act::SeeAudit),
    ("GET", "/api/settings", "", Act::SeeSettings),
    ("GET", "/api/people", "", Act::SeePeople),
    ("GET", "/api/people/one", "id=PERSON", Act::SeePeople),
    ("GET", "/api/tokens", "", Act::SeeTokens),
];

/// Methods and routes of a router, out of its debug output.
fn routes_of(router: &Router) -> BTreeSet<(String, String)> {
    let debug = format!("{router:?}");
    let (routes, rest) = debug
        .split_once("node: Node { paths: {")
        .expect("axum's debug output has its paths");
    let (paths, _) = rest.split_once("} }").expect("and their end");
    let mut by_id: BTreeMap<&str, &str> = BTreeMap::new();
    for path in paths.split("RouteId(").skip(1) {
        let (id, path) = path.split_once("): \"").expect("an id and its path");
        by_id.insert(id, path.split('"').next().expect("its end"));
    }
    let mut found = BTreeSet::new();
    for route in routes.split("RouteId(").skip(1) {
        let (id, endpoint) = route.split_once("): ").expect("an id and what it leads to");
        let path = by_id[id];
        let mut methods: Vec<String> = Vec::new();
        for method in ["get", "post", "put", "delete", "patch", "options", "connect", "trace"] {
            let is_there =
                endpoint.contains(&format!(" {method}: ")) && !endpoint.contains(&format!(" {method}: None"));
            if is_there {
                methods.push(method.to_uppercase());
            }
        }
        if methods.is_empty() {
            // A service that answers every method, or a debug output that this does not understand.
            methods.push("ANY".to_owned());
        }
        found.extend(methods.into_iter().map(|method| (method, path.to_owned())));
    }
    found
}

/// Routes without a row, and rows without a route.
fn strangers(router: &Router) -> BTreeSet<(String, String)> {
    let mut known: BTreeSet<(String, String)> = TABLE
        .iter()
        .map(|(method, route, ..)| ((*method).to_owned(), (*route).to_owned()))
        .collect();
    assert_eq!(known.len(), TABLE.len(), "a row stands twice");
    let functions = FUNCTIONS.iter();
    known.extend(functions.map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())));
    routes_of(router).symmetric_difference(&known).cloned().collect()
}

struct Scene {
    house: House,
    visitors: [(Role, Visitor); 3],
    ids: [(&'static str, String); 3],
}

impl Scene {
    async fn new(engine: Engine) -> Self {
        let house = House::new(engine).await;
        let admin = house.admin().await;
        let visitors = [
            (Role::Admin, admin),
            (Role::Helpdesk, house.person("bo@example.com", Role::Helpdesk).await),
            (Role::Auditor, house.person("cy@example.com", Role::Auditor).await),
        ];
        let people = house.service.people(&testkit::actor()).await.expect("people");
        let ids = [
            ("ROOM", house.room("Hall").await.id.to_string()),
            ("UPDATE", house.publish("2.0").await.to_string()),
            ("PERSON", people[0].id.to_string()),
        ];
        Self { house, visitors, ids }
    }

    fn filled(&self, address: &str) -> String {
        let mut address = address.to_owned();
        for (word, id) in &self.ids {
            address = address.replace(word, id);
        }
        address
    }
}

async fn call(visitor: &Visitor, method: &str, address: &str, form: &[(&str, &str)]) -> Page {
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let request = visitor.request(method.clone(), address);
    if method == reqwest::Method::GET {
        visitor.send(request).await
    } else {
        let request = request.header(reqwest::header::ORIGIN, &visitor.base);
        visitor.send(request.form(form)).await
    }
}

async fn every_route_has_a_row_and_keeps_to_it_a1(engine: Engine) {
    let people = Scene::new(engine).await;
    let router = router(people.house.service.clone(), ServerConfig::default());
    assert_eq!(
        strangers(&router),
        BTreeSet::new(),
        "a route has no row in the table, or a row no route"
    );
    let probed = router.route("/probe/{id}", get(|| async { "nobody asked who I am" }));
    let probe = [("GET".to_owned(), "/probe/{id}".to_owned())];
    assert_eq!(
        strangers(&probed),
        BTreeSet::from(probe),
        "the walk sees a route that was not registered in it"
    );

    let nobody = Visitor::new(&people.house.base);
    for (method, _, address, form, whose) in TABLE {
        let address = people.filled(address);
        let refused = call(&nobody, method, &address, form).await;
        match whose {
            Anybody => assert!(
                refused.status != 403 && refused.status < 500,
                "{method} {address}: {}",
                refused.status
            ),
            People(_) => assert!(refused.leads_to().starts_with("/sign-in"), "{method} {address}"),
            Streams => assert!(refused.leads_to().starts_with("/sign-in"), "{method} {address}"),
            Devices | Functions => assert_eq!(refused.status, 401, "{method} {address}"),
        }
        for (role, visitor) in &people.visitors {
            if *whose == Streams {
                let request = visitor.request(reqwest::Method::GET, &address);
                let head = request.send().await.expect("a head");
                assert_eq!(head.status(), 200, "{role:?} {address}");
                assert_eq!(head.headers()["content-type"], "text/event-stream");
                continue;
            }
            let page = call(visitor, method, &address, form).await;
            let seen = format!("{role:?} {method} {address}: {} {}", page.status, page.text);
            match whose {
                Anybody => assert!(page.status != 403 && page.status < 500, "{seen}"),
                // A device's own token is its only one; who signs in gets no further than nobody.
                Devices => assert_eq!(page.status, 401, "{seen}"),
                Streams => unreachable!("read above"),
                Functions => assert!(page.status < 500 && page.status != 401, "{seen}"),
                People(act) if role.may(*act) => {
                    let is_done = page.status == 303 && !page.leads_to().starts_with("/sign-in");
                    let is_answer = page.status == 200 || is_done || page.text.contains("does not exist");
                    assert!(is_answer, "{seen}");
                }
                People(_) => assert_eq!(page.status, 403, "{seen}"),
            }
        }
    }
    let people = people
        .house
        .database
        .texts("SELECT email || role FROM people ORDER BY email")
        .await;
    assert_eq!(
        people,
        [
            format!("{ADMIN}admin"),
            "bo@example.comhelpdesk".to_owned(),
            "cy@example.comauditor".to_owned()
        ]
    );
}

async fn every_server_function_asks_for_its_right_a1(engine: Engine) {
    let people = Scene::new(engine).await;
    let registered: BTreeSet<String> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect();
    let known: BTreeSet<String> = FUNCTIONS.iter().map(|(_, path, ..)| (*path).to_owned()).collect();
    assert_eq!(registered, known, "a server function has no row in the table of rights");
    let nobody = Visitor::new(&people.house.base);
    let entries = || people.house.database.number("SELECT COUNT(*) FROM audit");
    let before = entries().await;
    for (method, path, with, act) in FUNCTIONS {
        let with = people
            .filled(with)
            .replace("NOTHING", "00000000-0000-0000-0000-000000000001");
        let refused = call_function(&nobody, method, path, &with).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            serde_json::from_str::<AppError>(&refused.text).ok(),
            Some(AppError::SignedOut)
        );
        for (role, visitor) in &people.visitors {
            let page = call_function(visitor, method, path, &with).await;
            let is_answered = [200, 404, 422].contains(&page.status);
            let is_forbidden =
                page.status == 403 && matches!(serde_json::from_str(&page.text), Ok(AppError::Forbidden { .. }));
            let seen = format!("{role:?} {path}: {} {}", page.status, page.text);
            assert_eq!((is_answered, is_forbidden), (role.may(*act), !role.may(*act)), "{seen}");
        }
    }
    assert_eq!(entries().await, before, "nothing was changed");
}

async fn call_function(visitor: &Visitor, method: &str, path: &str, with: &str) -> Page {
    if method == "GET" {
        return visitor.get(&format!("{path}?{with}")).await;
    }
    let request = visitor
        .request(reqwest::Method::POST, path)
        .header(reqwest::header::ORIGIN, &visitor.base);
    let request = request.header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    visitor.send(request.body(with.to_owned())).await
}
