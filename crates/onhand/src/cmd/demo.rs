#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {}
pub(crate) async fn run(_: DemoArgs, _: bool) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("landing")
}
