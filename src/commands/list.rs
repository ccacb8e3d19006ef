//! `cachex list`: shows the results in the store.

use super::entries::{self, Entries, Listed, Settings};
use crate::args::{ListArgs, NamedArgs, SortKey};
use crate::config::Vars;
use crate::ui::{self, Credentials, JsonArray, Screen, Table};
use anyhow::Result;
use cachex_base::process::exit::Exit;
use cachex_base::system::clock::Timestamp;
use cachex_store::query::{Filter, Order, Query};

/// Lists entries.
pub fn list(args: ListArgs, vars: &Vars) -> Result<Exit> {
    let now = Timestamp::now();
    let query = query(&args, now)?;
    let settings = match Settings::of("list", NamedArgs::default(), args.store, Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    let store = settings.store()?;
    let stored = store.as_ref().map(|root| Entries::readable(root, settings.messages()));
    let each = |visit: &mut dyn FnMut(_, _) -> Result<()>| match &stored {
        Some(entries) => entries.each(&query, visit),
        None => Ok(()),
    };
    let credentials = Credentials::reveal(args.output.reveal);
    let screen = Screen::of_stdout();
    let mut found: u64 = 0;
    let paging = !args.output.no_pager && !args.output.json;
    ui::show(screen, vars, paging, |out| {
        if args.output.json {
            let mut array = JsonArray::new(out);
            each(&mut |entry, facts| array.item(&Listed::of(&entry, &facts, now, credentials)))?;
            return array.finish();
        }
        let mut table = Table::new(screen, out, entries::columns());
        each(&mut |entry, facts| {
            found += 1;
            let (tone, cells) = entries::row(&entry, &facts, now, credentials);
            Ok(table.row(tone, cells)?)
        })?;
        Ok(table.finish()?)
    })?;
    if found == 0 && !args.output.json {
        settings.messages().hint(&match stored.map_or(0, |stored| stored.totals.entries) {
            0 => "nothing is recorded yet; `cachex run -- CMD` runs CMD and records it".to_owned(),
            1 => "the only entry does not match".to_owned(),
            all => format!("none of the {all} entries matches"),
        });
    }
    Ok(Exit::SUCCESS)
}

fn query(args: &ListArgs, now: Timestamp) -> Result<Query> {
    let filter = Filter {
        tag: args.tag.as_ref().map(|tag| tag.0.clone()),
        scope: args.scope.clone(),
        cwd: args.cwd.as_deref().map(entries::folder).transpose()?,
        command_glob: args.pattern.as_ref().map(|pattern| pattern.as_glob().to_owned()),
        failed: args.failed,
        expired_at: args.stale.then_some(now),
        ..Filter::default()
    };
    let order = match args.sort.unwrap_or_default() {
        SortKey::Used => Order::Used,
        SortKey::Age => Order::Created,
        SortKey::Expires => Order::Expires,
        SortKey::Size => Order::Size,
        SortKey::RunTime => Order::RunTime,
        SortKey::Hits => Order::Hits,
        SortKey::Exit => Order::Status,
        SortKey::Command => Order::Command,
    };
    Ok(Query { filter, order, reverse: args.reverse, limit: args.limit })
}
