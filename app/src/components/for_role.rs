//! What is offered only to those who may do it (A1). The service decides; this only spares people a refusal.

use domain::access::{Act, Role};
use leptos::prelude::*;

use super::resource::{empty_view, transition};
use super::show_resource::PageResource;
use crate::components::model::ShellView;

/// What the server says of whoever is here.
#[derive(Clone, Copy)]
pub struct SignedInPerson(PageResource<ShellView>);

impl SignedInPerson {
    /// Puts it into the context of everything below.
    pub fn provide(shell: PageResource<ShellView>) {
        provide_context(Self(shell));
    }
}

/// Its content, for those who may.
#[component]
pub fn ForRole(
    /// Who may do this.
    act: Act,
    /// The content.
    children: ChildrenFn,
) -> impl IntoView {
    let person = use_context::<SignedInPerson>();
    let content = move || {
        let children = children.clone();
        async move {
            let role: Option<Role> = match person {
                Some(SignedInPerson(shell)) => shell.await.ok().map(|shell| shell.person.role),
                None => None,
            };
            if role.is_some_and(|role| role.may(act)) {
                children()
            } else {
                empty_view()
            }
        }
    };
    transition(content, empty_view)
}
