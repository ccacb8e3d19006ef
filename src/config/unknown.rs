//! Variables that are called as if they set an option, and set none.

use super::Vars;
use super::options;
use super::parse::nearest;
use cachex_base::text::quote::harmless;

const PREFIX: &str = "CACHEX_";
/// Variables that set no option.
const OTHERS: [&str; 9] = [
    "CACHEX_CONFIG",
    "CACHEX_DISABLE",
    "CACHEX_FRONT",
    "CACHEX_PAGER",
    "CACHEX_REMOTE_PASSWORD",
    "CACHEX_REMOTE_SECRET",
    "CACHEX_REMOTE_SECRET_OLD",
    "CACHEX_REMOTE_TOKEN",
    "CACHEX_REMOTE_USER",
];
/// The beginnings of what cachex tells itself, and its tests tell it.
const OWN: [&str; 2] = ["CACHEX_HELPER_", "CACHEX_TEST_"];

/// Returns a sentence about each variable that has no meaning, most likely by a typo.
pub fn unknown_variables(vars: &Vars) -> impl Iterator<Item = String> {
    let known = || {
        let configurable = options::all().iter().map(|option| option.about());
        let once = options::for_one_call().iter().map(|option| &option.about);
        configurable.chain(once).map(|about| about.variable).chain(OTHERS)
    };
    vars.iter().filter_map(move |(name, _)| {
        let name = name.to_string_lossy();
        let is_own = OWN.iter().any(|own| name.starts_with(own));
        if !name.starts_with(PREFIX) || is_own || known().any(|known| known == name) {
            return None;
        }
        let shown = harmless(&name);
        let bare = |name: &'static str| name.strip_prefix(PREFIX).unwrap_or(name);
        Some(match nearest(&name[PREFIX.len()..], known().map(bare)) {
            Some(near) => format!("{shown} has no meaning; did you mean {PREFIX}{near}?"),
            None => format!("{shown} has no meaning; `cachex help run` lists the variables"),
        })
    })
}
