//! What the browser's tab says.

use leptos::prelude::*;

/// `{text} · Nightshift`.
#[component]
pub fn TabTitle(
    /// What the page is called.
    text: String,
) -> impl IntoView {
    let text = format!("{text} · Nightshift");
    #[cfg(feature = "ssr")]
    {
        // It writes the title into the page as it is (leptos_meta 0.8.7), and rooms are called what people call them.
        let text = escaped(&text);
        // It is registered for the head; nothing stands here.
        _ = view! { <leptos_meta::Title text /> };
    }
    // In the browser that is one call.
    #[cfg(not(feature = "ssr"))]
    Effect::new(move |_| document().set_title(&text));
}

#[cfg(any(feature = "ssr", test))]
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
