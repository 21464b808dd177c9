//! Tables with explicit roles: below 45 rem a row becomes a card, and the roles keep the semantics.

use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::address;
use super::icon::Icon;

/// A table with its caption, head and rows.
#[component]
pub fn DataTable(
    /// Its class: which table it is.
    kind: &'static str,
    /// Its name, for people who do not see it.
    #[prop(into)]
    caption: String,
    /// The cells of the head.
    head: AnyView,
    /// The row of sums, if any.
    #[prop(optional)]
    foot: Option<AnyView>,
    /// The rows come in groups, each a `<tbody>` of its own.
    #[prop(optional)]
    grouped: bool,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let body = if grouped {
        children()
    } else {
        view! { <tbody role="rowgroup">{children()}</tbody> }.into_any()
    };
    let foot = foot.map(|row| view! { <tfoot role="rowgroup">{row}</tfoot> }.into_any());
    view! {
        <div class="table-wrap">
            <table class=format!("table {kind}") role="table">
                <caption class="vh">{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{head}</tr>
                </thead>
                {body}
                {foot}
            </table>
        </div>
    }
}

/// A cell of the head.
#[component]
pub fn Head(
    /// Its words.
    label: &'static str,
    #[prop(optional, into)] class: Option<&'static str>,
    /// What stands below it needs no words for people who see it.
    #[prop(optional)]
    hidden: bool,
) -> impl IntoView {
    let label = if hidden {
        view! { <span class="vh">{label}</span> }.into_any()
    } else {
        label.into_any()
    };
    view! {
        <th scope="col" role="columnheader" class=class>
            {label}
        </th>
    }
}

/// A cell of the head that sorts.
#[component]
pub fn SortHead(
    /// Its words.
    label: &'static str,
    class: &'static str,
    /// What it sorts by, in the address.
    column: &'static str,
    /// The page.
    path: &'static str,
    /// The address's query.
    query: ParamsMap,
) -> impl IntoView {
    let order = Order::of(query.get_str("sort").unwrap_or_default(), column);
    let href = address::with(path, &query, "sort", &order.next(column));
    let arrow = order.icon().map(|name| view! { <Icon name /> }.into_any());
    view! {
        <th scope="col" role="columnheader" class=class aria-sort=order.aria()>
            <a class="sort" href=href data-noscroll="">
                {label}
                {arrow}
            </a>
        </th>
    }
}

/// The cell that names its row.
#[component]
pub fn NameCell(
    /// A second class.
    #[prop(optional)]
    class: &'static str,
    /// `rowgroup`, where it names a group of rows.
    #[prop(default = "row")]
    scope: &'static str,
    /// What stands in it.
    children: Children,
) -> impl IntoView {
    let class = if class.is_empty() {
        "main-cell".to_owned()
    } else {
        format!("main-cell {class}")
    };
    view! {
        <th scope=scope role="rowheader" class=class>
            {children()}
        </th>
    }
}

/// Any other cell.
#[component]
pub fn Cell(
    #[prop(optional, into)] class: Option<&'static str>,
    /// The words of its head, where cards print them in front.
    #[prop(optional, into)]
    label: Option<&'static str>,
    /// What stands in it.
    children: Children,
) -> impl IntoView {
    view! {
        <td role="cell" class=class data-label=label>
            {children()}
        </td>
    }
}

/// How a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    None,
    Ascending,
    Descending,
}

impl Order {
    fn of(sort: &str, column: &str) -> Self {
        match sort.strip_prefix('-') {
            Some(descending) if descending == column => Self::Descending,
            None if sort == column => Self::Ascending,
            Some(_) | None => Self::None,
        }
    }

    /// Up, down, and back to the order that concerns people.
    fn next(self, column: &str) -> String {
        match self {
            Self::None => column.to_owned(),
            Self::Ascending => format!("-{column}"),
            Self::Descending => String::new(),
        }
    }

    fn aria(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Ascending => Some("ascending"),
            Self::Descending => Some("descending"),
        }
    }

    fn icon(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Ascending => Some("sort-up"),
            Self::Descending => Some("sort-down"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_sorts_up_then_down_then_not_at_all() {
        let up = Order::of("", "ends").next("ends");
        assert_eq!(up, "ends");
        let down = Order::of(&up, "ends").next("ends");
        assert_eq!(down, "-ends");
        assert_eq!(Order::of(&down, "ends").next("ends"), "");
        assert_eq!(Order::of("-starts", "ends"), Order::None);
    }
}
