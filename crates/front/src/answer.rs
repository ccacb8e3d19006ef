//! A complete hit, from the arguments to the exit.

use crate::buffer::Buffer;
use crate::call::Process;
use crate::config::{self, Levels, Rules};
use crate::declared;
use crate::environment::{self, Environment, Own};
use crate::executable;
use crate::input::{self, Input};
use crate::message;
use crate::options::{Executable, Given, Options};
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

/// All memory used by this crate except for the stack, and for what does not begin as zeros.
///
/// Each touched page is a page fault, and those are a good part of what a hit costs. So the order of
/// the fields matters: what every call uses a little of comes first and shares pages.
#[repr(C, align(4096))]
pub(crate) struct Room {
    pub places: Places,
    pub folder: [u8; executable::PATH],
    pub environment: environment::Room,
    pub buffers: Buffers,
    pub config: config::Room,
}

/// The components of a key that a call keeps.
#[repr(C)]
pub(crate) struct Places {
    cwd: [u8; executable::PATH],
    executable: executable::Room,
}

/// Buffers for the components of a key.
#[repr(C)]
pub(crate) struct Buffers {
    /// The components, and then the entry: the key is known when that is read.
    fields: [u8; SHORT],
    input: [u8; input::ROOM],
    declared: [u8; declared::ROOM],
    content: [u8; LONGEST + 1],
}

const _: () = assert!(MAX_SEALED < SHORT, "an entry fits where the components were");
const _: () = assert!(size_of::<Start>() < 1024, "it lies within a page");

/// What does not begin as zeros and every call uses. The linker places it at the end of all data.
pub(crate) struct Start {
    pub levels: Levels,
    /// Here, since moving it would need a function of the C library.
    pub call: Call,
}

impl Start {
    pub const NEW: Start = Start { levels: Levels::NEW, call: Call::NEW };
}

pub(crate) struct Place<T>(pub(crate) UnsafeCell<T>);

// SAFETY: one thread uses it, once.
unsafe impl<T> Sync for Place<T> {}

pub(crate) static START: Place<Start> = Place(UnsafeCell::new(Start::NEW));
pub(crate) static RULES: Place<Rules> = Place(UnsafeCell::new(config::NO_RULES));

pub(crate) static ROOM: Place<Room> = Place(UnsafeCell::new(Room {
    places: Places { cwd: [0; executable::PATH], executable: executable::Room::NEW },
    folder: [0; executable::PATH],
    environment: environment::Room::NEW,
    buffers: Buffers {
        fields: [0; SHORT],
        input: [0; input::ROOM],
        declared: [0; declared::ROOM],
        content: [0; LONGEST + 1],
    },
    config: config::Room::NEW,
}));

/// The distance in bytes before a mark of the log at which hits are passed on, because the ordinary
/// way starts the fold that is due there. Up to this many calls may run concurrently.
const MARGIN: u64 = 16 * event::LEN as u64;

/// Answers the call and ends the process, or returns with nothing done.
pub fn answer(process: &Process) {
    let Err(Pass(why)) = attempt(process);
    if process.has_variable(environment::TRACED) {
        for part in ["cachex: passed on: ", why, "\n"] {
            let _ = sys::write(2, part.as_bytes());
        }
    }
}

enum Never {}

fn attempt(process: &Process) -> Known<Never> {
    // SAFETY: nobody else uses them, and this runs once.
    let (room, Start { call, levels }, rules) =
        unsafe { (&mut *ROOM.0.get(), &mut *START.0.get(), &mut *RULES.0.get()) };
    let mut options = Options::of(process, &mut levels.flags)?;
    let environment = Environment::of(process, &mut room.environment)?;
    let own = environment.own(&mut levels.variables)?;
    let began = sys::time(libc::CLOCK_MONOTONIC)?;
    if process.is_privileged() || !sys::files_are_unlimited() {
        return Err(Pass("the process is restricted"));
    }
    if input::is_closed(1) || input::is_closed(2) {
        return Err(Pass("an output is closed"));
    }
    let is_closed = input::is_closed(0);
    let mut path = Buffer::new(&mut room.folder);
    let below = (&levels.variables, &mut levels.all, &mut rules[..], &mut room.config);
    let settled = settle(&mut options, &own, &environment, process, below, &mut path)?;
    input::check_descriptors(&options, process)?;
    let store = store(settled.folder)?;

    let places = (&mut room.places, &mut room.buffers);
    identify(&options, environment, process, is_closed, places, call)?;
    let mut is_absent = false;
    let view = look_up(&store, &call.key, &mut room.buffers.fields, &mut is_absent)
        .inspect_err(|_| leave_key(call, settled.has_file, is_absent))?;
    let age = check_fresh(&options, &view)?;
    output::check(&view)?;
    let data = output::load(&view, &store, &mut room.buffers.content)?;
    check_log(&store)?;
    if options.is_verbose() {
        message::check_arguments(&options, process, call.declared)?;
    }
    call.input
        .read_and(view.stdin_consumed, &mut room.buffers.input, || output::show(&view, data))?;

    let cost = sys::time(libc::CLOCK_MONOTONIC).map_or(0, |now| now.saturating_sub(began));
    note(&store, &view, cost);
    if options.is_verbose() {
        message::tell_hit(&view, age);
    }
    sys::exit(view.status)
}

/// The settings from below the arguments.
pub(crate) struct Settled<'p> {
    /// The folder that holds the store.
    pub folder: Text<'p>,
    /// True if there is a configuration file.
    pub has_file: bool,
}

