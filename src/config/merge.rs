//! Merges all levels into one value for each option.

use super::folder::dir;
use super::levels::{By, Chosen, Levels, Own, contradiction};
use super::options::{self, Configurable};
use super::{
    BaseFolder, Config, EnvSelection, Freshness, Identity, InputFiles, List, Remote, ReportTo,
    UsageError, Vars,
};
use crate::args::{IdentityArgs, RunArgs};
use cachex_base::process::exit;
use cachex_base::text::values::{
    self, Access, AutoOutputs, ColorStrip, ExeMode, ExitCodes, InputPattern, Limit, Mode,
    OutputPattern, PrivateKey, PublicKey, ReplayMode, StdinMode, Tag,
};
use cachex_store::fold::Bounds;
use cachex_store::settings::{Limits, RemoteMode, Tier};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

const DEFAULT_FAILURE_EXPIRES_IN: Duration = Duration::from_mins(1);

/// Builds a configuration from flags and the levels below them.
pub fn merge(args: RunArgs, vars: &Vars, levels: &Levels<'_>) -> Result<Config, UsageError> {
    use options::{
        COLOR_STRIP, COMPRESS, FINISH, LOCAL, LOCK_TIMEOUT, MARK, MAX_ENTRIES, MAX_ENTRY_SIZE,
        MAX_SIZE, MISS_STATUS, NO_CONCURRENT, OUTPUT, QUIET, REPLAY, REQUIRE_OUTPUTS, TAG, TIMEOUT,
        VERBOSE,
    };
    let mut freshness = freshness(&args, levels)?;
    let ways = Ways::of(&args, levels)?;
    let report = match (args.status_file, args.status_fd) {
        (Some(path), _) => Some(ReportTo::File(path)),
        (None, Some(fd)) => Some(ReportTo::Descriptor(fd)),
        (None, None) => report(levels.own())?,
    };
    let local = levels.pick(&LOCAL, args.local.then_some(true))?;
    let mut tags = levels.pick(&TAG, several(args.tag))?.unwrap_or_default();
    tags.extend((local == Some(true)).then(|| Tag(Tag::LOCAL.to_owned())));
    let tags = options::few(tags).map_err(UsageError)?;
    levels.settle(&TAG, &tags);
    let outputs = levels.pick_by(&OUTPUT, several(args.output))?;
    if let Some((_, by)) = &outputs {
        let Freshness { refresh_after, stale_ok, .. } = &mut freshness;
        for (option, flag, refreshed) in [
            (&options::REFRESH_AFTER, args.refresh_after, refresh_after),
            (&options::STALE_OK, args.stale_ok, stale_ok),
        ] {
            if refreshed.is_some() {
                *refreshed = refreshed_beside(*by, option, flag, levels)?;
            }
        }
    }
    let mut outputs = outputs.map(|(outputs, _)| outputs).unwrap_or_default();
    outputs.sort();
    outputs.dedup();
    levels.settle(&OUTPUT, &outputs);
    let identity = identity(args.identity, levels)?;
    let is_traced = identity.auto.as_ref().is_some_and(|it| it.outputs != AutoOutputs::None);
    check_outputs(&outputs, is_traced)?;
    if outputs.is_empty() && args.require_outputs {
        return Err(UsageError("--require-outputs requires --output".to_owned()));
    }
    let limits = Limits {
        entry: levels.pick_or(&MAX_ENTRY_SIZE, args.max_entry_size, Limits::DEFAULT.entry)?,
        store: levels.pick_or(&MAX_SIZE, args.max_size, Limits::DEFAULT.store)?,
    };
    let remotes = remotes(
        Shared {
            tiers: several(args.remote),
            mode: args.remote_mode,
            patience: args.remote_timeout,
            budget: args.remote_budget,
            signing_key: args.remote_signing_key,
            trusted: several(args.remote_trust),
            max_size: args.remote_max_size,
        },
        limits,
        levels,
    )?;
    let miss_status = levels.pick(&MISS_STATUS, args.miss_status)?;
    let loudness = levels.choose([(&QUIET, args.quiet), (&VERBOSE, args.verbose)])?;
    let (quiet, verbose) = (loudness == Some(0), loudness == Some(1));
    levels.settle(&QUIET, &quiet);
    levels.settle(&VERBOSE, &verbose);
    Ok(Config {
        dir_is_explicit: args.cache_dir.is_some(),
        dir: dir(args.cache_dir, vars, levels)?,
        identity,
        freshness,
        mode: ways.mode,
        refused: None,
        warm: ways.warm,
        cached_only: ways.cached_only.then_some(miss_status.unwrap_or(exit::CACHEX_FAILED)),
        no_wait: ways.no_wait.then_some(miss_status.unwrap_or(0)),
        finish: levels.switch(&FINISH, args.finish)?,
        replay: levels.pick_or(&REPLAY, args.replay, ReplayMode::default())?,
        mark: levels.switch(&MARK, args.mark)?,
        color_strip: levels.pick_or(&COLOR_STRIP, args.color_strip, ColorStrip::default())?,
        no_concurrent: levels.switch(&NO_CONCURRENT, args.no_concurrent)?,
        lock_timeout: levels.pick(&LOCK_TIMEOUT, args.lock_timeout)?,
        timeout: levels.pick(&TIMEOUT, args.timeout)?,
        tty: ways.tty,
        outputs,
        require_outputs: levels.switch(&REQUIRE_OUTPUTS, args.require_outputs)?,
        tags,
        local,
        max_entry_size: limits.entry,
        max_size: limits.store,
        max_entries: levels.pick(&MAX_ENTRIES, args.max_entries)?,
        compress: levels.pick_or(&COMPRESS, args.compress, Bounds::COMPRESS)?,
        remotes,
        report,
        quiet,
        verbose,
    })
}

