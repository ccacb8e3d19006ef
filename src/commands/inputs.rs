//! `cachex inputs`: list the files that an automatic result depends on.

use super::entries::{self, Entries, Settings};
use crate::args::InputsArgs;
use crate::config::Vars;
use crate::run::Closed;
use crate::ui::{self, JsonArray, Screen};
use anyhow::{Result, bail};
use cachex_base::process::exit::Exit;
use cachex_base::record::entry::Key;
use cachex_base::streams::messages;
use cachex_store::Root;
use cachex_store::components;
use cachex_store::path_sets::{PathSet, PathSets};
use cachex_trace::{Class, Fact};
use serde::Serialize;
use std::io::Write;

/// Lists the inputs of a result.
pub fn inputs(mut args: InputsArgs, vars: &Vars, closed: Closed) -> Result<Exit> {
    args.named.identity.auto.auto |= !args.command.is_empty();
    let settings =
        match Settings::of("inputs", args.named.clone(), args.store, args.command.clone(), vars) {
            Ok(settings) => settings,
            Err(exit) => return Ok(exit),
        };
    let (root, digits) = match &args.prefix {
        Some(prefix) => (settings.store()?, prefix.0.clone()),
        None => (settings.store()?, settings.key(vars, closed)?.to_string()),
    };
    let Some(root) = root else { bail!("nothing is recorded yet") };
    let stored = Entries::readable(&root, settings.messages());
    let mut found = stored.beginning_with(&digits, entries::CANDIDATES)?;
    if found.len() > 1 {
        return Ok(entries::ambiguous("inputs", &digits, &found));
    }
    let Some((entry, _)) = found.pop() else {
        return absent(&root, args.prefix.is_some(), &digits);
    };
    let Some((key, set)) = components::facts_of(&entry.parts) else {
        bail!("{} was recorded without --auto", messages::short(&entry.key));
    };
    let known = PathSets::recall(&root, &key);
    let Some(set) = known.sets.iter().find(|known| known.id() == set) else {
        bail!("what {} depends on is not kept any more", messages::short(&entry.key));
    };
    let screen = Screen::of_stdout();
    ui::show(screen, vars, !args.no_pager && !args.json, |out| {
        if args.json { json(out, set) } else { text(out, set, args.all) }
    })?;
    Ok(Exit::SUCCESS)
}

/// Reports why there is nothing to list.
fn absent(root: &Root, is_prefix: bool, digits: &str) -> Result<Exit> {
    if is_prefix {
        bail!("no entry has a key that begins with {digits}");
    }
    let refused =
        Key::from_hex(digits.as_bytes()).and_then(|key| PathSets::recall(root, &key).refused);
    match refused {
        Some(refused) => bail!("the last run of this command was not recorded: {}", refused.why),
        None => bail!("no automatic run of this command is recorded for the files as they are"),
    }
}

/// Returns a word for the aspect of a file that matters.
fn word(fact: &Fact) -> &'static str {
    if fact.value.is_absent() {
        return "absent";
    }
    match fact.class {
        Class::Contents => "content",
        Class::Listing => "listing",
        Class::Stat | Class::Details => "time",
        Class::Size => "size",
        Class::Access => "mode",
        Class::Link => "link",
        Class::Kind => "kind",
        Class::Attributes => "attributes",
        Class::NewFile | Class::NewProgram => "output",
    }
}

/// The JSON form of a file. The field names are public.
#[derive(Serialize)]
struct Listed {
    path: String,
    what: &'static str,
    class: String,
}

fn json(out: &mut dyn Write, set: &PathSet) -> Result<()> {
    let mut array = JsonArray::new(out);
    for fact in &set.facts {
        let path = String::from_utf8_lossy(&fact.path).into_owned();
        let class = format!("{:?}", fact.class).to_lowercase();
        array.item(&Listed { path, what: word(fact), class })?;
    }
    array.finish()
}

fn text(out: &mut dyn Write, set: &PathSet, all: bool) -> Result<()> {
    for fact in &set.facts {
        let what = word(fact);
        if all || !matches!(what, "kind" | "link") {
            writeln!(out, "{what:<10} {}", ui::word(&fact.path))?;
        }
    }
    Ok(())
}
