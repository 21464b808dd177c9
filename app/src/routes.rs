//! The pages as the router sees them. They come to the browser in six parts, each when a page of it is first opened, so that the first
//! page does not wait for all of them.
//!
//! What several parts need comes in files of its own; with every page a part there would be hundreds of them. All routes have views of
//! one type: the router's code for another one is a kilobyte, and every page loads it.

use leptos::prelude::*;
use leptos_router::ChooseView;

/// The parts, and what shows each of their pages.
macro_rules! parts {
    ($($part:ident { $($page:ident => $component:path,)+ })+) => {
        /// A page. The part that it is in is loaded when it is opened.
        #[derive(Clone, Copy)]
        pub(crate) enum Page {
            $($($page,)+)+
        }

        $(
            #[leptos::lazy]
            fn $part(page: Page) -> AnyView {
                match page {
                    $(Page::$page => $component().into_any(),)+
                    // It is another part's.
                    _ => ().into_any(),
                }
            }
        )+

        impl ChooseView for Page {
            async fn choose(self) -> AnyView {
                match self {
                    $($(Self::$page)|+ => {
                        #[cfg(feature = "ssr")]
                        crate::hydration::preload_part(stringify!($part));
                        $part(self).await
                    })+
                }
            }

            async fn preload(&self) {}
        }
    };
}

parts! {
    home_part {
        Home => crate::home::HomePage,
    }
    search_part {
        Search => crate::search::SearchPage,
    }
    list_part {
        Updates => crate::updates::UpdatesPage,
    }
    updates_part {
        Update => crate::updates::UpdatePage,
        Rooms => crate::updates::RoomsTab,
        Rings => crate::rings::RingsTab,
    }
    rooms_part {
        Inventory => crate::rooms::InventoryPage,
        Import => crate::rooms::ImportPage,
        Sites => crate::rooms::SitesPage,
        Readiness => crate::readiness::ReadinessPage,
        Software => crate::readiness::SoftwarePage,
        Profile => crate::readiness::ProfilePage,
        Support => crate::support::SupportPage,
        Room => crate::rooms::RoomPage,
        RoomUpdates => crate::rooms::RoomUpdatesPage,
        RoomTickets => crate::rooms::RoomTicketsPage,
        RoomHistory => crate::rooms::RoomHistoryPage,
        Incidents => crate::tickets::IncidentsPage,
        Ticket => crate::tickets::TicketPage,
    }
    office_part {
        Portfolio => crate::portfolio::PortfolioPage,
        Catalogue => crate::portfolio::CataloguePage,
        Product => crate::portfolio::ProductPage,
        Audit => crate::audit::AuditPage,
        Settings => crate::settings::SettingsPage,
        Freezes => crate::freezes::FreezesPage,
        People => crate::access::PeoplePage,
        Person => crate::access::PersonPage,
        Tokens => crate::access::TokensPage,
        Account => crate::access::AccountPage,
    }
}
