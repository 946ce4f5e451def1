//! stub
use clap::Args;
#[derive(Debug, Args)]
pub(crate) struct Sniff {}
pub(crate) async fn run(_: Sniff) -> anyhow::Result<()> { Ok(()) }
