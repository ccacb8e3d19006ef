//! The options of `explain`.

use super::headings::OUTPUT;
use super::options::{self, Mark, RunArgs};
use clap::{Arg, Args};

/// The text below the help.
pub const AFTER: &str = "\
Nothing is run, and the store is not changed. If the result is not in the local store,
the remote store is queried. Standard input is part of the key as it is for `run`, and
is read to its end unless it is a terminal. Values of variables, standard input and the
text of --key are never shown: the store does not hold them.

Exit status: 0 for a hit, 1 for a miss, or if the command cannot be found; 2 if
cachex was misused.

Examples:
  cachex explain -- terraform plan -no-color
  cachex explain --all --expires-in 10m -- kubectl get pods
  cachex explain --json -- make report | jq -r '.nearest.differences[].message'";

#[derive(Args, Debug)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// List everything: variables by name and why they are left out, long lists in full
    #[arg(long, help_heading = OUTPUT)]
    pub all: bool,
    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
    /// Show credentials in command lines instead of `***`
    #[arg(long, help_heading = OUTPUT)]
    pub reveal: bool,
}

/// Hides the options that have no effect on whether a call hits from the help. They are
/// accepted, so that a command line needs no change but `explain` for `run`.
pub fn shown(arg: Arg) -> Arg {
    let is_of_runs = options::about(arg.get_id().as_str()).is_some_and(|it| it.is(Mark::RunOnly));
    arg.hide(is_of_runs)
}