/// The flags about shared stores.
struct Shared {
    tiers: Option<Vec<Tier>>,
    mode: Option<RemoteMode>,
    patience: Option<Duration>,
    budget: Option<Duration>,
    signing_key: Option<PrivateKey>,
    trusted: Option<Vec<PublicKey>>,
    max_size: Option<u64>,
}

/// Returns the shared stores, nearest first.
fn remotes(flags: Shared, limits: Limits, levels: &Levels<'_>) -> Result<Vec<Remote>, UsageError> {
    use options::{
        REMOTE, REMOTE_BUDGET, REMOTE_MAX_SIZE, REMOTE_MODE, REMOTE_SIGNING_KEY, REMOTE_TIMEOUT,
        REMOTE_TRUST,
    };
    let tiers = levels.pick(&REMOTE, flags.tiers)?.unwrap_or_default();
    if tiers.is_empty() {
        return Ok(Vec::new());
    }
    let own = levels.own();
    let text = |name: &str| own.read(name, |value| Ok(value.to_owned()));
    let secret = own.get("CACHEX_REMOTE_SECRET");
    let old_secret = own.get("CACHEX_REMOTE_SECRET_OLD");
    if let (None, Some(_)) = (secret, old_secret) {
        return Err(UsageError(
            "CACHEX_REMOTE_SECRET_OLD is set and CACHEX_REMOTE_SECRET is not; results would be \
             sent without a secret: set the new one, too"
                .to_owned(),
        ));
    }
    let access = Access {
        user: text("CACHEX_REMOTE_USER")?,
        password: text("CACHEX_REMOTE_PASSWORD")?,
        token: text("CACHEX_REMOTE_TOKEN")?,
        secret: secret.map(|secret| secret.as_bytes().to_vec()),
        old_secret: old_secret.map(|secret| secret.as_bytes().to_vec()),
        signing_key: levels.pick(&REMOTE_SIGNING_KEY, flags.signing_key)?,
        trusted: levels.pick_or(&REMOTE_TRUST, flags.trusted, Vec::new())?,
    };
    levels.settle(&REMOTE_SIGNING_KEY, &access.signing_key.is_some());
    let most = levels.pick_or(&REMOTE_MAX_SIZE, flags.max_size, limits.entry)?;
    let limits = Limits { entry: most.min(limits.entry), ..limits };
    levels.settle(&REMOTE_MAX_SIZE, &limits.entry);
    let timeout = levels.pick_or(&REMOTE_TIMEOUT, flags.patience, Remote::TIMEOUT)?;
    let budget = levels.pick(&REMOTE_BUDGET, flags.budget)?;
    let most = levels.pick(&REMOTE_MODE, flags.mode)?.unwrap_or_default();
    let mut all: Vec<Remote> = Vec::with_capacity(tiers.len());
    for Tier { url, mode } in tiers {
        if all.iter().any(|known| known.url.to_string() == url.to_string()) {
            return Err(UsageError(format!("the remote store {url} is named twice")));
        }
        // The more restrictive of both modes applies.
        let mut mode = mode.unwrap_or_default().max(most).of(&url);
        if access.signing_key.is_none() && !access.trusted.is_empty() {
            // A store that trusts keys accepts no unsigned results.
            mode = mode.max(RemoteMode::ReadOnly);
        }
        if all.is_empty() {
            levels.settle(&REMOTE_MODE, &mode);
        }
        all.push(Remote { url, mode, timeout, budget, access: access.clone(), limits });
    }
    Ok(all)
}

