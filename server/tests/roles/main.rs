//! The role walk (SPEC A1): every route of the built router and every server function has a row in a table, and is called by each
//! role and by nobody. `routes.rs` and `functions.rs` have the tables.
//!
//! axum lists its routes nowhere but in its debug output, so that is read; a route that a table does not know fails the walk, and a
//! probe shows that it does.

mod functions;
mod routes;

use std::collections::{BTreeMap, BTreeSet};

use app::error::AppError;
use axum::Router;
use axum::routing::get;
use domain::access::Role;
use domain::conversation::programs::ProgramList;
use server::router::{ServerConfig, routes};
use testkit::visitor::{Page, Visitor};
use testkit::{ADMIN, Engine, House, both_engines};

use functions::FUNCTIONS;
use routes::TABLE;
use routes::Whose::{Anybody, Devices, Functions, People, Streams};

both_engines![
    every_route_has_a_row_and_keeps_to_it_a1,
    every_server_function_asks_for_its_right_a1,
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
    ids: [(&'static str, String); 4],
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
        let device = house.device_id("hall-1").await;
        let list = ProgramList {
            taken_at: house.now(),
            programs: Vec::new(),
        };
        let taken = house.service.programs(device, list).await.expect("a query");
        taken.expect("a list of programs");
        let ids = [
            ("DEVICE", device.to_string()),
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
    let router = routes(people.house.service.clone(), ServerConfig::default());
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
