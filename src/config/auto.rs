//! The settings of automatic calls.

use super::levels::{Levels, contradiction};
use super::{UsageError, options};
use crate::args::AutoArgs;
use cachex_base::text::values::{AutoOutputs, AutoQuirks, AutoTimes, PathPattern};

/// The way in which a command's inputs are found automatically.
#[derive(Clone, Debug)]
pub struct Auto {
    /// The modification times that are part of the key.
    pub times: AutoTimes,
    /// The paths to ignore.
    pub ignore: Vec<PathPattern>,
    /// True if the network may be used.
    pub allows_network: bool,
    /// The written files that are recorded.
    pub outputs: AutoOutputs,
    /// The knowledge about programs that examine their own output.
    pub quirks: AutoQuirks,
}

/// Merges the options of automatic calls; none if the call is not automatic. `no_cwd` is whether
/// that flag was given.
pub fn auto(
    args: AutoArgs,
    no_cwd: bool,
    portable: bool,
    levels: &Levels<'_>,
) -> Result<Option<Box<Auto>>, UsageError> {
    use options::{AUTO, AUTO_ALLOW, AUTO_IGNORE, AUTO_OUTPUTS, AUTO_QUIRKS, AUTO_TIMES, NO_CWD};
    let on = levels.pick_by(&AUTO, args.auto.then_some(true))?;
    let Some((_, by)) = on.filter(|(on, _)| *on) else {
        let given = [
            (&AUTO_IGNORE.name, !args.auto_ignore.is_empty()),
            (&AUTO_TIMES.name, args.auto_times.is_some()),
            (&AUTO_ALLOW.name, !args.auto_allow.is_empty()),
            (&AUTO_QUIRKS.name, args.auto_quirks.is_some()),
            (&AUTO_OUTPUTS.name, args.auto_outputs.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(UsageError(format!("--{name} is nothing without --auto"))),
            None => Ok(None),
        };
    };
    // Set on the same level, the options contradict each other. On different levels, the call is
    // not to blame for the combination.
    if let Some((true, no_cwd)) = levels.pick_by(&NO_CWD, no_cwd.then_some(true))?
        && no_cwd.against(by).is_eq()
    {
        let [one, other] = [AUTO.said_by(by), NO_CWD.said_by(no_cwd)].map(|it| levels.told(it));
        return Err(contradiction(&one, &other));
    }
    let several = |given: Vec<_>| (!given.is_empty()).then_some(given);
    let mut ignore = levels.pick(&AUTO_IGNORE, several(args.auto_ignore))?.unwrap_or_default();
    ignore.sort();
    ignore.dedup();
    levels.settle(&AUTO_IGNORE, &ignore);
    let allowed = (!args.auto_allow.is_empty()).then_some(args.auto_allow);
    // Modification times differ between checkouts.
    let times = if portable { AutoTimes::None } else { AutoTimes::default() };
    Ok(Some(Box::new(Auto {
        times: levels.pick_or(&AUTO_TIMES, args.auto_times, times)?,
        ignore,
        allows_network: !levels.pick(&AUTO_ALLOW, allowed)?.unwrap_or_default().is_empty(),
        quirks: levels.pick_or(&AUTO_QUIRKS, args.auto_quirks, AutoQuirks::default())?,
        outputs: levels.pick_or(&AUTO_OUTPUTS, args.auto_outputs, AutoOutputs::default())?,
    })))
}
