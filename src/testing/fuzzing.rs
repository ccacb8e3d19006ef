//! The fuzz targets: every decoder of bytes that somebody else may have written, and the properties
//! that must hold for any input.
//!
//! A target is a function of bytes that panics if a property does not hold. Where a checksum would
//! stop a fuzzer early, the target also makes the checksum fit, so that the code behind it is
//! reached. `fuzz/` runs the targets in a coverage-guided engine, `tests/it/fuzzing.rs` on the
//! checked-in seeds and mutations of them.

mod archive;
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "fuzzing/no_front.rs"
)]
mod front;

use crate::args::lean;
use crate::args::{self, Called, RUN, RunArgs, SH};
use crate::config::{self, Read, Vars};
use crate::run::explain::differences;
use crate::run::replay::Replay;
use cachex_base::process::ipc;
use cachex_base::record::entry::{About, BlobRef, Bytes, Entry, Key};
use cachex_base::record::frames::{Frame, Frames};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use cachex_base::system::progress::Progress;
use cachex_base::text::values::{self, ExitCodes, NamePattern, Tag};
use cachex_core::environment;
use cachex_store::blobs::{self, Form};
use cachex_store::components::Parts;
use cachex_store::db_server::Item;
use cachex_store::fold::FoldReport;
use cachex_store::lock::Signature;
use cachex_store::metadata::{self, EntryMetadata, Totals};
use cachex_store::query::{Filter, Query};
use cachex_store::stats::Counts;
use cachex_store::{Root, events, filter, indexes, packed};
use rustix::fs::OFlags;
use serde_bytes::ByteBuf;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

/// A target: its name and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("answer", answer),
    ("archive", archive::archive),
    ("config", config_file),
    ("entry", entry),
    ("events", events),
    ("facts", facts),
    ("filter", filter),
    ("frames", frames),
    ("front", front::front),
    ("hash", hash),
    ("lean", lean),
    ("lock", lock_file),
    ("makeflags", makeflags),
    ("manifest", manifest),
    ("packed", packed),
    ("query", query),
    ("values", values),
    ("variables", variables),
];

/// Decodes the output of a helper process, and the answers in it.
fn answer(bytes: &[u8]) {
    let mut buffer = bytes.to_vec();
    while let Ok(Some((_, body))) = ipc::take_frame(&mut buffer) {
        assert!(body.len() + buffer.len() < bytes.len());
    }
    if let Ok(item) = ipc::decode::<Item>(bytes) {
        let _ = Entry::open_any(&item.sealed);
    }
    let _ = ipc::decode::<FoldReport>(bytes);
    let _ = ipc::decode::<Progress>(bytes);
    let _ = ipc::decode::<u64>(bytes);
    let _ = ipc::decode::<Option<u64>>(bytes);
    let _ = ipc::decode::<(u32, String, Counts)>(bytes);
}

/// Parses `config.toml`. Mistakes are reported with their position, and a valid file applies to any
/// command without contradiction.
fn config_file(bytes: &[u8]) {
    let path = Path::new("/home/me/config.toml");
    let home = Some(Path::new("/home/me"));
    let file = match config::parse(path.to_owned(), bytes, home) {
        Ok(file) => file,
        Err(why) => {
            let why = why.to_string();
            assert_eq!(cachex_base::text::quote::harmless(&why), why);
            let place = why.strip_prefix("/home/me/config.toml:").and_then(|rest| {
                let mut numbers = rest.split(':').map(str::parse);
                Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
            });
            let (line, column): (usize, usize) = place.unwrap_or_else(|| panic!("{why}"));
            let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
            assert!((1..=lines.len()).contains(&line), "{why}");
            assert!((1..=lines[line - 1].len() + 1).contains(&column), "{why}");
            return;
        }
    };
    let globs: Vec<&str> = file.globs().take(8).collect();
    let commands: Vec<OsString> =
        globs.into_iter().chain(["/usr/bin/terraform"]).map(OsString::from).collect();
    let read = Read::File(file);
    for command in commands {
        let args = RunArgs { command: vec![command, "plan".into()], ..RunArgs::default() };
        match config::resolve_with(args, &[], &read) {
            Ok((config, _)) => {
                assert!(!(config.quiet && config.verbose) && config.tags.len() <= Tag::MOST);
                assert!(config.dir.is_none_or(|dir| dir.is_absolute()));
                let limits = config.freshness.refresh_after.zip(config.freshness.expires_in);
                assert!(limits.is_none_or(|(after, limit)| after < limit));
            }
            // Only settings on different levels are not compared when the file is read.
            Err(why) => {
                assert!(why.to_string().contains("`refresh-after` in /home/me/config.toml:"));
            }
        }
    }
}

