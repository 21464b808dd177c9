//! Both engines: what a test function may ask for, and the macro that stamps it for each.

use store::Engine;

/// What a test can be given for the engine that it runs on: the engine itself, or something that is made on it.
pub trait OnEngine {
    /// Makes it; nobody else has it.
    fn make_on(engine: Engine) -> impl Future<Output = Self>;
}

impl OnEngine for Engine {
    async fn make_on(engine: Engine) -> Self {
        engine
    }
}

/// Makes what the test asks for, and runs it. [`both_engines!`](crate::both_engines) calls it.
pub async fn run<T: OnEngine, F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(T) -> F) {
    test(T::make_on(engine).await).await;
}

/// Stamps tests for both engines: each name is an `async fn` beside the macro's call that takes something that is [`OnEngine`].
#[macro_export]
macro_rules! both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                $crate::run($crate::Engine::Sqlite, super::$test).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                $crate::run($crate::Engine::Postgres, super::$test).await;
            })+
        }
    };
}
