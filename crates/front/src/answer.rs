//! The whole of a hit, from the arguments to the exit.

use crate::buffer::Buffer;
use crate::call::Process;
use crate::config::{self, Levels};
use crate::declared;
use crate::environment::{self, Environment, Own, TRACE};
use crate::executable;
use crate::input::{self, Input};
use crate::message;
use crate::options::{Executable, Options};
use crate::output;
use crate::sys::{self, Descriptor, Errno};
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::entry::{self, MAX_SEALED, View};
use cachex_core::event::{self, CAP, FOLD_EVERY};
use cachex_core::handover;
use cachex_core::hash::{self, LONGEST, SHORT};
use cachex_core::key::{Fields, Sink, Tag};
use cachex_core::young;
use core::cell::UnsafeCell;

/// All memory that is used here but for the stack. Only what is touched of it exists.
struct Room {
    environment: environment::Room,
    executable: executable::Room,
    fields: [u8; SHORT],
    file: [u8; MAX_SEALED + 1],
    input: [u8; input::ROOM],
    config: config::Room,
    declared: [u8; declared::ROOM],
    content: [u8; LONGEST + 1],
    folder: [u8; executable::PATH],
    cwd: [u8; executable::PATH],
}

struct Place<T>(UnsafeCell<T>);

// SAFETY: one thread uses it, once.
unsafe impl<T> Sync for Place<T> {}

static LEVELS: Place<Levels> = Place(UnsafeCell::new(Levels::NEW));

static ROOM: Place<Room> = Place(UnsafeCell::new(Room {
    environment: environment::Room::NEW,
    executable: executable::Room::NEW,
    fields: [0; SHORT],
    file: [0; MAX_SEALED + 1],
    input: [0; input::ROOM],
    config: config::Room::NEW,
    declared: [0; declared::ROOM],
    content: [0; LONGEST + 1],
    folder: [0; executable::PATH],
    cwd: [0; executable::PATH],
}));

/// This many bytes in front of a mark of the log the ordinary way writes to it, which starts
/// the fold that is due there. So many calls may do so at once.
const MARGIN: u64 = 16 * event::LEN as u64;

/// Answers the call and ends the process, or returns with nothing done.
pub fn answer(process: &Process) {
    let mut is_traced = false;
    let Err(Pass(why)) = attempt(process, &mut is_traced);
    if is_traced {
        for part in ["cachex: passed on: ", why, "\n"] {
            let _ = sys::write(2, part.as_bytes());
        }
    }
}

enum Never {}