/// Decodes a young file, or a value in the old store.
fn entry(bytes: &[u8]) {
    if let Ok(entry) = Entry::open_any(bytes) {
        assert!(Entry::open(&entry.key, bytes).is_ok());
        whole_entry(&entry);
    }
    for parts in [&[][..], &bytes[..bytes.len().min(100)]] {
        if let Ok(entry) = Entry::open_any(&Entry::seal_any(bytes, parts)) {
            assert_eq!(entry.parts, parts);
            whole_entry(&entry);
        }
    }
}

/// Uses an entry in every way. One that passed the checksum must allow that.
fn whole_entry(entry: &Entry) {
    if let Some(parts) = Parts::decode(&entry.parts) {
        let same = differences::compare(&parts, &parts);
        assert!(same.is_some_and(|same| same.unknown == 0 || parts.cut));
    }
    if let Ok(sealed) = entry.seal() {
        assert_eq!(Entry::open_any(&sealed).as_ref(), Ok(entry));
        assert!(EntryMetadata::of(entry, &sealed).size >= entry.blob_bytes());
    }
    let mut other = entry.key;
    other.0[31] ^= 1;
    assert!(entry.seal().is_ok_and(|sealed| Entry::open(&other, &sealed).is_err()));
    for now in [Timestamp(0), entry.created, Timestamp(u64::MAX)] {
        let age = entry.fresh(now, None);
        assert!(age.is_none_or(|age| entry.created.plus(age) == now));
        assert!(entry.fresh(now, Some(Duration::ZERO)).is_none());
    }
    assert!(entry.expires().is_none_or(|expires| expires >= entry.created));
    assert!(entry.gone() >= entry.expires());
    with_store(|root| {
        // Only entries without blobs can be prepared here.
        let _ = Replay::prepare(root, entry.clone());
    });
}

/// Decodes a query of the old store, and applies it to a matching entry.
fn query(bytes: &[u8]) {
    let Ok(query) = ipc::decode::<Query>(bytes) else { return };
    let encoded = ipc::encode(&query).expect("a question");
    assert_eq!(ipc::decode::<Query>(&encoded).ok().as_ref(), Some(&query));
    let Ok(matcher) = query.filter.matcher() else { return };
    let Filter { tag, scope, cwd, name, failed, .. } = &query.filter;
    let keys = matcher.keys();
    assert!(keys.is_none_or(|(first, last)| first <= last));
    let entry = Entry {
        key: keys.map_or(Key([0; 32]), |(first, _)| first),
        created: Timestamp(0),
        expires_in: Some(0),
        stale_for: None,
        run_time: 0,
        status: u8::from(*failed),
        stdin_consumed: None,
        frames: Bytes::Inline(Vec::new()),
        data: Bytes::Inline(Vec::new()),
        outputs: None,
        about: About {
            argv: name.iter().cloned().collect(),
            cut: false,
            cwd: cwd.as_ref().map(|cwd| ByteBuf::from(&cwd[..cwd.len().min(About::LIMIT)])),
            scope: scope.clone(),
            tags: tag.iter().cloned().collect(),
        },
        parts: Vec::new(),
    };
    let facts = EntryMetadata::of(&entry, &[]);
    matcher.matches(&entry, &facts);
    query.order.rank(&entry, &facts);
    let plain = Filter {
        command_glob: None,
        argv: None,
        used_before: None,
        created_before: None,
        ..query.filter.clone()
    };
    let is_base = name.as_ref().is_none_or(|name| !name.contains(&b'/'));
    assert!(!is_base || plain.matcher().is_ok_and(|plain| plain.matches(&entry, &facts)));
}

/// Parses the log of events.
fn events(bytes: &[u8]) {
    let read = events::parse(bytes);
    assert!(read.len() <= bytes.len() / 64);
    // Every record between two others is found if its own checksum fits.
    let mut log = Vec::new();
    for record in &read {
        log.extend(record.encode());
        log.extend(&bytes[..bytes.len().min(7)]);
    }
    assert!(events::parse(&log).len() >= read.len());
    let records: Vec<u8> = bytes.chunks(64).flat_map(events::with_checksum).collect();
    events::parse(&records);
}

