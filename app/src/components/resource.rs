//! What the server answers, and how it comes with a page.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON, read from bytes like the answers of server functions. Leptos' own codec reads it from text, with which the browser would have to
/// load the readers of all types twice.
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, serde_json::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, serde_json::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}

/// What the server answers: with the page, and whenever the browser asks again.
pub type JsonResource<T> = Resource<T, Json>;

/// Asks on the server, sends what it brings with the page, and asks again in the browser whenever `source` changes.
pub fn json_resource<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    ask: impl Fn(S) -> F + Send + Sync + 'static,
) -> JsonResource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(source, ask, false)
}

/// Shows what takes a while, and keeps showing it while it is asked for again; before it is there the first time, `fallback`.
///
/// All of it has one type, whatever it shows: the browser loads the code around it once, and not again for each page and part.
pub fn transition<F>(content: impl Fn() -> F + Send + Sync + 'static, fallback: fn() -> AnyView) -> AnyView
where
    F: Future<Output = AnyView> + Send + 'static,
{
    boxed_transition(Box::new(move || Box::pin(content())), fallback)
}

/// Nothing.
pub fn empty_view() -> AnyView {
    ().into_any()
}

type Content = Pin<Box<dyn Future<Output = AnyView> + Send>>;

fn boxed_transition(content: Box<dyn Fn() -> Content + Send + Sync>, fallback: fn() -> AnyView) -> AnyView {
    view! { <Transition fallback=fallback>{move || Suspend::new(content())}</Transition> }.into_any()
}