fn attempt(process: &Process, is_traced: &mut bool) -> Known<Never> {
    // SAFETY: nobody else knows of them, and this runs once.
    let (room, levels) = unsafe { (&mut *ROOM.0.get(), &mut *LEVELS.0.get()) };
    let environment = Environment::of(process, &mut room.environment)?;
    *is_traced = environment.get(environment::SWITCH).is_some_and(|value| value.is(TRACE));
    let mut options = Options::of(process, &mut levels.flags)?;
    let own = environment.own()?;
    let began = sys::time(libc::CLOCK_MONOTONIC)?;
    if process.is_privileged() || !sys::files_are_unlimited() {
        return Err(Pass("the process is restricted"));
    }
    if input::is_closed(1) || input::is_closed(2) {
        return Err(Pass("an output is closed"));
    }
    let is_closed = input::is_closed(0);
    let mut path = Buffer::new(&mut room.folder);
    if !own.has_no_file {
        check_nothing_allowed(&environment, &mut path)?;
        path.cut(0);
    }
    let dir = options.dir();
    let mut has_file = false;
    if let Some(file) = config_file(&own, &environment, &mut path)? {
        let set = (&mut levels.all, &mut levels.rules[..]);
        has_file = config::read(file, &mut options, process, &mut room.config, set)?;
    }
    options.check()?;
    let folder = folder(dir, own.dir, options.dir(), &environment, &mut path)?;
    input::check_descriptors(&options, process)?;
    let store = store(folder)?;

    let mut fields = Fields::new(Buffer::new(&mut room.fields));
    fields.begin_list(Tag::Argv, options.count(process));
    for argument in options.argv(process) {
        fields.sized(argument.bytes());
    }
    let mut executable = None;
    if options.executable() == Executable::Stat {
        let name = options.argv(process).next().ok_or(Pass("no command"))?;
        let search_path = environment.get(b"PATH");
        let file = executable::tell(name, search_path, &mut room.executable, &mut fields)?;
        executable = Some(file);
    }
    let mut cwd = None;
    if options.has_directory() {
        let path = executable::working_directory(&mut room.cwd)?;
        fields.add(Tag::Cwd, path);
        cwd = Some(path);
    }
    let is_of_make = environment.get(b"MAKELEVEL").is_some();
    environment.tell(&options, cwd, &mut fields)?;
    let input = Input::tell(&options, is_closed, is_of_make, &mut room.input, &mut fields)?;
    if let Some(text) = options.key() {
        fields.add(Tag::Text, text);
    }
    if let Some(scope) = options.scope() {
        fields.add(Tag::Scope, scope);
    }
    let mut declared = None;
    if let Some(file) = options.input() {
        let stat = declared::tell(file, &mut room.declared, &mut room.content, &mut fields)?;
        declared = Some(stat);
    }
    let key = hash::short(fields.0.bytes()?).ok_or(Pass("the key is of many bytes"))?;

    let view = look_up(&store, &key, &mut room.file).inspect_err(|_| {
        if let (Some(executable), Some(cwd), Some(stdin)) = (executable, cwd, input.kind())
            && declared.is_none()
            && !has_file
        {
            // SAFETY: no thread was started, and whoever looks comes later.
            unsafe {
                handover::leave_key(|it| {
                    it.key = key;
                    (it.found, it.lies, it.stat) =
                        (executable.found, executable.lies, executable.stat);
                    (it.cwd, it.stdin) = (cwd, stdin);
                });
            }
        }
    })?;
    let age = check_fresh(&options, &view)?;
    output::check(&view)?;
    let data = output::load(&view, &store, &mut room.content)?;
    check_log(&store)?;
    if options.is_verbose() {
        message::check_arguments(&options, process, declared.as_ref())?;
    }
    input.read_and(view.stdin_consumed, &mut room.input, || output::show(&view, data))?;

    let cost = sys::time(libc::CLOCK_MONOTONIC).map_or(0, |now| now.saturating_sub(began));
    note(&store, &view, cost);
    if options.is_verbose() {
        message::tell_hit(&view, age);
    }
    sys::exit(view.status)
}

/// The path of the configuration file, and whether it was named; none if there is no place
/// for one.
fn config_file<'p>(
    own: &Own,
    environment: &Environment,
    path: &'p mut Buffer<'_>,
) -> Known<Option<(Text<'p>, bool)>> {
    if own.has_no_file {
        return Ok(None);
    }
    if let Some(named) = own.file {
        return Ok(Some((named, true)));
    }
    let absolute = |name: &[u8]| environment.get(name).filter(|it| it.starts_with(b"/"));
    if let Some(folder) = absolute(b"XDG_CONFIG_HOME") {
        path.put(folder.bytes());
        path.put(b"/cachex/config.toml");
    } else if let Some(home) = absolute(b"HOME") {
        path.put(home.bytes());
        path.put(b"/.config/cachex/config.toml");
    } else {
        return Ok(None);
    }
    Ok(Some((path.text()?, false)))
}

/// Makes sure that the file of no project was ever allowed: then none is looked for.
fn check_nothing_allowed(environment: &Environment, path: &mut Buffer<'_>) -> Known<()> {
    let absolute = |name: &[u8]| environment.get(name).filter(|it| it.starts_with(b"/"));
    if let Some(folder) = absolute(b"XDG_DATA_HOME") {
        path.put(folder.bytes());
        path.put(b"/cachex/allowed");
    } else if let Some(home) = absolute(b"HOME") {
        path.put(home.bytes());
        path.put(b"/.local/share/cachex/allowed");
    } else {
        return Ok(());
    }
    match sys::stat_at(libc::AT_FDCWD, path.text()?, 0) {
        Err(Errno(libc::ENOENT | libc::ENOTDIR)) => Ok(()),
        _ => Err(Pass("the file of a project was allowed")),
    }
}

