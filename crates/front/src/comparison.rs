//! The interpretation of a call before the look-up, for comparison with that of the ordinary way.

use crate::answer::{self, Call, ROOM, RULES, Room, START, Start};
use crate::buffer::Buffer;
use crate::call::Process;
use crate::config::{Levels, NO_RULES, Rules};
use crate::environment::Environment;
use crate::input;
use crate::options::Options;
use crate::{Known, Pass};

/// The interpretation of a call.
#[derive(Debug)]
pub struct Decision<'d> {
    /// The cache key.
    pub key: [u8; 32],
    /// The folder that holds the store.
    pub folder: &'d [u8],
    /// The maximum age of a success and of a failure, and the age of a refresh, in nanoseconds.
    pub limits: [Option<u64>; 3],
    /// True if a hit is reported.
    pub is_verbose: bool,
}

/// Calls `tell` with the interpretation of a call whose standard input is closed, or the reason why
/// it is passed on.
///
/// # Safety
///
/// `stack` points to the data that the kernel puts on the stack of a process, which does not
/// change, and no other thread is in this crate.
pub unsafe fn decide(stack: *const usize, tell: &mut dyn FnMut(Result<Decision<'_>, &str>)) {
    // SAFETY: the caller promises both.
    let (room, start, rules, process) = unsafe {
        (&mut *ROOM.0.get(), &mut *START.0.get(), &mut *RULES.0.get(), Process::at(stack))
    };
    (*start, *rules) = (Start::NEW, NO_RULES);
    let Start { call, levels } = start;
    if let Err(Pass(why)) = look(&process, room, (levels, rules), call, tell) {
        tell(Err(why));
    }
}

fn look(
    process: &Process,
    room: &'static mut Room,
    (levels, rules): (&'static mut Levels, &mut Rules),
    call: &mut Call,
    tell: &mut dyn FnMut(Result<Decision<'_>, &str>),
) -> Known<()> {
    let mut options = Options::of(process, &mut levels.flags)?;
    let environment = Environment::of(process, &mut room.environment)?;
    let own = environment.own(&mut levels.variables)?;
    let mut path = Buffer::new(&mut room.folder);
    let below = (&levels.variables, &mut levels.all, &mut rules[..], &mut room.config);
    let settled = answer::settle(&mut options, &own, &environment, process, below, &mut path)?;
    input::check_descriptors(&options, process)?;
    let places = (&mut room.places, &mut room.buffers);
    answer::identify(&options, environment, process, true, places, call)?;
    tell(Ok(Decision {
        key: call.key,
        folder: settled.folder.bytes(),
        limits: [options.limit(0), options.limit(1), options.refresh_after()],
        is_verbose: options.is_verbose(),
    }));
    Ok(())
}
