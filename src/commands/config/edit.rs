//! `cachex config get|set|edit|init`: reads and edits the configuration file.

use crate::args::{ConfigVerb, options};
use crate::config::{self, File, Vars};
use anyhow::{Context, Result, bail};
use cachex_base::process::exit::{self, Exit};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The content of the file that `init` creates.
const TEMPLATE: &str = include_str!("template.toml");

/// Runs the verb.
pub fn edit(verb: &ConfigVerb, vars: &Vars) -> Result<Exit> {
    if let ConfigVerb::Get { key } = verb {
        return get(key, vars);
    }
    let path = config::place(vars)?.ok_or_else(|| config::nowhere(vars))?;
    match verb {
        ConfigVerb::Get { .. } => {}
        ConfigVerb::Set { key, value } => set(&path, key, value, vars)?,
        ConfigVerb::Init => {
            if fs::symlink_metadata(&path).is_ok() {
                bail!("{} exists already; `cachex config edit` opens it", path.display());
            }
            write(&path, TEMPLATE)?;
            println!("{}", cachex_base::text::quote::harmless(&path.to_string_lossy()));
        }
        ConfigVerb::Edit => return open(&path, vars),
    }
    Ok(Exit::SUCCESS)
}

/// Prints the effective value of a key.
fn get(key: &str, vars: &Vars) -> Result<Exit> {
    let read = config::read(vars)?;
    let settled = config::settle(&[], None, vars, &read)?;
    let option = options::all().iter().find(|option| option.name() == key);
    let option =
        option.with_context(|| format!("`{key}` is not a setting; `cachex config` lists them"))?;
    let value = settled.of(option.about()).map(|noted| &noted.value);
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(Exit::Status(exit::FAILURE));
    };
    // Not formatted for display, so that it can be set again.
    let text = match value {
        serde_json::Value::Number(number) => number.to_string(),
        other => super::shown(option.name(), other),
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::SUCCESS)
}

/// Sets a key at the top level of the file, and leaves everything else unchanged.
fn set(path: &Path, key: &str, value: &str, vars: &Vars) -> Result<()> {
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let home = config::var(vars, "HOME").map(Path::new);
    let parse = |text: &str| config::parse(path.to_owned(), text.as_bytes(), home);
    let file = parse(&before)?;
    // Written as is, if that is a valid value of the key (`true`, `10`, `["A", "B"]`), or else as a
    // string.
    let quoted = serde_json::Value::from(value).to_string();
    let mut refused = None;
    for written in [value, &quoted] {
        let text = with(&before, &file, key, written);
        let is_one_line = !written.contains(['\n', '\r', '#']) || written == quoted;
        match parse(&text) {
            Ok(now) if is_one_line && is_only(&file, &now, key) => return write(path, &text),
            Ok(_) => {}
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) => Err(why.into()),
        None => bail!("`{value}` is not a value for `{key}`"),
    }
}

/// Returns whether nothing but this key was changed.
fn is_only(before: &File, now: &File, key: &str) -> bool {
    let names = |file: &File| {
        let names = file.settings.iter().map(|it| it.option.name).filter(|name| *name != key);
        names.collect::<Vec<_>>()
    };
    names(before) == names(now)
        && before.rules.len() == now.rules.len()
        && before.profiles.len() == now.profiles.len()
}

/// Returns the text with this value: in place of the line that sets the key, or after the last line
/// above the first table.
fn with(before: &str, file: &File, key: &str, written: &str) -> String {
    let line = format!("{key} = {written}\n");
    let mut lines: Vec<&str> = before.split_inclusive('\n').collect();
    let set = file.settings.iter().find(|it| it.name() == key).map(|it| it.line - 1);
    if let Some(at) = set {
        // A value may continue on the following lines, until it is complete.
        let is_whole = |end: usize| toml::de::DeTable::parse(&lines[at..end].concat()).is_ok();
        let end = (at + 1..=lines.len()).find(|end| is_whole(*end)).unwrap_or(at + 1);
        lines.splice(at..end, [line.as_str()]);
    } else {
        // One that is commented out may be uncommented later.
        let is_table = |line: &&str| {
            let line = line.trim().trim_start_matches(['#', ' ']);
            line.starts_with('[') && line.ends_with(']') && !line.contains(['"', '\'', ','])
        };
        let first =
            lines.iter().position(|line| line.trim_start().starts_with('[') || is_table(line));
        let mut at = first.unwrap_or(lines.len());
        // A comment directly above the table stays there.
        while first.is_some() && at > 0 && lines[at - 1].trim_start().starts_with('#') {
            at -= 1;
        }
        while at > 0 && lines[at - 1].trim().is_empty() {
            at -= 1;
        }
        let unended = at > 0 && !lines[at - 1].ends_with('\n');
        lines.insert(at, line.as_str());
        if unended {
            lines.insert(at, "\n");
        }
    }
    lines.concat()
}

/// Writes a file, keeping its mode and any link to it.
fn write(path: &Path, text: &str) -> Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mode = fs::metadata(&path).map_or(0o600, |file| file.permissions().mode() & 0o777);
    let mut temp = path.clone().into_os_string();
    temp.push(format!(".{}", std::process::id()));
    let temp = PathBuf::from(temp);
    let place = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&temp)?;
        let placed = file
            .write_all(text.as_bytes())
            .and_then(|()| file.set_permissions(fs::Permissions::from_mode(mode)))
            .and_then(|()| fs::rename(&temp, &path));
        if placed.is_err() {
            let _ = fs::remove_file(&temp);
        }
        placed
    };
    place().with_context(|| format!("writing {}", path.display()))
}

/// Opens the file in an editor, and reports mistakes in it afterwards.
fn open(path: &Path, vars: &Vars) -> Result<Exit> {
    if fs::symlink_metadata(path).is_err() {
        write(path, TEMPLATE)?;
    }
    let set = |name| config::var(vars, name).filter(|value| !value.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or("vi".as_ref());
    // The editor may have arguments, as in git.
    let mut script = editor.to_owned();
    script.push(" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(editor).arg(path);
    let status = command.status().context("starting the editor")?;
    if !status.success() {
        bail!("{} failed", editor.to_string_lossy());
    }
    config::read(vars)?;
    Ok(Exit::SUCCESS)
}
