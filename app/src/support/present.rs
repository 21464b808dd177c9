//! Support in the words of its page.

use std::cmp::Reverse;

use chrono::NaiveDate;
use domain::lifecycle::SupportGroup;
use domain::time_text;
use domain::update::titled;
use service::read::support::{ProductSupport, SupportFilter, SupportRoom, SupportedVersion, VersionItem};

use crate::components::model::Choice;
use crate::context::{RequestContext, Result};
use crate::formats;
use crate::rooms::present::{cursor_text, page_of};
use crate::support::model::{
    GroupCount, ProductSupportView, RoomVersionView, SupportQuery, SupportRow, SupportView, VersionRow,
};

impl RequestContext {
    /// Rooms by how long what they have is supported (L5).
    ///
    /// # Errors
    /// The date is no good, or ahead.
    pub async fn list_support(&self, query: SupportQuery) -> Result<SupportView> {
        let mut snapshot = self.snapshot().await?;
        let filter = support_filter(&query)?;
        let page = page_of(&query.after, &query.before);
        let found = snapshot.support_page(&filter, &page, formats::PAGE).await?;
        let text = formats::count(found.total, "room", "rooms");
        let pager = formats::paged(text, &found.rooms, |name, room| {
            formats::query(&[
                ("product", &query.product),
                ("group", &query.group),
                ("date", &query.date),
                ("version", &query.version),
                (name, &cursor_text(room)),
            ])
        });
        let zone = &snapshot.organisation.zone;
        let choices = found.products.iter().map(|product| Choice {
            value: product.id.to_string(),
            label: product.name.clone(),
        });
        // One that no room has is shown to whoever asks for it.
        let chosen = |product: &&ProductSupport| match query.product.as_str() {
            "" => !product.versions.is_empty(),
            id => product.id.0 == id,
        };
        let mut products: Vec<&ProductSupport> = found.products.iter().filter(chosen).collect();
        // What somebody should look at first; what nobody knows comes last.
        products.sort_by_key(|product| {
            let rooms = |group| product.rooms.get(&group).copied().unwrap_or(0);
            (
                Reverse(rooms(SupportGroup::Unsupported)),
                Reverse(rooms(SupportGroup::Ending)),
                rooms(SupportGroup::Supported) == 0,
            )
        });
        Ok(SupportView {
            as_of: format!("As of {} ({})", time_text::dated(found.date), zone.city()),
            is_past: found.is_past,
            rule: found.rule.sentence(),
            today: zone.date(snapshot.now).to_string(),
            choices: choices.collect(),
            products: products.into_iter().map(product_view).collect(),
            rows: found.rooms.items.into_iter().map(row).collect(),
            pager,
        })
    }
}

/// The rooms that an address asks for, on all pages.
///
/// # Errors
/// The date cannot be read.
pub fn support_filter(query: &SupportQuery) -> Result<SupportFilter> {
    let date = match query.date.trim() {
        "" => None,
        text => Some(formats::parsed_day("date", text)?),
    };
    Ok(SupportFilter {
        date,
        product: Some(query.product.clone()).filter(|product| !product.is_empty()),
        version: Some(query.version.clone()).filter(|version| !version.is_empty() && !query.product.is_empty()),
        group: match query.group.as_str() {
            "" if query.version.is_empty() => Some(SupportGroup::Unsupported),
            // `all`, and what means nothing.
            word => SupportGroup::from_word(word),
        },
    })
}

/// The words of a group on screen.
pub(crate) fn label(group: SupportGroup) -> &'static str {
    match group {
        SupportGroup::Unsupported => "Out of support",
        SupportGroup::Ending => "Ends within 60 days",
        SupportGroup::Supported => "Supported",
        SupportGroup::Unknown => "Unknown",
    }
}

/// The last day of support and the days left: `Until Tue 4 Mar 2025, 12 days left`.
pub(crate) fn until(last_day: Option<NaiveDate>, days_left: Option<i64>, group: SupportGroup) -> String {
    match (last_day, days_left) {
        (Some(last), Some(left)) if left >= 0 => {
            format!(
                "Until {}, {} left",
                time_text::dated(last),
                formats::count(left, "day", "days")
            )
        }
        (Some(last), Some(left)) => {
            format!(
                "Until {}, {} ago",
                time_text::dated(last),
                formats::count(-left, "day", "days")
            )
        }
        (Some(_) | None, _) if group == SupportGroup::Unknown => "Not known".to_owned(),
        (Some(_) | None, _) => "No end is known".to_owned(),
    }
}

fn product_view(product: &ProductSupport) -> ProductSupportView {
    let groups = SupportGroup::ALL.map(|group| GroupCount {
        group: group.as_str().to_owned(),
        label: label(group).to_owned(),
        rooms: product.rooms.get(&group).copied().unwrap_or(0),
    });
    ProductSupportView {
        id: product.id.to_string(),
        name: product.name.clone(),
        groups: groups.to_vec(),
        versions: product.versions.iter().map(version_row).collect(),
    }
}

fn version_row(item: &VersionItem) -> VersionRow {
    VersionRow {
        is_reported: item.version.is_some(),
        version: item.version.clone().unwrap_or_else(|| "Not reported".to_owned()),
        group: item.group.as_str().to_owned(),
        label: label(item.group).to_owned(),
        until: until(item.last_day, item.days_left, item.group),
        why: item.why.clone(),
        rooms: item.rooms,
    }
}

fn row(room: SupportRoom) -> SupportRow {
    SupportRow {
        id: room.id,
        name: room.name,
        site: room.site,
        versions: room.versions.iter().map(room_version).collect(),
    }
}

fn room_version(version: &SupportedVersion) -> RoomVersionView {
    let text = version.version.as_deref();
    RoomVersionView {
        title: text.map_or_else(
            || format!("{}, version not reported", version.name),
            |text| titled(&version.name, text),
        ),
        group: version.group.as_str().to_owned(),
        label: label(version.group).to_owned(),
        until: until(version.last_day, version.days_left, version.group),
        projected: version.projected.clone(),
    }
}
