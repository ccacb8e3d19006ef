//! What happens to a store besides being used.

use super::{Chance, Soak, processes};
use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The kernel stamps files with the time of its last tick.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// Makes it happen until it is told to stop.
pub fn reign(soak: &Soak) -> Result<()> {
    let mut chance = Chance(soak.options.seed ^ 0xc4a0_5000);
    let mut cleared = Instant::now();
    while !soak.is_stopped() {
        std::thread::sleep(Duration::from_millis(20 + chance.below(400)));
        if cleared.elapsed() > soak.options.clear_every {
            cleared = Instant::now();
            clear(soak)?;
        }
        match chance.below(11) {
            10 => age(soak)?,
            0..3 => start_fold(soak)?,
            3..8 => kill_folds(soak, &mut chance),
            _ if soak.options.flips => flip(soak, &mut chance),
            _ => {}
        }
    }
    Ok(())
}

fn clear(soak: &Soak) -> Result<()> {
    soak.epoch.fetch_add(1, Ordering::SeqCst);
    let ended = soak.make(soak.cachex(&soak.store(), &["clear", "--yes"]), None, None)?;
    *soak.cleared.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
        Some((ended.began, ended.over));
    soak.epoch.fetch_add(1, Ordering::SeqCst);
    if ended.status.success() {
        soak.report.cleared.add(1);
    } else {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        soak.report.violation(&soak.report.failed, || format!("clear: {said}"));
    }
    Ok(())
}

/// As a call starts one that finds it due.
fn start_fold(soak: &Soak) -> Result<()> {
    let store = soak.store();
    let mut command = soak.cachex(&store, &["__store", "fold"]);
    command.arg(&store).args(["-", "-", "0", "0", "0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    soak.report.folds.add(1);
    // Reaped when it ends or is killed.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// Drops young files that are folded, as a fold does when there are thousands:
/// what they held is now looked for in the old store.
fn age(soak: &Soak) -> Result<()> {
    let store = soak.store();
    let before = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let passing = ["--scope", "passing", "--", "true"];
    for verb in ["run", "forget"] {
        let mut command = soak.cachex(&store, &[verb]);
        command.args(passing);
        let ended = soak.make(command, None, None)?;
        if !ended.status.success()
            || verb == "forget" && !ended.stdout.starts_with(b"1 entry forgotten")
        {
            return Ok(());
        }
    }
    // It forgot something, and so has folded all that was there before.
    let Ok(lock) = fs::File::open(store.join("v2/locks/publish")) else { return Ok(()) };
    lock.lock()?;
    for shard in fs::read_dir(store.join("v2/young")).into_iter().flatten().flatten() {
        for young in fs::read_dir(shard.path()).into_iter().flatten().flatten() {
            let Ok(file) = young.metadata() else { continue };
            let changed = Duration::new(file.ctime() as u64, file.ctime_nsec() as u32);
            if changed + CLOCK_TICK < before && fs::remove_file(young.path()).is_ok() {
                soak.report.aged.add(1);
            }
        }
    }
    Ok(())
}

/// Kills what folds in the background, at any point of its work.
fn kill_folds(soak: &Soak, chance: &mut Chance) {
    let is_fold = |pid: &u32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = arguments.split(|&byte| byte == 0).skip(1);
        words.next() == Some(b"__store") && words.next() == Some(b"fold")
    };
    for pid in processes(&soak.root).into_iter().filter(is_fold) {
        std::thread::sleep(Duration::from_micros(chance.below(20_000)));
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        if is_fold(&pid.map_or(0, |pid| pid.as_raw_nonzero().get() as u32))
            && pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
        {
            soak.report.folds_killed.add(1);
        }
    }
}

/// Flips one bit of one file of the store.
fn flip(soak: &Soak, chance: &mut Chance) {
    let mut files = Vec::new();
    let mut folders = vec![soak.store().join("v2")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return;
    }
    let path: &PathBuf = &files[chance.below(files.len() as u64) as usize];
    let flipped = || -> std::io::Result<()> {
        let file = fs::File::options().read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        if len > 0 {
            let at = chance.below(len);
            let mut byte = [0];
            file.read_exact_at(&mut byte, at)?;
            byte[0] ^= 1 << chance.below(8);
            file.write_all_at(&byte, at)?;
        }
        Ok(())
    }();
    soak.report.flipped.add(u64::from(flipped.is_ok()));
}
