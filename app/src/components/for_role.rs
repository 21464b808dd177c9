//! What is offered only to those who may do it (A1). The service decides; this only spares people a refusal.

use domain::access::{Act, Role};
use leptos::prelude::*;

use crate::error::AppError;
use crate::view::ShellView;

/// What the server says of whoever is here.
#[derive(Clone, Copy)]
pub struct WhoIsHere(Resource<Result<ShellView, AppError>>);

impl WhoIsHere {
    /// Puts it into the context of everything below.
    pub fn provide(shell: Resource<Result<ShellView, AppError>>) {
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
    let here = use_context::<WhoIsHere>();
    let content = move || {
        let children = children.clone();
        Suspend::new(async move {
            let role: Option<Role> = match here {
                Some(WhoIsHere(shell)) => shell.await.ok().map(|shell| shell.person.role),
                None => None,
            };
            role.is_some_and(|role| role.may(act)).then(|| children())
        })
    };
    view! { <Transition>{content}</Transition> }
}