/// The folder that holds the store.
fn folder<'p>(
    flag: Option<Text<'p>>,
    variable: Option<Text<'p>>,
    file: Option<Text<'p>>,
    environment: &Environment,
    path: &'p mut Buffer<'_>,
) -> Known<Text<'p>> {
    if let Some(dir) = flag {
        return if dir.starts_with(b"~") { Err(Pass("a folder below a home")) } else { Ok(dir) };
    }
    if let Some(dir) = variable {
        return if dir.starts_with(b"/") { Ok(dir) } else { Err(Pass("a folder below a home")) };
    }
    if let Some(dir) = file {
        return Ok(dir);
    }
    path.cut(0);
    let set = |name: &[u8]| environment.get(name).filter(|value| !value.is_empty());
    if let Some(caches) = set(b"XDG_CACHE_HOME").filter(|it| it.starts_with(b"/")) {
        path.put(caches.bytes());
        path.push(b"cachex");
    } else {
        path.put(set(b"HOME").ok_or(Pass("there is no home"))?.bytes());
        path.push(b".cache/cachex");
    }
    path.text()
}

/// Opens the store, if it is there and private.
fn store(folder: Text<'_>) -> Known<Descriptor> {
    const VERSION: [u8; 3] = [b'v', b'0' + young::LAYOUT, 0];
    const FLAGS: i32 = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let user = sys::geteuid();
    let is_private = |folder: &Descriptor| {
        let others = libc::S_IWGRP | libc::S_IWOTH;
        let stat = sys::fstat(folder.number());
        stat.is_ok_and(|stat| stat.st_uid == user && stat.st_mode & others == 0)
    };
    let version = Text::of(&VERSION).ok_or(Pass("a literal"))?;
    let open = |at: i32, name: Text<'_>| {
        sys::open_at(at, name, FLAGS, 0).map_err(|_| Pass("there is no store"))
    };
    let outer = open(libc::AT_FDCWD, folder)?;
    let store = open(outer.number(), version)?;
    if is_private(&outer) && is_private(&store) {
        Ok(store)
    } else {
        Err(Pass("the store is not private"))
    }
}

/// The recent entry of a key.
fn look_up(store: &Descriptor, key: &[u8; 32], room: &'static mut [u8]) -> Known<View<'static>> {
    let Ok(file) = sys::open_stored(store, &young::path(key)) else {
        return Err(Pass("there is no recent entry"));
    };
    let len = sys::read(file.number(), room)?;
    let sealed = room.get(..len).unwrap_or_default();
    let Ok((encoded, _)) = entry::open(sealed) else { return Err(Pass("the entry is damaged")) };
    let view = View::read(encoded).ok_or(Pass("the entry is not a plain one"))?;
    let is_of_key = cachex_core::bytes::eq(view.key, key);
    if is_of_key { Ok(view) } else { Err(Pass("the entry is of another key")) }
}

/// Finds out whether an entry may be served, and needs no refresh; its age.
fn check_fresh(options: &Options, view: &View<'_>) -> Known<u64> {
    let now = sys::time(libc::CLOCK_REALTIME)?;
    let age = now.checked_sub(view.created).ok_or(Pass("the entry is of the future"))?;
    let within = |limit: Option<u64>| limit.is_none_or(|limit| age < limit);
    if !within(view.expires_in) || !within(options.limit(view.status)) {
        return Err(Pass("the entry has expired"));
    }
    if within(options.refresh_after()) { Ok(age) } else { Err(Pass("a refresh is due")) }
}

const LOG: Text<'static> = Text::literal(c"events");

/// Makes sure that a fold is not due after this call.
fn check_log(store: &Descriptor) -> Known<()> {
    let len = match sys::stat_at(store.number(), LOG, libc::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) if stat.st_mode & libc::S_IFMT == libc::S_IFREG => stat.st_size as u64,
        Err(Errno(libc::ENOENT)) => 0,
        _ => return Err(Pass("the log of events is not one")),
    };
    let end = len.saturating_add(MARGIN);
    if end > CAP || end / FOLD_EVERY != len / FOLD_EVERY {
        return Err(Pass("a fold is due"));
    }
    Ok(())
}

/// Writes down that there was a hit. Nothing hangs on it.
fn note(store: &Descriptor, view: &View<'_>, cost: u64) {
    let flags = libc::O_WRONLY
        | libc::O_APPEND
        | libc::O_CREAT
        | libc::O_NONBLOCK
        | libc::O_NOCTTY
        | libc::O_NOFOLLOW;
    let Ok(log) = sys::open_at(store.number(), LOG, flags, 0o600) else { return };
    let Ok(now) = sys::time(libc::CLOCK_REALTIME) else { return };
    let _ = sys::write(log.number(), &event::hit(now, view.run_time, cost, view.key));
}
