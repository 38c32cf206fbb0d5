#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {}
pub(crate) async fn run(
    _: &crate::config::Settings,
    _: SimulateArgs,
) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("landing")
}