/// Decodes the old store's metadata of entries.
fn facts(bytes: &[u8]) {
    if let Some(known) = metadata::decode::<EntryMetadata>(bytes) {
        assert_eq!(metadata::decode(&metadata::encode(&known)), Some(known));
    }
    if let Some(totals) = metadata::decode::<Totals>(bytes) {
        assert_eq!(metadata::decode(&metadata::encode(&totals)), Some(totals));
    }
    if let Some(counts) = metadata::decode::<Counts>(bytes) {
        assert_eq!(metadata::decode(&metadata::encode(&counts)), Some(counts));
        let mut sum = counts;
        sum.add(&counts);
        assert!(sum.hits >= counts.hits);
    }
    let _ = metadata::split(bytes);
    if let Some((tag, key)) = indexes::tag_of(bytes) {
        assert_eq!([&indexes::tag_place(tag)[..], &key.0].concat(), bytes);
    }
}

/// Decodes `old.keys`.
fn filter(bytes: &[u8]) {
    with_store(|root| {
        let keys: Vec<u64> =
            bytes.as_chunks().0.iter().map(|key| u64::from_be_bytes(*key)).collect();
        for content in [bytes.to_vec(), filter::encode(&keys)] {
            let place = |file| fsutil::write_all(file, &content);
            let flags = OFlags::WRONLY | OFlags::TRUNC;
            fsutil::create_file(root, filter::FILE, flags).and_then(place).expect("a filter");
            let held = filter::contents(root);
            let asked = keys.iter().flat_map(|&key| [key, key.wrapping_add(1)]);
            for prefix in [0, u64::MAX].into_iter().chain(asked).take(12) {
                let mut key = [0; 32];
                key[..8].copy_from_slice(&prefix.to_be_bytes());
                let maybe = filter::may_hold(root, &Key(key));
                if let Some(held) = held.as_ref().filter(|held| held.is_sorted()) {
                    assert_eq!(maybe, held.contains(&prefix));
                }
            }
        }
    });
}

/// Decodes the frames that tell to which stream the next bytes go.
fn frames(bytes: &[u8]) {
    let mut read = Vec::new();
    let mut again = Vec::new();
    for frame in Frames(bytes.iter().copied()) {
        let Ok(frame) = frame else { return };
        frame.encode(&mut again);
        read.push(frame);
    }
    assert!(read.len() <= bytes.len() && again.len() <= bytes.len());
    let back: Result<Vec<Frame>, _> = Frames(again.into_iter()).collect();
    assert_eq!(back, Ok(read));
}

/// Compares the hash of short inputs with the crate's.
fn hash(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first_chunk() else { return };
    let len = usize::from(u16::from_le_bytes(*first));
    let long: Vec<u8> = rest.iter().copied().cycle().take(len).collect();
    for bytes in [rest, &long] {
        assert_eq!(hashing::of(bytes), blake3::hash(bytes));
    }
}

/// Compares the fast reader of the arguments of `run` and `sh` with clap.
fn lean(bytes: &[u8]) {
    let args: Vec<OsString> =
        bytes.split(|&byte| byte == 0).map(|arg| OsString::from_vec(arg.to_vec())).collect();
    for verb in [RUN, SH] {
        if let Some(called) = lean::read(verb, &args) {
            assert_eq!(Some(called), by_clap(verb, &args));
        }
    }
}

fn by_clap(verb: &str, args: &[OsString]) -> Option<Called> {
    let whole = ["cachex".into(), verb.into()].into_iter().chain(args.iter().cloned());
    args::parse(whole.collect()).ok()?.called()
}

/// Parses a lock file, which names its holder and where to follow it.
fn lock_file(bytes: &[u8]) {
    let Some(signature) = Signature::parse(bytes) else { return };
    if let Some(live) = &signature.live {
        for name in [&live.data, &live.index] {
            assert!(
                name.starts_with("tmp") && name.components().count() <= 2,
                "{}",
                name.display()
            );
        }
    }
    let text = signature.to_string();
    assert_eq!(Signature::parse(text.as_bytes()), Some(signature));
}

/// Parses the variables in which make passes its options on.
fn makeflags(bytes: &[u8]) {
    let count =
        |flags: &[u8]| environment::significant(b"MAKEFLAGS", flags).map(|kept| kept.to_vec());
    let kept = count(bytes);
    if let Some(kept) = &kept {
        assert!(!kept.is_empty() && kept.len() <= bytes.len() + 1);
        assert_eq!(count(kept).as_ref(), Some(kept), "what counts does not count the same");
    }
    let shared = [b"-j4 --jobserver-auth=3,4 ", bytes].concat();
    assert_eq!(count(&shared), kept, "make's jobs count");
    let listed = environment::NAMES.iter().any(|name| name.as_bytes() == bytes);
    let is_of_a_family = environment::FAMILIES.iter().any(|family| bytes.starts_with(family));
    assert_eq!(environment::is_noise(bytes), listed || is_of_a_family);
}

