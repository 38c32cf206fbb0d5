//! The `onhand` binary: one program, its roles and tools as subcommands.

use std::process::ExitCode;

#[macro_use]
mod output;

mod cli;
mod cmd;
mod config;
mod exit;
mod logging;
mod roles;
mod shops_file;
mod when;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Err(error) = logging::init(&cli.settings, cli.is_role()) {
        return exit::report(&error);
    }
    // One TLS provider for broker and database; without it rustls panics at first use.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&anyhow::Error::new(error)),
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
