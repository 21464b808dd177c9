//! The pages as the router sees them. They come to the browser in five parts, each when a page of it is first opened, so that the first
//! page does not wait for all of them.
//!
//! What several parts need comes in files of its own; with every page a part there would be hundreds of them.

use std::future::Future;

use leptos::prelude::*;
use leptos_router::{Lazy, LazyRoute};

/// A page that is loaded when it is opened.
pub(crate) fn lazy<T: LazyRoute>() -> Lazy<T> {
    Lazy::new()
}

/// A part: its function, its pages, and where each of them is.
macro_rules! part {
    ($part:ident, $Page:ident { $($page:ident => $component:path,)+ }) => {
        #[derive(Clone, Copy)]
        enum $Page {
            $($page,)+
        }

        #[leptos::lazy]
        fn $part(page: $Page) -> AnyView {
            match page {
                $($Page::$page => $component().into_any(),)+
            }
        }

        $(
            pub(crate) struct $page;

            impl LazyRoute for $page {
                fn data() -> Self {
                    Self
                }

                fn view(_this: Self) -> impl Future<Output = AnyView> {
                    #[cfg(feature = "ssr")]
                    crate::start::announce(stringify!($part));
                    $part($Page::$page)
                }
            }
        )+
    };
}

part!(front_part, FrontPage {
    Home => crate::home::HomePage,
    Search => crate::search::SearchPage,
});

part!(list_part, ListPage {
    Updates => crate::updates::UpdatesPage,
});

part!(updates_part, UpdatesPage {
    Update => crate::updates::UpdatePage,
    Rooms => crate::updates::RoomsTab,
    Rings => crate::updates::RingsTab,
});

part!(rooms_part, RoomsPage {
    Inventory => crate::rooms::InventoryPage,
    Import => crate::rooms::ImportPage,
    Sites => crate::rooms::SitesPage,
    Room => crate::rooms::RoomPage,
    RoomUpdates => crate::rooms::RoomUpdatesPage,
    RoomTickets => crate::rooms::RoomTicketsPage,
    RoomHistory => crate::rooms::RoomHistoryPage,
    Incidents => crate::tickets::IncidentsPage,
    Ticket => crate::tickets::TicketPage,
});

part!(office_part, OfficePage {
    Portfolio => crate::portfolio::PortfolioPage,
    Catalogue => crate::portfolio::CataloguePage,
    Product => crate::portfolio::ProductPage,
    Audit => crate::audit::AuditPage,
    Settings => crate::settings::SettingsPage,
    Freezes => crate::settings::FreezesPage,
    People => crate::access::PeoplePage,
    Person => crate::access::PersonPage,
    Tokens => crate::access::TokensPage,
    Account => crate::access::AccountPage,
});
