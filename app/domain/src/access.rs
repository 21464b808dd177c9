//! Who may do what (A1): roles, and what there is to do. One table, asked by the service before it acts and by pages before they
//! offer something. It must not know people, sessions or routes.

use serde::{Deserialize, Serialize};

/// What a person is here for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Sees rooms, updates, rings and tickets; works on tickets; retries a failed room.
    Helpdesk,
    /// Sees everything, changes nothing.
    Auditor,
}

/// Something to do: one for each call of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Home, rooms, updates, rings and tickets.
    See,
    SeePortfolio,
    SeeAudit,
    SeeSettings,
    /// What the organisation has set.
    EditSettings,
    /// Everybody's names, roles and sessions.
    SeePeople,
    /// Own password, own sessions.
    ManageOwnAccount,
    /// Accounts of others.
    ManagePeople,
    /// Which tokens programs have.
    SeeTokens,
    /// Tokens of programs.
    ManageTokens,
    /// Pausing, resuming, forcing, cancelling and acknowledging updates, and retrying all rooms that have failed.
    ControlUpdates,
    /// One failed room again.
    RetryRoom,
    /// Asking the devices of a room for their facts.
    RefreshFacts,
    /// Releases and their files, publishing, recalls, catalogues.
    Publish,
    /// Rings, and which rooms are in them.
    EditRings,
    Freeze,
    /// Rooms and sites.
    EditRooms,
    /// Waivers, reviewed software, and that a new room is ready.
    DecideReadiness,
    /// Tokens of devices.
    ManageDevices,
    WorkOnTickets,
    /// Announcements for everybody.
    Announce,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Helpdesk, Self::Auditor];

    /// The word in rows and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Helpdesk => "helpdesk",
            Self::Auditor => "auditor",
        }
    }

    /// The word on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Helpdesk => "Helpdesk",
            Self::Auditor => "Auditor",
        }
    }

    /// The role of a word that [`Role::as_str`] gave.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The table of rights.
    #[must_use]
    pub fn may(self, act: Act) -> bool {
        match (self, act) {
            (Self::Admin, _) | (_, Act::See | Act::ManageOwnAccount) => true,
            (Self::Helpdesk, Act::RetryRoom | Act::RefreshFacts | Act::WorkOnTickets) => true,
            (Self::Auditor, Act::SeePortfolio | Act::SeeAudit | Act::SeeSettings | Act::SeePeople | Act::SeeTokens) => {
                true
            }
            (
                Self::Helpdesk,
                Act::SeePortfolio
                | Act::SeeAudit
                | Act::SeeSettings
                | Act::EditSettings
                | Act::SeePeople
                | Act::ManagePeople
                | Act::SeeTokens
                | Act::ManageTokens
                | Act::ControlUpdates
                | Act::Publish
                | Act::EditRings
                | Act::Freeze
                | Act::EditRooms
                | Act::DecideReadiness
                | Act::ManageDevices
                | Act::Announce,
            )
            | (
                Self::Auditor,
                Act::EditSettings
                | Act::ManagePeople
                | Act::ManageTokens
                | Act::ControlUpdates
                | Act::RetryRoom
                | Act::RefreshFacts
                | Act::Publish
                | Act::EditRings
                | Act::Freeze
                | Act::EditRooms
                | Act::DecideReadiness
                | Act::ManageDevices
                | Act::WorkOnTickets
                | Act::Announce,
            ) => false,
        }
    }
}

impl Act {
    /// Everything there is to do.
    pub const ALL: [Self; 21] = [
        Self::See,
        Self::SeePortfolio,
        Self::SeeAudit,
        Self::SeeSettings,
        Self::EditSettings,
        Self::SeePeople,
        Self::ManageOwnAccount,
        Self::ManagePeople,
        Self::SeeTokens,
        Self::ManageTokens,
        Self::ControlUpdates,
        Self::RetryRoom,
        Self::RefreshFacts,
        Self::Publish,
        Self::EditRings,
        Self::Freeze,
        Self::EditRooms,
        Self::DecideReadiness,
        Self::ManageDevices,
        Self::WorkOnTickets,
        Self::Announce,
    ];

    /// What it is called behind `may not`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::See => "see rooms and updates",
            Self::SeePortfolio => "see the portfolio",
            Self::SeeAudit => "see the audit",
            Self::SeeSettings => "see settings",
            Self::EditSettings => "change settings",
            Self::SeePeople => "see accounts",
            Self::ManageOwnAccount => "change an account",
            Self::ManagePeople => "change accounts",
            Self::SeeTokens => "see tokens",
            Self::ManageTokens => "make or revoke tokens",
            Self::ControlUpdates => "pause, resume, retry, force or acknowledge updates",
            Self::RetryRoom => "retry a room",
            Self::RefreshFacts => "ask devices for their facts",
            Self::Publish => "change or publish releases",
            Self::EditRings => "change rings or move rooms",
            Self::Freeze => "make or lift freezes",
            Self::EditRooms => "add or change rooms",
            Self::DecideReadiness => "waive checks, review software or confirm rooms",
            Self::ManageDevices => "hand out or revoke device tokens",
            Self::WorkOnTickets => "work on tickets",
            Self::Announce => "announce anything",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(role: Role) -> Vec<Act> {
        Act::ALL.into_iter().filter(|act| role.may(*act)).collect()
    }

    #[test]
    fn an_admin_may_do_everything_a1() {
        assert_eq!(rights(Role::Admin), Act::ALL);
    }

    #[test]
    fn helpdesk_sees_rooms_and_updates_works_on_tickets_and_retries_a_room_a1() {
        assert_eq!(
            rights(Role::Helpdesk),
            [
                Act::See,
                Act::ManageOwnAccount,
                Act::RetryRoom,
                Act::RefreshFacts,
                Act::WorkOnTickets
            ]
        );
    }

    #[test]
    fn an_auditor_sees_everything_and_changes_nothing_but_the_own_account_a1() {
        assert_eq!(
            rights(Role::Auditor),
            [
                Act::See,
                Act::SeePortfolio,
                Act::SeeAudit,
                Act::SeeSettings,
                Act::SeePeople,
                Act::ManageOwnAccount,
                Act::SeeTokens
            ]
        );
    }
}