/// Drops a background refresh that is set below the level of the outputs, and rejects any other:
/// it would change files while somebody works on them.
fn refreshed_beside(
    outputs: By,
    option: &'static Configurable<Duration>,
    flag: Option<Duration>,
    levels: &Levels<'_>,
) -> Result<Option<Duration>, UsageError> {
    let refreshed = levels.pick_by(option, flag)?;
    let mut refreshed = refreshed.map(|(_, by)| option.said_by(by));
    let mut made = Some(options::OUTPUT.said_by(outputs));
    levels.exclude(&mut refreshed, &mut made)?;
    match (made, refreshed) {
        (Some(_), _) => {
            levels.forget(option);
            Ok(None)
        }
        (None, Some(refreshed)) => Err(contradiction(
            &levels.told(refreshed),
            &levels.told(options::OUTPUT.said_by(outputs)),
        )),
        (None, None) => Ok(None),
    }
}

/// Rejects outputs that are excluded: one that was named, or all of them, unless a trace finds
/// others.
fn check_outputs(outputs: &[OutputPattern], is_traced: bool) -> Result<(), UsageError> {
    let (excluded, made): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.exclude);
    if made.is_empty() && !excluded.is_empty() && !is_traced {
        return Err(UsageError(
            "there are only exclusions; name the outputs to record with --output, too".to_owned(),
        ));
    }
    for output in made.iter().filter(|output| !output.path.is_glob()) {
        let by = excluded.iter().find(|excluded| excluded.path.takes_in(output.path.as_path()));
        if let Some(by) = by {
            return Err(UsageError(format!(
                "--output {output} is excluded by --output '{by}'; remove one of them"
            )));
        }
    }
    Ok(())
}

/// Returns the values, if there is at least one.
fn several<T>(given: Vec<T>) -> Option<Vec<T>> {
    (!given.is_empty()).then_some(given)
}

fn report(own: &Own) -> Result<Option<ReportTo>, UsageError> {
    use options::{STATUS_FD, STATUS_FILE};
    let file = own.get(STATUS_FILE.variable).map(|path| ReportTo::File(path.into()));
    let fd = own.read(STATUS_FD.variable, values::descriptor)?.map(ReportTo::Descriptor);
    match (file, fd) {
        (Some(_), Some(_)) => Err(contradiction(STATUS_FILE.variable, STATUS_FD.variable)),
        (file, fd) => Ok(file.or(fd)),
    }
}

