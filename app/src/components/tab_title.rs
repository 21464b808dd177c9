//! What the browser's tab says.

use leptos::prelude::*;
use leptos_meta::Title;

/// `{text} · Nightshift`.
#[component]
pub fn TabTitle(
    /// What the page is called.
    text: String,
) -> impl IntoView {
    let text = format!("{text} · Nightshift");
    // The server writes the title into the page as it is (leptos_meta 0.8.7), and rooms are called what people call them.
    let text = if cfg!(feature = "ssr") { escaped(&text) } else { text };
    view! { <Title text /> }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_the_title() {
        assert_eq!(escaped("</title><b>R&D"), "&lt;/title&gt;&lt;b&gt;R&amp;D");
    }
}