/// Decodes the list of the files that a run left behind.
fn manifest(bytes: &[u8]) {
    let Ok(list) = Manifest::decode(bytes) else { return };
    for item in &list.items {
        let path = Path::new(OsStr::from_bytes(&item.path));
        let plain = path.components().all(|part| {
            matches!(part, std::path::Component::RootDir | std::path::Component::Normal(_))
        });
        assert!(plain && path.file_name().is_some(), "{}", path.display());
    }
    let encoded = list.encode().expect("no longer than what it was decoded from");
    assert!(encoded.len() <= bytes.len());
    let outputs = list.outputs(BlobRef { hash: [0; 32], len: bytes.len() as u64 });
    assert!(outputs.files <= list.items.len() as u64);
    assert_eq!(Manifest::decode(&encoded), Ok(list));
}

/// Decodes the frame of a packed blob, after its length, with a checksum that fits.
fn packed(bytes: &[u8]) {
    let Some((len, frame)) = bytes.split_first_chunk() else { return };
    let blob = BlobRef { hash: [7; 32], len: u32::from_le_bytes(*len).into() };
    with_store(|root| {
        let content = [&packed::header(&blob), frame].concat();
        let sum = hashing::of(&content);
        let place = |file| fsutil::write_all(file, &[&content[..], sum.as_bytes()].concat());
        let path = Form::Packed.path(&blob.hash);
        let flags = OFlags::WRONLY | OFlags::TRUNC;
        fsutil::create_file(root, path, flags).and_then(place).expect("a packed blob");
        let opened = blobs::open(root, &blob).expect("a store").expect("a sum that fits");
        // The content is complete or ends with an error, and is never longer.
        let read = std::io::copy(&mut opened.reader(), &mut std::io::sink());
        assert!(read.is_err() || read.is_ok_and(|read| read == blob.len));
    });
}

/// Parses values of options.
fn values(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(duration) = values::duration(text) {
        assert!(!duration.is_zero());
        let shown = humantime::format_duration(duration).to_string();
        assert_eq!(values::duration(&shown), Ok(duration), "{shown}");
    }
    if let Ok(size) = values::size(text) {
        assert_eq!(values::size(&size.to_string()), Ok(size));
    }
    if let Ok(codes) = text.parse::<ExitCodes>() {
        assert!((0..=255).any(|status| codes.contain(status)));
        assert_eq!(codes.to_string().parse(), Ok(codes));
    }
    let _ = values::switch(text);
    let (pattern, name) = text.split_once('\n').unwrap_or((text, text));
    if let Ok(pattern) = pattern.parse::<NamePattern>() {
        pattern.matches(name.as_ref());
    }
    if let Ok(star) = format!("{}*", glob::Pattern::escape(name)).parse::<NamePattern>() {
        let name = if star.adds() { &name[1..] } else { name };
        assert!(star.matches(format!("{name}_MORE").as_ref()));
    }
}

/// Parses cachex's own variables, `NAME=value` each, separated by null bytes.
///
/// Variables live as long as the process, so valid ones are leaked.
fn variables(bytes: &[u8]) {
    let leaked: &'static [u8] = Vec::leak(bytes[..bytes.len().min(100)].to_vec());
    let vars: Vec<(&OsStr, &OsStr)> = leaked
        .split(|&byte| byte == 0)
        .filter_map(|variable| {
            let at = variable.iter().position(|&byte| byte == b'=')?;
            Some((OsStr::from_bytes(&variable[..at]), OsStr::from_bytes(&variable[at + 1..])))
        })
        .collect();
    let vars: &Vars = &vars;
    let command = vec![OsString::from("true")];
    match config::resolve_with(RunArgs { command, ..RunArgs::default() }, vars, &Read::Absent) {
        Ok((config, argv)) => {
            assert_eq!(argv, ["true"]);
            assert!(!(config.quiet && config.verbose));
            assert!(config.freshness.expires_in.is_none_or(|limit| !limit.is_zero()));
            assert!(config.dir.is_none_or(|dir| *dir != *Path::new("")));
        }
        Err(why) => {
            let why = why.to_string();
            assert!(why.contains("CACHEX_"), "{why}");
        }
    }
}

/// Calls `work` with a store of this thread.
fn with_store(work: impl FnOnce(&Root)) {
    thread_local! {
        static STORE: (tempfile::TempDir, Root) = {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let root = Root::create(&dir.path().join("store")).expect("a store");
            (dir, root)
        };
    }
    STORE.with(|(_, root)| work(root));
}