fn identity(args: IdentityArgs, levels: &Levels<'_>) -> Result<Identity, UsageError> {
    use options::{
        BASE_DIR, ENV, EXE, IGNORE_ENV, INPUT, INPUT_COMMAND, INPUT_FROM, KEY, NO_CWD, NO_ENV,
        NO_IGNORE, PLATFORM, PORTABLE, SCOPE, STDIN,
    };
    let chosen = levels.choose([
        (&ENV, args.env.is_some()),
        (&IGNORE_ENV, args.ignore_env.is_some()),
        (&NO_ENV, args.no_env),
    ])?;
    let env = match chosen {
        Some(0) => levels.pick_names(&ENV, args.env)?.map(EnvSelection::Only),
        Some(1) => levels.pick_names(&IGNORE_ENV, args.ignore_env)?.map(EnvSelection::Except),
        Some(_) => Some(EnvSelection::None),
        None => None,
    };
    levels.settle(&NO_ENV, &matches!(env, Some(EnvSelection::None)));
    let portable = levels.switch(&PORTABLE, args.portable)?;
    let base = levels.pick(&BASE_DIR, args.base_dir)?.map(BaseFolder::At);
    let list = levels.pick(&INPUT_FROM, args.input_from)?;
    let patterns = levels.pick_or(&INPUT, several(args.input), Vec::new())?;
    if list.is_none() && !patterns.is_empty() && patterns.iter().all(|pattern| pattern.exclude) {
        return Err(UsageError(
            "there are only exclusions; name the inputs with --input, too".to_owned(),
        ));
    }
    let is_left_out = |pattern: &&InputPattern| {
        !pattern.exclude && patterns.iter().any(|it| it.exclude && it.path == pattern.path)
    };
    if let Some(pattern) = patterns.iter().find(is_left_out) {
        return Err(UsageError(format!(
            "--input {pattern} and --input '!{}' contradict each other; remove one of them",
            pattern.path.as_str()
        )));
    }
    if args.no_ignore && list.is_none() && patterns.is_empty() {
        return Err(UsageError("--no-ignore requires --input or --input-from".to_owned()));
    }
    let no_cwd = levels.switch(&NO_CWD, args.no_cwd)?;
    let auto = super::auto::auto(args.auto, args.no_cwd, portable, levels)?;
    // The inputs of a command depend on where it runs.
    let cwd = !no_cwd || auto.is_some();
    levels.settle(&NO_CWD, &!cwd);
    levels.settle(&options::AUTO, &auto.is_some());
    let by_default = if portable { ExeMode::Content } else { ExeMode::default() };
    Ok(Identity {
        exe: levels.pick_or(&EXE, args.exe, by_default)?,
        inputs: InputFiles {
            patterns,
            list: list.map(
                |path| {
                    if path.as_os_str() == "-" { List::Stdin } else { List::File(path) }
                },
            ),
            commands: levels.pick_or(&INPUT_COMMAND, several(args.input_command), Vec::new())?,
            no_ignore: levels.switch(&NO_IGNORE, args.no_ignore)?,
        },
        base: base.or(portable.then_some(BaseFolder::Repository)),
        portable,
        platform: levels.pick(&PLATFORM, args.platform)?,
        cwd,
        auto,
        env: env.unwrap_or(EnvSelection::All),
        stdin: levels.pick_or(&STDIN, args.stdin, StdinMode::default())?,
        key: levels.pick(&KEY, args.key)?,
        scope: levels.pick(&SCOPE, args.scope)?,
    })
}

fn freshness(args: &RunArgs, levels: &Levels<'_>) -> Result<Freshness, UsageError> {
    use options::{
        EXPIRES_IN, FAILURE_EXPIRES_IN, JITTER, REFRESH_AFTER, STALE_IF_ERROR, STALE_OK,
    };
    let expires_in = levels.pick_by(&EXPIRES_IN, args.expires_in)?;
    let limit = expires_in.and_then(|(Limit(limit), _)| limit);
    let shorter = limit.map_or(DEFAULT_FAILURE_EXPIRES_IN, |it| it.min(DEFAULT_FAILURE_EXPIRES_IN));
    let shorter = Limit(Some(shorter));
    let Limit(failure_expires_in) =
        levels.pick_or(&FAILURE_EXPIRES_IN, args.failure_expires_in, shorter)?;
    let mut refresh_after = levels.pick_by(&REFRESH_AFTER, args.refresh_after)?;
    if let (Some((after, by)), Some((Limit(Some(limit)), limit_by))) = (refresh_after, expires_in)
        && after >= limit
    {
        if by.against(limit_by).is_lt() {
            // A persistent setting does not restrict a call that asks for less.
            levels.forget(&REFRESH_AFTER);
            refresh_after = None;
        } else {
            return Err(UsageError(format!(
                "{} ({}) is not shorter than {} ({}): a result would expire before it is refreshed; \
                 make it shorter",
                levels.told(REFRESH_AFTER.said_by(by)),
                humantime::format_duration(after),
                levels.told(EXPIRES_IN.said_by(limit_by)),
                humantime::format_duration(limit),
            )));
        }
    }
    Ok(Freshness {
        expires_in: limit,
        failure_expires_in,
        refresh_after: refresh_after.map(|(after, _)| after),
        stale_ok: levels.pick(&STALE_OK, args.stale_ok)?,
        stale_if_error: levels.pick(&STALE_IF_ERROR, args.stale_if_error)?,
        jitter: levels.pick_or(&JITTER, args.jitter, 0)?,
        exit_codes: exit_codes(args, levels)?,
    })
}

