//! `nightshift serve`: pages, devices and the tick in one process, until it is told to stop (G3).

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum_server::Handle;
use domain::settings::Settings;
use domain::zone::Zone;
use governor::{Quota, RateLimiter};
use service::{Artifacts, Clock, GatewayToken, ProcessConfig, Service};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::{ClockSource, Serve};
use crate::config::ServerConfig;
use crate::driven::Driver;
use crate::router;
use crate::telemetry::say;
use crate::tls::Certificate;

/// How long what has begun may take after a stop.
const GRACE: Duration = Duration::from_secs(7);

/// How long the first request of a connection may take to begin.
const SLOWEST_START: Duration = Duration::from_secs(15);

/// How long a connection may wait for the next head, and that head take. Longer than proxies keep their connections, or one of them
/// sends a request into a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(90);

/// How long what is closed after that may take: a request that never ends must not keep the program alive (G3).
const CLOSING: Duration = Duration::from_millis(700);

/// Brings a database up to date; the log says how.
pub(crate) async fn migrate(store: &Store) -> Result<()> {
    for migration in store.migrate().await? {
        tracing::info!("{migration}");
    }
    Ok(())
}

pub(crate) async fn serve(options: Serve) -> Result<()> {
    let zone = Zone::parse(&options.zone)?;
    let gateway_token = gateway_token(options.gateway_token.as_deref())?;
    let (driver, clock) = match options.clock {
        ClockSource::System => (None, Clock::System),
        ClockSource::Driven => {
            let (driver, clock) = Driver::start().await?;
            (Some(driver), clock)
        }
    };
    let store = Store::open(&options.database.database, true).await?;
    migrate(&store).await?;
    let tls = match options.tls_certificate.zip(options.tls_key) {
        Some((certificate, key)) => Some(Certificate::open(certificate, key).await?),
        None => None,
    };
    let listener = listen(options.listen).await?;
    let config = ProcessConfig {
        public_url: public_url(options.public_url.as_deref(), listener.local_addr()?, tls.is_some())?,
        tenant: options.tenant,
        gateway_token,
        trusted_proxies: options.trusted_proxies,
    };
    let service = Service::new(store, clock, Artifacts::open(&options.artifacts)?, config);
    service
        .first_start(options.organisation.as_str().into(), zone, Settings::default())
        .await?;
    service.skip_given_action_numbers().await?;
    service.check_zones().await?;
    if let Some(link) = service.first_admin_link().await? {
        // On standard output, beside where it listens: whoever starts the program reads that.
        let public_url = &service.process_config().public_url;
        say(&format!(
            "Nobody has an account yet. Make the first admin: {public_url}/welcome/{link}"
        ));
    }
    let stop = stop_on_signal();
    let ticks = tokio::spawn({
        let (service, stop) = (service.clone(), stop.clone());
        async move {
            // Whatever ends planning ends the program, a fault of ours too: it must not look well without it.
            let _ends_the_program = stop.clone().drop_guard();
            match driver {
                Some(driver) => driver.drive(service, stop).await,
                None => service.run_ticks(stop).await,
            }
        }
    });
    serve_until(listener, tls, service, ServerConfig::default(), stop).await?;
    in_time("the tick", ticks)
        .await
        .transpose()
        .context("the tick ended badly")?;
    Ok(())
}

/// Binds the address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// The gateway's token, where one is set. One that is set and empty is a mistake of whoever set it, and never `off`.
fn gateway_token(given: Option<&str>) -> Result<Option<GatewayToken>> {
    let token = given.map(GatewayToken::parse).transpose();
    token.context("gateway-token (NIGHTSHIFT_GATEWAY_TOKEN)")
}

/// The address that links are made with, without a slash at the end.
pub(crate) fn public_url(given: Option<&str>, local: SocketAddr, is_tls: bool) -> Result<String> {
    let Some(given) = given else {
        if local.ip().is_unspecified() {
            bail!("public-url: missing; devices cannot reach {local}, say how they reach this server");
        }
        let scheme = if is_tls { "https" } else { "http" };
        return Ok(format!("{scheme}://{local}"));
    };
    let trimmed = given.trim_end_matches('/');
    if is_tls && !trimmed.starts_with("https://") {
        bail!("public-url: {given:?} must start with https:// where there is a certificate");
    }
    if !(trimmed.starts_with("http://") || trimmed.starts_with("https://")) || trimmed.contains(['?', '#', ' ']) {
        bail!("public-url: {given:?} must start with http:// or https:// and have no query");
    }
    Ok(trimmed.to_owned())
}

/// Serves until `stop`, then lets what has begun end, for a while.
pub(crate) async fn serve_until(
    listener: TcpListener,
    tls: Option<Certificate>,
    service: Service,
    config: ServerConfig,
    stop: CancellationToken,
) -> Result<()> {
    let address = listener.local_addr()?;
    let store = service.store().clone();
    let config = ServerConfig {
        stop: stop.clone(),
        ..config
    };
    let router = router::router(service, config);
    tokio::spawn(crate::metrics::run_upkeep(stop.clone()));
    let handle = Handle::new();
    let log_limit = RateLimiter::direct(Quota::per_minute(NonZeroU32::MIN));
    let mut server = axum_server::from_tcp(listener.into_std()?)?
        .handle(handle.clone())
        .first_request_timeout(SLOWEST_START)
        .accept_error_handler(move |client: Option<&SocketAddr>, error: &std::io::Error| {
            // With a client it is that connection's own fault.
            if client.is_none() && log_limit.check().is_ok() {
                tracing::error!(error = error as &dyn std::error::Error, "no connection can be accepted");
            }
        });
    // Whoever sends a head byte by byte, or nothing more, holds a connection and nothing else, and not for ever.
    server.http_builder().http1().header_read_timeout(KEEP_ALIVE);
    server
        .http_builder()
        .http2()
        .keep_alive_interval(KEEP_ALIVE)
        .max_concurrent_streams(100);
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let scheme = if tls.is_some() { "https" } else { "http" };
    say(&format!("Nightshift listens on {scheme}://{address}"));
    let serving = async {
        match tls {
            Some(certificate) => {
                tokio::spawn(certificate.clone().reload_when_renewed(stop.clone()));
                server.acceptor(certificate.acceptor()).serve(router).await
            }
            None => server.serve(router).await,
        }
    };
    let overdue = async {
        stop.cancelled().await;
        handle.graceful_shutdown(None);
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served.context("serving failed")?,
        () = overdue => tracing::warn!("stopped with requests still open"),
    }
    in_time("the database", store.close()).await;
    Ok(())
}

/// Waits for what is being closed, but not for ever: whatever was acknowledged is durable already.
pub(crate) async fn in_time<T>(what: &str, closing: impl Future<Output = T>) -> Option<T> {
    let closed = tokio::time::timeout(CLOSING, closing).await.ok();
    if closed.is_none() {
        tracing::warn!("stopped without waiting for {what} any longer");
    }
    closed
}

/// Cancelled by SIGTERM or Ctrl-C.
pub(crate) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        // Stop first: the log may be what does not work.
        token.cancel();
        tracing::info!("stopping");
    });
    stop
}

#[cfg(test)]
mod tests {
    use super::in_time;

    #[tokio::test]
    async fn what_never_closes_does_not_keep_the_program_alive_g3() {
        assert_eq!(in_time("nothing", std::future::pending::<()>()).await, None);
        assert_eq!(in_time("something", async { 1 }).await, Some(1));
    }
}
