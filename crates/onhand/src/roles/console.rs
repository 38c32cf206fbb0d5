//! The console: its tokens, and the role that serves nothing else.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use console::{Access, Console, Ingresses, MetricsUrl};
use queue::Broker;
use secrecy::SecretString;
use store::AnyStore;

use super::watching::{AlertArgs, Every, every};
use super::{Needs, Role, bounded};
use crate::config::Settings;
use crate::exit::bad_config;

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    #[command(flatten)]
    access: AccessArgs,
    /// Where an ingress shows its metrics, for how fast it acknowledges webhooks and how many of each
    /// shop it refuses: as in http://ingress:8082/metrics. May be given more than once (in the
    /// environment with commas between); a name may stand for several ingresses, and each is asked
    #[arg(long, env = "ONHAND_INGRESS_METRICS", value_name = "URL", value_delimiter = ',')]
    ingress_metrics: Vec<MetricsUrl>,
    /// The console, health, readiness and metrics; taken: the next free port
    #[arg(long, env = "ONHAND_OPS_LISTEN", default_value = "127.0.0.1:8081")]
    ops_listen: SocketAddr,
    /// How often every promise is verified over everything in the database, as `onhand verify` does,
    /// such as 6h or 1d, or off. It only reads. Give it to one process of a fleet: two that verify
    /// know nothing of each other
    #[arg(long, env = "ONHAND_VERIFY_EVERY", default_value = "off", value_parser = every)]
    verify_every: Every,
    #[command(flatten)]
    alerts: AlertArgs,
}

#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    /// Whoever has this may use the console and change things through it, as `openssl rand -hex 24`
    /// makes one. As name:token it tells who did it; may be given more than once (in the environment
    /// with commas between), so that everybody has their own. Without, it is open to this machine
    /// alone
    #[arg(long, env = "ONHAND_CONSOLE_TOKEN", hide_env_values = true, value_delimiter = ',')]
    console_token: Vec<SecretString>,
    /// Whoever has this may look at the console, and change nothing; with names, and more than one,
    /// as above
    #[arg(long, env = "ONHAND_CONSOLE_READ_TOKEN", hide_env_values = true, value_delimiter = ',')]
    console_read_token: Vec<SecretString>,
}

impl AccessArgs {
    pub(super) fn access(&self, listen: SocketAddr) -> anyhow::Result<Access> {
        Access::new(listen, &self.console_token, &self.console_read_token).map_err(|error| {
            bad_config(format!("ONHAND_CONSOLE_TOKEN, ONHAND_CONSOLE_READ_TOKEN: {error}"))
        })
    }

    /// The console of a role that also does other things: without a token on an open address it is
    /// closed, and the role works all the same.
    pub(super) fn console(
        &self,
        role: &Role,
        listen: SocketAddr,
        store: &AnyStore,
        broker: &Broker,
    ) -> anyhow::Result<Console> {
        let access = self.access(listen)?;
        if access.is_closed() {
            tracing::warn!(
                console.listen = %listen,
                "the console is closed: others reach its address, and ONHAND_CONSOLE_TOKEN is not set"
            );
        }
        Ok(Console::new(
            store.clone(),
            broker.clone(),
            role.shops.clone(),
            access,
            role.checks.subscribe(),
        ))
    }
}

/// `onhand console`.
pub(crate) async fn console(settings: &Settings, args: ConsoleArgs) -> anyhow::Result<ExitCode> {
    if args.access.access(args.ops_listen)?.is_closed() {
        return Err(bad_config(format!(
            "others reach {}, so the console needs a token: set ONHAND_CONSOLE_TOKEN \
             (--console-token), for example to what `openssl rand -hex 24` prints, or let it \
             listen on this machine alone (--ops-listen 127.0.0.1:8081)",
            args.ops_listen
        )));
    }
    let role = Role::start(settings)?;
    let broker = settings.broker("console")?;
    let store = settings.open_store().await?;
    let ingresses = Ingresses::new(args.ingress_metrics);
    let console = args.access.console(&role, args.ops_listen, &store, &broker)?;
    let console = console.of_a_fleet(&ingresses);
    role.look_after(args.verify_every, &args.alerts, &store, &broker)?;
    let needs = Needs { store: Some(store.clone()), ..Needs::default() };
    role.ops(args.ops_listen, needs, Some(console)).await?;
    role.counted(&store, "console", ingresses, role.stop.cancelled()).await;
    bounded(store.close()).await;
    role.finish(Ok(())).await
}
