//! `cachex stats`: hits, runs, and the time saved.

mod by;
mod days;
mod figures;
pub mod gather;
mod html;
mod json;
mod markdown;
pub mod prometheus;
mod text;

use super::entries::{Entries, Settings};
use super::misused;
use crate::args::{NamedArgs, OutputArgs, StatsArgs};
use crate::config::{self, Vars};
use crate::ui::{self, Credentials, Screen};
use anyhow::{Context, Result};
use by::Groups;
use cachex_base::process::exit::{self, Exit};
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::{Since, StatsBy, StatsFormat};
use cachex_store::Root;
use cachex_store::db_client::DbClient;
use cachex_store::remote;
use days::Day;
use figures::{Figures, Gathered};
use std::fs;
use std::io::{BufRead, ErrorKind, Write};
use std::path::PathBuf;
use text::Look;

/// Shows the figures, or resets them.
pub fn stats(args: StatsArgs, vars: &Vars) -> Result<Exit> {
    let settings = match Settings::of("stats", NamedArgs::default(), args.store, Vec::new(), vars) {
        Ok(settings) => settings,
        Err(exit) => return Ok(exit),
    };
    if args.reset {
        return reset(&settings, args.yes);
    }
    if let Some(by) = args.by {
        return by_group(&settings, by, args.output, vars);
    }
    let now = Timestamp::now();
    let since = args.since.map(|since| match since {
        Since::Day(day) => Day(day),
        Since::Ago(span) => {
            let span = cachex_base::system::clock::nanos(span);
            Day::of(Timestamp(now.0.saturating_sub(span)))
        }
    });
    let gathered = match settings.store()? {
        Some(root) => {
            if let Some((entries, why)) = remote::waiting(&root) {
                let results = ui::count(entries, "result", "results");
                settings.messages().wait(format_args!(
                    "{results} could not be sent to a remote store yet: {}",
                    remote::advice::with(&why)
                ));
            }
            gather::gather(&root, since, settings.messages())?
        }
        None => Gathered::default(),
    };
    let dir = settings.config.dir.as_deref().map(|dir| dir.to_string_lossy()).unwrap_or_default();
    let figures = Figures::new(&dir, since, Day::of(now), gathered);
    if let Some(file) = args.html {
        return write_page(&file, &html::page(&figures));
    }
    let format = if args.output.json { Some(StatsFormat::Json) } else { args.format };
    match format.unwrap_or_default() {
        StatsFormat::Json => print(&json::object(&figures)?)?,
        StatsFormat::Markdown => print(&markdown::summary(&figures))?,
        StatsFormat::Prometheus => print(&prometheus::metrics(&figures))?,
        StatsFormat::Text => {
            let screen = Screen::of_stdout();
            let text = text::report(&figures, &Look { screen, unicode: is_utf8(vars) });
            if screen.height.is_some() {
                let fill = |out: &mut ui::Pages| Ok(out.write_all(text.as_bytes())?);
                ui::show(screen, vars, !args.output.no_pager, fill)?;
            } else {
                print(&text)?;
            }
        }
    }
    Ok(Exit::SUCCESS)
}

/// Sums up the results by group.
fn by_group(settings: &Settings, by: StatsBy, output: OutputArgs, vars: &Vars) -> Result<Exit> {
    let root = settings.store()?;
    let stored = root.as_ref().map(|root| Entries::readable(root, settings.messages()));
    let credentials = Credentials::reveal(output.reveal);
    let groups = match &stored {
        Some(stored) => Groups::of(stored, by, credentials)?,
        None => Groups::empty(by),
    };
    let screen = Screen::of_stdout();
    ui::show(screen, vars, !output.no_pager && !output.json, |out| {
        if output.json { groups.json(out) } else { groups.table(screen, out) }
    })?;
    if groups.is_empty() && !output.json {
        settings.messages().hint("nothing is recorded yet");
    }
    Ok(Exit::SUCCESS)
}

fn write_page(file: &PathBuf, page: &str) -> Result<Exit> {
    if file.as_os_str() == "-" {
        print(page)?;
    } else {
        fs::write(file, page).with_context(|| format!("writing '{}'", file.display()))?;
    }
    Ok(Exit::SUCCESS)
}

/// Resets the counts. Entries are kept.
fn reset(settings: &Settings, yes: bool) -> Result<Exit> {
    if !yes && !rustix::termios::isatty(rustix::stdio::stdin()) {
        let why = "cannot ask without a terminal; `--yes` resets the figures without asking";
        return Ok(misused("stats", exit::USAGE, why));
    }
    if let Some(root) = settings.store()? {
        if !yes && !agreed(&root)? {
            return Ok(Exit::Status(exit::FAILURE));
        }
        let store = DbClient::new(&root);
        // Otherwise, events not counted yet would be counted afterwards.
        let shown = ui::Progress::show(settings.config.quiet);
        store.take_in()?;
        drop(shown);
        store.reset_stats()?;
    }
    if !settings.config.quiet {
        print("counts were reset\n")?;
    }
    Ok(Exit::SUCCESS)
}

fn agreed(root: &Root) -> Result<bool> {
    let place = root.path().to_string_lossy();
    eprint!("Reset all counts in {}? [y/N] ", cachex_base::text::quote::harmless(&place));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints text. It is no failure if the reader has seen enough.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("writing the figures"),
    }
}

/// Returns whether the locale says that text is UTF-8.
fn is_utf8(vars: &Vars) -> bool {
    let set = |name| config::var(vars, name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
