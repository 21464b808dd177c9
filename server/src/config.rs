//! What the parts of the web server know of the process around them.

use tokio_util::sync::CancellationToken;

/// How this server runs, as far as its pages need to know it.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// In the demo: `The clock runs at 600×.`
    pub demo_clock: Option<String>,
    /// Told to stop: streams end.
    pub stop: CancellationToken,
}
