//! Every route of the built router, and who may use it.

use domain::access::Act;

use Whose::{Anybody, Devices, Functions, People, Streams};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Anybody, and it tells nobody anything that is not public.
    Anybody,
    /// Whoever has this right; others are forbidden it, and nobody is asked to sign in.
    People(Act),
    /// A device with its own token, and no person.
    Devices,
    /// Whoever has signed in; it never ends by itself, so only its head is read.
    Streams,
    /// Each server function for itself: `functions.rs`.
    Functions,
}

/// Method, route, an address of it, the fields of a form that is no good, and who may. `ROOM`, `UPDATE`, `PERSON`, `DEVICE` stand for ids.
pub type Row = (
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
pub const TABLE: &[Row] = &[
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
    ("GET", "/readiness.csv", "/readiness.csv", NO_FORM, People(Act::See)),
    ("GET", "/support.csv", "/support.csv", NO_FORM, People(Act::See)),
    ("GET", "/rooms/support", "/rooms/support", NO_FORM, People(Act::See)),
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
    ("GET", "/rooms/readiness", "/rooms/readiness", NO_FORM, People(Act::See)),
    (
        "GET",
        "/rooms/readiness/software",
        "/rooms/readiness/software",
        NO_FORM,
        People(Act::See),
    ),
    (
        "GET",
        "/rooms/readiness/profile",
        "/rooms/readiness/profile",
        NO_FORM,
        People(Act::See),
    ),
    (
        "PUT",
        "/{tenant}/controller/v1/{controller}/inventory",
        "/DEFAULT/controller/v1/hall-1/inventory",
        NO_FORM,
        Devices,
    ),
    (
        "GET",
        "/devices/{id}/programs.csv",
        "/devices/DEVICE/programs.csv",
        NO_FORM,
        People(Act::See),
    ),
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
    // What the protocol has and this server has not: 404 for everybody, whatever the method.
    (
        "ANY",
        "/{tenant}/controller/v1/{controller}/{*rest}",
        "/DEFAULT/controller/v1/hall-1/unknown",
        NO_FORM,
        Anybody,
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