/// Returns the statuses to record, whichever option chose them.
fn exit_codes(args: &RunArgs, levels: &Levels<'_>) -> Result<ExitCodes, UsageError> {
    use options::{EXIT_CODES, NO_FAIL};
    let picked = levels.pick_by(&EXIT_CODES, args.exit_codes.clone())?;
    let mut listed = picked.as_ref().map(|(_, by)| EXIT_CODES.said_by(*by));
    let mut no_fail = levels.own().either(&NO_FAIL, args.no_fail)?;
    levels.exclude(&mut no_fail, &mut listed)?;
    let codes = match no_fail {
        Some(_) => ExitCodes::of_success(),
        None => picked.map(|(codes, _)| codes).unwrap_or_default(),
    };
    levels.settle(&EXIT_CODES, &codes);
    Ok(codes)
}

/// The chosen way to run or to replay.
struct Ways {
    mode: Mode,
    warm: bool,
    cached_only: bool,
    no_wait: bool,
    tty: bool,
}

impl Ways {
    fn of(args: &RunArgs, levels: &Levels<'_>) -> Result<Ways, UsageError> {
        let own = levels.own();
        let (mode, mut by) = Ways::mode(args, levels)?;
        let mut warm = own.either(&options::WARM, args.warm)?;
        let mut cached_only = own.either(&options::CACHED_ONLY, args.cached_only)?;
        let tty = levels.pick_by(&options::TTY, args.tty.then_some(true))?;
        let mut tty = tty.filter(|(on, _)| *on).map(|(_, by)| options::TTY.said_by(by));
        let mut no_wait = own.either(&options::NO_WAIT, args.no_wait)?;
        levels.exclude(&mut warm, &mut cached_only)?;
        levels.exclude(&mut warm, &mut no_wait)?;
        levels.exclude(&mut cached_only, &mut no_wait)?;
        levels.exclude(&mut warm, &mut tty)?;
        levels.exclude(&mut no_wait, &mut tty)?;
        match mode {
            // These options record.
            Mode::ReadOnly => {
                levels.exclude(&mut warm, &mut by)?;
                levels.exclude(&mut no_wait, &mut by)?;
            }
            // These options read.
            Mode::WriteOnly => {
                levels.exclude(&mut cached_only, &mut by)?;
                levels.exclude(&mut no_wait, &mut by)?;
            }
            Mode::ReadWrite | Mode::Off => {}
        }
        let mode = if by.is_some() { mode } else { Mode::default() };
        levels.settle(&options::MODE, &mode);
        levels.settle(&options::TTY, &tty.is_some());
        Ok(Ways {
            mode,
            warm: warm.is_some(),
            cached_only: cached_only.is_some(),
            no_wait: no_wait.is_some(),
            tty: tty.is_some(),
        })
    }

    /// Returns the mode, whichever option chose it.
    fn mode(args: &RunArgs, levels: &Levels<'_>) -> Result<(Mode, Option<Chosen>), UsageError> {
        let short = [
            (&options::FORCE, args.force, Mode::WriteOnly),
            (&options::NO_READ, args.no_read, Mode::WriteOnly),
            (&options::READ_ONLY, args.read_only, Mode::ReadOnly),
        ];
        let given = short.iter().filter(|(_, given, _)| *given);
        let mut chosen: Vec<_> =
            given.map(|(option, _, mode)| (*mode, option.said_by(By::Flag))).collect();
        if chosen.is_empty() && args.mode.is_none() {
            for (option, _, mode) in short {
                let on = levels.own().switch(option.variable)?;
                chosen.extend(on.then(|| (mode, option.said_by(By::Variable))));
            }
        }
        // Levels below the short forms are overridden by them.
        let said = levels.pick_by(&options::MODE, args.mode)?;
        let said = said.map(|(mode, by)| (mode, options::MODE.said_by(by)));
        let counts = |said: &(Mode, Chosen)| {
            chosen.first().is_none_or(|(_, short)| said.1.by.against(short.by).is_ge())
        };
        if let Some(said) = said.filter(counts) {
            chosen.insert(0, said);
        }
        let Some(&(mode, by)) = chosen.first() else { return Ok((Mode::default(), None)) };
        match chosen.iter().find(|(other, _)| *other != mode) {
            Some((_, other)) => Err(contradiction(&levels.told(by), &levels.told(*other))),
            None => Ok((mode, Some(by))),
        }
    }
}
