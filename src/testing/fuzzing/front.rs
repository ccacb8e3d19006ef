//! A call, handled by the front and by the ordinary way: whatever the front answers, the ordinary
//! way answers from the same key, under the same limits.

use crate::args::{self, Called, lean};
use crate::config;
use crate::run::{AtHome, Runner, Shims, key_of};
use cachex_base::record::entry::Key;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::Invocation;
use cachex_front::Decision;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Serializes calls: the front keeps its state about a call in one place.
static TURN: Mutex<()> = Mutex::new(());

/// The front's decision about a call.
struct Decided {
    key: Key,
    folder: PathBuf,
    limits: [Option<Duration>; 3],
    is_verbose: bool,
}

impl From<Decision<'_>> for Decided {
    fn from(it: Decision<'_>) -> Decided {
        Decided {
            key: Key(it.key),
            folder: OsStr::from_bytes(it.folder).into(),
            limits: it.limits.map(|limit| limit.map(Duration::from_nanos)),
            is_verbose: it.is_verbose,
        }
    }
}

/// Takes arguments up to an empty one, variables up to an empty one, and a configuration file.
///
/// Variables live as long as the process, so those of a call that the front answers are leaked.
pub fn front(bytes: &[u8]) {
    let (words, variables) = call(bytes);
    let Some(decided) = decided(&words, &variables) else { return };
    let mut words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
    let vars: Vec<(&OsStr, &OsStr)> = variables
        .into_iter()
        .map(|variable| {
            let variable: &'static [u8] = Vec::leak(variable);
            let at = variable.iter().position(|&byte| byte == b'=');
            let (name, value) =
                at.map_or((&b"="[..], variable), |at| (&variable[..at], &variable[at + 1..]));
            (OsStr::from_bytes(name), OsStr::from_bytes(value))
        })
        .collect();
    let called: Option<Called> =
        lean::take(&mut words).or_else(|| args::parse(words).ok()?.called());
    let called = called.expect("the front takes for a call what is none");
    let (config, argv) = config::resolve(called, &vars).expect("the front takes a mistake");
    let invocation = Invocation { argv };
    let runner = Runner {
        invocation: &invocation,
        config: &config,
        vars: &vars,
        closed: [true, false, false],
        report: None,
        began: Instant::now(),
        shims: Shims::default(),
        at_home: AtHome::default(),
        shows_progress: |_| Box::new(()),
    };
    let (key, _) = key_of(&runner, None, false).expect("the front knows a key that nobody knows");
    assert_eq!(key, decided.key);
    assert!(matches!(config.mode, Mode::ReadWrite | Mode::ReadOnly));
    let freshness = &config.freshness;
    let limits = [freshness.limit(0, &key), freshness.limit(1, &key), freshness.refresh_after];
    assert_eq!(limits, decided.limits);
    assert_eq!(config.verbose, decided.is_verbose);
    assert_eq!(config.dir.as_deref(), Some(decided.folder.as_path()));
    let is_plain = config.outputs.is_empty()
        && config.identity.auto.is_none()
        && config.report.is_none()
        && config.may_run()
        && !(config.tty || config.mark);
    assert!(is_plain, "the front does not know what was asked for");
}

/// Returns the arguments and the variables of a call, one of which names the file.
fn call(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut strings = bytes.split(|&byte| byte == 0);
    let mut list = || -> Vec<Vec<u8>> {
        strings.by_ref().take_while(|it| !it.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (mut words, mut variables) = (list(), list());
    words.insert(0, b"cachex".to_vec());
    let file = with_file(&strings.collect::<Vec<_>>().join(&0));
    // If several variables have the same name, the first is used.
    variables.insert(0, [b"CACHEX_CONFIG=", file.as_os_str().as_bytes()].concat());
    (words, variables)
}

/// Returns the front's decision about a call whose standard input is closed; none if it is passed
/// on.
fn decided(words: &[Vec<u8>], variables: &[Vec<u8>]) -> Option<Decided> {
    let for_c = |texts: &[Vec<u8>]| -> Vec<CString> {
        texts.iter().map(|text| CString::new(&text[..]).expect("split at zeros")).collect()
    };
    let (words, variables) = (for_c(words), for_c(variables));
    let addresses =
        |texts: &[CString]| -> Vec<usize> { texts.iter().map(|it| it.as_ptr() as usize).collect() };
    // In the kernel's format. The end says that this process has no elevated privileges.
    let stack = [
        &[words.len()][..],
        &addresses(&words),
        &[0],
        &addresses(&variables),
        &[0, libc::AT_SECURE as usize, 0, 0, 0],
    ]
    .concat();
    let mut decided = None;
    let _turn = TURN.lock();
    // SAFETY: the stack has the kernel's format, and its pointers are valid until the last use.
    // Other threads wait for their turn.
    unsafe { cachex_front::decide(stack.as_ptr(), &mut |it| decided = it.ok().map(Decided::from)) }
    decided
}

/// Returns a configuration file of this thread with this content.
fn with_file(content: &[u8]) -> PathBuf {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| {
        if content.is_empty() {
            return Path::new("/dev/null").to_owned();
        }
        let file = folder.path().join("config.toml");
        fs::write(&file, content).expect("a file");
        file
    })
}

#[cfg(test)]
mod tests {
    use super::{call, decided};
    use crate::args::options;
    use std::path::Path;

    #[test]
    fn what_the_seeds_call_is_answered_unless_a_variable_is_set_twice() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/front");
        for seed in folder.read_dir().unwrap() {
            let path = seed.unwrap().path();
            let (words, variables) = call(&std::fs::read(&path).unwrap());
            let is_answered = decided(&words, &variables).is_some();
            assert_eq!(is_answered, !path.ends_with("twice"), "{}", path.display());
        }
    }

    #[test]
    fn the_variables_that_the_front_knows_stand_for_these_options() {
        for (variable, option) in cachex_front::OPTIONS {
            let variable = std::str::from_utf8(variable).unwrap();
            let known = options::all().iter().find(|it| it.about().variable == variable);
            assert_eq!(known.map(|it| it.name().as_bytes()), Some(option), "{variable}");
        }
    }
}
