//! The program `nightshift`: commands, the web server, the device API, the demo.
//!
//! It holds no rules and no SQL. `cli.rs` lists the commands and `commands.rs` runs them, `router.rs` puts the web server together,
//! `ddi/` speaks with devices, `demo/` brings an estate with devices of its own.

mod access;
mod backup;
pub mod cli;
pub mod commands;
mod config;
pub mod ddi;
pub mod demo;
mod driven;
mod explain;
mod metrics;
pub mod router;
mod serve;
mod site;
mod telemetry;
mod tls;