/// Merges the settings of variables, and those of the file for all commands and in its rules.
#[expect(clippy::inline_always, reason = "to move its values takes a function of the C library")]
#[inline(always)]
pub(crate) fn settle<'p>(
    options: &mut Options,
    own: &Own,
    environment: &Environment,
    process: &Process,
    (variables, all, rules, room): (&Given, &mut Given, &mut [Given], &'static mut config::Room),
    path: &'p mut Buffer<'_>,
) -> Known<Settled<'p>> {
    if !own.has_no_file {
        check_nothing_allowed(environment, path)?;
        path.cut(0);
    }
    let dir = options.dir();
    if own.has_options {
        if !variables.agrees() {
            return Err(Pass("a result would expire before it is refreshed"));
        }
        options.put_below(variables);
    }
    let mut has_file = false;
    if let Some(file) = config_file(own, environment, path)? {
        has_file = config::read(file, options, process, room, (all, rules))?;
    }
    options.check()?;
    let folder = folder(dir, own.dir, options.dir(), environment, path)?;
    Ok(Settled { folder, has_file })
}

/// The identity of a call.
pub(crate) struct Call {
    pub key: [u8; 32],
    /// The file of the command, if it is part of the key.
    pub executable: Option<executable::Executable>,
    pub cwd: Option<&'static [u8]>,
    /// Standard input.
    pub input: Input,
    /// The device and inode of a declared input.
    pub declared: Option<declared::File>,
}

impl Call {
    pub const NEW: Call = Call {
        key: [0; 32],
        executable: None,
        cwd: None,
        input: Input::Unmoved(""),
        declared: None,
    };
}

/// Computes the cache key.
#[expect(clippy::inline_always, reason = "to move its values takes a function of the C library")]
#[inline(always)]
pub(crate) fn identify(
    options: &Options,
    environment: Environment,
    process: &Process,
    is_closed: bool,
    (places, buffers): (&'static mut Places, &mut Buffers),
    call: &mut Call,
) -> Known<()> {
    let Places { executable, cwd } = places;
    let Buffers { fields, input, declared, content } = buffers;
    let mut fields = Fields::new(Buffer::new(fields));
    fields.begin_list(Tag::Argv, options.count(process));
    for argument in options.argv(process) {
        fields.sized(argument.bytes());
    }
    if options.executable() == Executable::Stat {
        let name = options.argv(process).next().ok_or(Pass("no command"))?;
        let search_path = environment.get(b"PATH");
        let file = executable::tell(name, search_path, executable, &mut fields)?;
        call.executable = Some(file);
    }
    if options.has_directory() {
        let path = executable::working_directory(cwd)?;
        fields.add(Tag::Cwd, path);
        call.cwd = Some(path);
    }
    let is_of_make = environment.get(b"MAKELEVEL").is_some();
    environment.tell(options, call.cwd, &mut fields)?;
    call.input = Input::tell(options, is_closed, is_of_make, input, &mut fields)?;
    if let Some(text) = options.key() {
        fields.add(Tag::Text, text);
    }
    if let Some(scope) = options.scope() {
        fields.add(Tag::Scope, scope);
    }
    if let Some(file) = options.input() {
        let file = declared::tell(file, declared, content, &mut fields)?;
        call.declared = Some(file);
    }
    call.key = hash::short(fields.0.bytes()?).ok_or(Pass("the key is of many bytes"))?;
    Ok(())
}

/// Hands the key over to the ordinary way, unless it may be different there.
fn leave_key(call: &Call, has_file: bool, is_absent: bool) {
    if let (Some(executable), Some(cwd), Some(stdin)) =
        (&call.executable, call.cwd, call.input.kind())
        && call.declared.is_none()
        && !has_file
    {
        // SAFETY: no thread was started, and the reader comes later.
        unsafe {
            handover::leave_key(|it| {
                it.key = call.key;
                (it.found, it.lies, it.stat) = (executable.found, executable.lies, executable.stat);
                (it.cwd, it.stdin, it.is_absent) = (cwd, stdin, is_absent);
            });
        }
    }
}

/// Returns the path of the configuration file and whether it was named, or `None` if there is no
/// place for one.
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

/// Makes sure that no project file was ever allowed, in which case none is looked for.
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

/// Returns the folder that holds the store.
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

/// Opens the store, if it exists and is private.
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

/// Returns the recent entry of a key. If there is none, sets `is_absent`.
fn look_up(
    store: &Descriptor,
    key: &[u8; 32],
    room: &'static mut [u8],
    is_absent: &mut bool,
) -> Known<View<'static>> {
    let file = sys::open_stored(store, &young::path(key)).map_err(|errno| {
        *is_absent = errno == Errno(libc::ENOENT);
        Pass("there is no recent entry")
    })?;
    let len = sys::read(file.number(), room)?;
    let sealed = room.get(..len).unwrap_or_default();
    let Ok((encoded, _)) = entry::open(sealed) else { return Err(Pass("the entry is damaged")) };
    let view = View::read(encoded).ok_or(Pass("the entry is not a plain one"))?;
    let is_of_key = cachex_core::bytes::eq(view.key, key);
    if is_of_key { Ok(view) } else { Err(Pass("the entry is of another key")) }
}

/// Checks that an entry may be served and needs no refresh. Returns its age.
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

/// Makes sure that this call does not make a fold due.
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

/// Logs the hit. Failing to do so has no effect.
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
