//! `busbar inverters`: which inverters can be told of a battery, how, and how far that is known.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inverters {}

const EXAMPLES: &str =
    "The page is Markdown. The name of the profile goes into [inverter] of a bms-can configuration.

Examples:
  busbar inverters
  busbar inverters | grep -i growatt";

pub(crate) fn run(_: &Inverters) -> anyhow::Result<()> {
    crate::print(&bms_can::inverter::list())
}
