//! The command line. `--help` is the reference.

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Settings, file};
use crate::{cmd, roles};

/// One pool of stock, many sales channels, every unit sold exactly once.
#[derive(Debug, Parser)]
#[command(
    name = "onhand",
    version,
    arg_required_else_help = true,
    after_help = "Every setting is a flag, an environment variable, or a key of onhand.toml \
        (the flag's name with underscores), in this order.\n\n\
        Exit codes: 0 fine, 1 the thing asked about is not fine, 2 bad usage or configuration, \
        3 the database or the broker cannot be reached.\n\n\
        Example: onhand demo"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process: ingress, worker, and their queue and store.
    #[command(after_help = "Example: onhand serve --shops shops.toml --listen 127.0.0.1:8080")]
    Serve(roles::ServeArgs),
    /// Receive webhooks and queue them (fleet).
    #[command(after_help = "Example: onhand ingress --listen 0.0.0.0:8080")]
    Ingress(roles::IngressArgs),
    /// Apply queued webhooks to the store (fleet).
    #[command(after_help = "Example: onhand worker --lanes 4 --ops-listen 127.0.0.1:8083")]
    Worker(roles::WorkerArgs),
    /// Serve the console: pages to see and mend what goes on (fleet; `serve` has it, too).
    #[command(after_help = "Example: onhand console --ops-listen 127.0.0.1:8081")]
    Console(roles::ConsoleArgs),
    /// Bring the database's schema up to date.
    #[command(after_help = "Example: onhand migrate --database-url postgres://me@db/onhand")]
    Migrate,
    /// Watch a simulated flash sale on a fresh instance, with a crash in the middle.
    Demo(cmd::demo::DemoArgs),
    /// Look at the shops file, and at how shops are doing.
    #[command(subcommand, after_help = "Example: onhand shop check")]
    Shop(cmd::shop::ShopCommand),
    /// Count, correct, import and explain stock.
    #[command(subcommand, after_help = "Example: onhand stock list")]
    Stock(cmd::stock::StockCommand),
    /// Say what a shop's variants stand for: items, or kits of several.
    #[command(subcommand, after_help = "Example: onhand listing list")]
    Listing(cmd::listing::ListingCommand),
    /// Explain an order, or try a short one again.
    #[command(subcommand, after_help = "Example: onhand order show demo 5001")]
    Order(cmd::order::OrderCommand),
    /// See payments, and the orders that they pay for.
    #[command(subcommand, after_help = "Example: onhand payment list --unlinked")]
    Payment(cmd::payment::PaymentCommand),
    /// See and close what customers asked of whoever holds their data.
    #[command(subcommand, after_help = "Example: onhand privacy list")]
    Privacy(cmd::privacy::PrivacyCommand),
    /// See what became of webhooks.
    #[command(subcommand, after_help = "Example: onhand webhook list --outcome short")]
    Webhook(cmd::webhook::WebhookCommand),
    /// See, replay and discard what could not be applied.
    #[command(subcommand, after_help = "Example: onhand dead list")]
    Dead(cmd::dead::DeadCommand),
    /// Remove old bodies; never the ledger, what tells repeats, or open dead letters.
    Prune(cmd::prune::PruneArgs),
    /// Have webhooks wait, of one shop or all; they are taken and answered all the same.
    Pause(cmd::pause::PauseArgs),
    /// Go on after a pause.
    Resume(cmd::pause::ResumeArgs),
    /// How many webhooks had which outcome, and what is waiting.
    #[command(after_help = "Example: onhand status --json")]
    Status,
    /// Watch what goes on: rates, what waits, what is wrong.
    Top(cmd::top::TopArgs),
    /// Check the promises over everything in the database, while it is in use.
    #[command(after_help = "Example: onhand verify")]
    Verify,
    /// Say what a webhook's body means. Moves nothing.
    Explain(cmd::explain::ExplainArgs),
    /// Play the platforms: send signed webhooks to any http:// URL.
    Simulate(cmd::simulate::SimulateArgs),
    /// Check configuration, database, broker and clock, and say how to mend what is wrong.
    #[command(after_help = "Example: onhand doctor")]
    Doctor(cmd::doctor::DoctorArgs),
    /// See whether alerts reach somebody.
    #[command(subcommand, after_help = "Example: onhand alert test")]
    Alert(cmd::alert::AlertCommand),
    /// Ask a role whether it is alive; for container health checks.
    #[command(after_help = "Example: onhand healthcheck http://127.0.0.1:8083/healthz")]
    Healthcheck(HealthcheckArgs),
}

#[derive(Debug, Args)]
struct HealthcheckArgs {
    /// What to GET; fine if it answers 200.
    #[arg(default_value = "http://127.0.0.1:8081/healthz")]
    url: String,
}

/// Reads the command line, the environment and onhand.toml. `Err`: all is said; exit with this.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let command = Cli::command();
    let (command, source) = match file::defaults(command) {
        Ok(with_defaults) => with_defaults,
        Err(error) => return Err(crate::exit::report(&error)),
    };
    let parsed = command
        .clone()
        .try_get_matches()
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| file::explain(&command, &error, &source))
}

impl Cli {
    pub(crate) fn is_role(&self) -> bool {
        matches!(
            self.command,
            Command::Serve(_) | Command::Ingress(_) | Command::Worker(_) | Command::Console(_)
        )
    }

    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.settings;
        match self.command {
            Command::Serve(args) => roles::serve(&settings, args).await,
            Command::Ingress(args) => roles::ingress(&settings, args).await,
            Command::Worker(args) => roles::worker(&settings, args).await,
            Command::Console(args) => roles::console(&settings, args).await,
            Command::Migrate => cmd::migrate::run(&settings).await,
            Command::Demo(args) => cmd::demo::run(&settings, args).await,
            Command::Shop(command) => cmd::shop::run(&settings, command).await,
            Command::Stock(command) => cmd::stock::run(&settings, command).await,
            Command::Listing(command) => cmd::listing::run(&settings, command).await,
            Command::Order(command) => cmd::order::run(&settings, command).await,
            Command::Payment(command) => cmd::payment::run(&settings, command).await,
            Command::Privacy(command) => cmd::privacy::run(&settings, command).await,
            Command::Webhook(command) => cmd::webhook::run(&settings, command).await,
            Command::Dead(command) => cmd::dead::run(&settings, command).await,
            Command::Prune(args) => cmd::prune::run(&settings, &args).await,
            Command::Pause(args) => cmd::pause::pause(&settings, args).await,
            Command::Resume(args) => cmd::pause::resume(&settings, args).await,
            Command::Status => cmd::status::run(&settings).await,
            Command::Top(args) => cmd::top::run(&settings, args).await,
            Command::Verify => cmd::verify::run(&settings).await,
            Command::Explain(args) => cmd::explain::run(&settings, &args),
            Command::Simulate(args) => cmd::simulate::run(&settings, args).await,
            Command::Doctor(args) => cmd::doctor::run(&settings, &args).await,
            Command::Alert(command) => cmd::alert::run(&settings, command).await,
            Command::Healthcheck(args) => cmd::healthcheck::run(&args.url).await,
        }
    }
}
