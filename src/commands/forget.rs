//! `cachex forget`: removes recorded runs, of a command, by key or by their properties, from the
//! local store and the remote store.

use super::entries::{self, Entries, Named, Settings};
use super::misused;
use super::removal::{Removal, Shared};
use crate::args::{ForgetArgs, IdentityArgs, RunArgs};
use crate::config::Vars;
use crate::run::{self, Closed};
use anyhow::{Result, bail};
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::KeyPrefix;
use cachex_store::query::{Filter, Query};
use cachex_store::settings::RemoteMode;

/// Removes entries.
pub fn forget(args: ForgetArgs, vars: &Vars, closed: Closed) -> Result<Exit> {
    let names_command = !args.command.is_empty();
    let mut named = args.named;
    let mut scope = None;
    if !names_command {
        // Without a command, a scope is a filter, and the other options that identify a command are
        // meaningless.
        scope = named.identity.scope.take();
        if named.identity != IdentityArgs::default() || named.tty {
            let why = "options for a command were given without a command; put it after `--`";
            return Ok(misused("forget", exit::USAGE, why));
        }
    }
    let told = RunArgs {
        identity: named.identity,
        tty: named.tty,
        remote: named.remote,
        remote_mode: args.remote_mode,
        cache_dir: args.store.cache_dir,
        quiet: args.store.quiet,
        command: args.command,
        ..RunArgs::default()
    };
    let settings = match Settings::of_run("forget", told, vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let (quiet, dry_run) = (settings.config.quiet, args.removal.dry_run);
    let named = names_command.then(|| meant(&settings, vars, closed, dry_run)).transpose()?;
    let (command, nearest) = named.map(|named| (named.key, named.nearest)).unzip();
    let now = Timestamp::now();
    let filter = Filter {
        tag: args.tag.map(|tag| tag.0),
        scope,
        cwd: args.cwd.as_deref().map(entries::folder).transpose()?,
        command_glob: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
        failed: args.failed,
        created_before: args.older_than.map(|span| entries::ago(now, span)).transpose()?,
        ..Filter::default()
    };
    let remotes = &settings.config.remotes;
    let are = |mode| remotes.iter().filter(move |remote| remote.mode == mode);
    let written: Vec<_> = are(RemoteMode::ReadWrite).collect();
    let shared = (!written.is_empty()).then(|| {
        // Entries that are only in the remote store cannot be filtered from here.
        let is_all = filter == Filter::default();
        let whole = args.prefixes.iter().filter_map(|prefix| Key::from_hex(prefix.0.as_bytes()));
        let named: Vec<Key> = command.into_iter().chain(whole).filter(|_| is_all).collect();
        Shared {
            remotes: written,
            keys: named,
            platform: settings.config.identity.platform.clone(),
        }
    });
    let is_read = are(RemoteMode::ReadOnly).next().is_some();
    let is_there = shared.as_ref().is_some_and(|shared| !shared.keys.is_empty());
    let there: Vec<Key> = shared.iter().flat_map(|shared| shared.keys.clone()).collect();
    let is_known_there = |prefix: &KeyPrefix| {
        Key::from_hex(prefix.0.as_bytes()).is_some_and(|key| there.contains(&key))
    };
    let removal = Removal { done: "forgotten", args: &args.removal, quiet, vars, shared };
    let root = match settings.store()? {
        // A helper process needs a store to work in.
        None if is_there && !dry_run => Some(run::open_store(settings.config.dir.as_ref())?),
        root => root,
    };
    let Some(root) = root else {
        if let Some(prefix) = args.prefixes.iter().find(|prefix| !is_known_there(prefix)) {
            bail!("no entry has a key that begins with {}", prefix.0);
        }
        return removal.nothing();
    };
    let stored = Entries::to_remove_from(&root, settings.messages(), dry_run)?;
    let mut keys: Vec<Option<String>> = Vec::new();
    for prefix in &args.prefixes {
        let found = stored.beginning_with(&prefix.0, entries::CANDIDATES)?;
        match &found[..] {
            [] if is_known_there(prefix) => {}
            [] => bail!("no entry has a key that begins with {}; nothing was forgotten", prefix.0),
            [(entry, _)] => keys.push(Some(entry.key.to_string())),
            _ => return Ok(entries::ambiguous("forget", &prefix.0, &found)),
        }
    }
    if args.prefixes.is_empty() {
        keys.push(command.map(|key| key.to_string()));
    }
    if is_read && !dry_run {
        settings.messages().wait(format_args!(
            "the remote store is read-only: forgotten results may come back from it"
        ));
    }
    let exit = removal.carry_out(&root, &stored, |chosen, _| {
        for key_prefix in keys.drain(..) {
            let filter = Filter { key_prefix, ..filter.clone() };
            let query = Query { filter, ..Query::default() };
            stored.each(&query, &mut |entry, facts| chosen.take(&entry, &facts).map(drop))?;
        }
        Ok(())
    })?;
    if let Some(nearest) = nearest.flatten().filter(|_| !args.removal.output.json) {
        settings.messages().hint(&nearest);
    }
    Ok(exit)
}

/// Returns the command that the arguments name.
fn meant(settings: &Settings, vars: &Vars, closed: Closed, dry_run: bool) -> Result<Named> {
    if let Some(root) = settings.store()? {
        // This sets aside a database that hangs, so that it is not waited for again.
        Entries::to_remove_from(&root, settings.messages(), dry_run)?;
    }
    settings.name(vars, closed)
}
