//! Single flight: who computes a value, and who waits for it.
//!
//! A flight is the computation of one key's value. Threads and tasks wait for it alike, and every
//! waiter gets its result, even if no store kept it. If a flight ends without a result (an error, a
//! panic, a future that was dropped), the next one starts.
//!
//! Nobody waits for something that cannot end while they wait. Each turn knows the turn within
//! which it was taken, and the flights that it waits for, so a value that needs itself is noticed,
//! even by way of others. A thread does not wait either for work that has to continue on that very
//! thread. A caller that may not wait computes the value, too.

use super::backend::Record;
use super::domain::Domain;
use super::key::{Here, ValueKey};
use super::{process, timer};
use event_listener::{Event, EventListener, Listener};
use std::any::TypeId;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

/// The identity of a flight in a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FlightKey {
    domain: u64,
    types: (TypeId, u64),
    parts: Box<[u8]>,
}

type Shared = Arc<FlightKey>;

/// The flights of a process.
#[derive(Default)]
pub struct Table {
    flights: HashMap<Shared, Flight>,
    turns: HashMap<u64, Holder>,
    last: u64,
}

#[derive(Default)]
struct Flight {
    /// The number of the current turn.
    turn: Option<u64>,
    /// The number of waiters.
    seats: usize,
    landed: Option<Landed>,
    ended: Arc<Event>,
}

/// The result of a flight.
#[derive(Clone)]
struct Landed {
    record: Arc<Record>,
    began: Instant,
    at: Instant,
}

/// The holder of a turn.
struct Holder {
    flight: Shared,
    /// The turn within which this one was taken.
    outer: Option<u64>,
    /// The flights that it cannot end without.
    needs: Vec<Shared>,
    /// The thread on which it was last seen at work.
    thread: Arc<AtomicU64>,
    is_task: bool,
}

fn table() -> MutexGuard<'static, Table> {
    // Nothing panics while it is held.
    process::this().flights.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The innermost turn that is being used on this thread; none: 0.
    static INNERMOST: Cell<u64> = const { Cell::new(0) };
    static THREAD: u64 = {
        static LAST: AtomicU64 = AtomicU64::new(0);
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    };
}

fn innermost() -> Option<u64> {
    Some(INNERMOST.get()).filter(|turn| *turn != 0)
}

/// Returns whether this is called by what computes a value, one at a time.
pub fn is_within_a_turn() -> bool {
    innermost().is_some()
}

/// The result of joining a flight.
pub enum Joined {
    /// The caller has its turn.
    Turn(Turn),
    /// The result of another caller's turn.
    Landed(Arc<Record>),
    /// No wait can lead to a turn.
    Alone,
}

/// The policy of waiting for others.
#[derive(Clone, Copy)]
pub struct WaitPolicy {
    /// The deadline, if there is one.
    pub until: Option<Instant>,
    /// True if what others have begun before will not do.
    pub anew: bool,
}

/// Joins the flight of a key, and waits for its end or one's turn. It blocks the thread
/// meanwhile.
pub fn join(domain: &Domain, key: &ValueKey, terms: WaitPolicy) -> Joined {
    let seat = Seat::take(domain, key, false, terms.anew);
    let until = terms.until;
    loop {
        let listener = match seat.look() {
            Look::Wait(listener) => listener,
            look => return seat.end(look),
        };
        match until {
            None => listener.wait(),
            Some(until) if listener.wait_deadline(until).is_none() => return Joined::Alone,
            Some(_) => {}
        }
    }
}

/// Joins a flight without blocking a thread.
pub async fn join_async(domain: &Domain, key: &ValueKey, terms: WaitPolicy) -> Joined {
    let seat = Seat::take(domain, key, true, terms.anew);
    let until = terms.until;
    loop {
        let mut listener = match seat.look() {
            Look::Wait(listener) => listener,
            look => return seat.end(look),
        };
        let mut over = pin!(until.map(timer::until));
        let is_over = poll_fn(|context| {
            if Pin::new(&mut listener).poll(context).is_ready() {
                return Poll::Ready(false);
            }
            match over.as_mut().as_pin_mut() {
                Some(over) => over.poll(context).map(|()| true),
                None => Poll::Pending,
            }
        });
        if is_over.await {
            return Joined::Alone;
        }
    }
}

/// Takes the turn if nobody has it.
pub fn try_join(domain: &Domain, key: &ValueKey, is_task: bool) -> Option<Turn> {
    let seat = Seat::take(domain, key, is_task, false);
    match seat.look() {
        look @ Look::Turn { .. } => match seat.end(look) {
            Joined::Turn(turn) => Some(turn),
            _ => None,
        },
        _ => None,
    }
}

/// A place among those who wait.
struct Seat {
    flight: Shared,
    joined: Instant,
    outer: Option<u64>,
    is_task: bool,
    anew: bool,
}

enum Look {
    Turn { id: u64, thread: Arc<AtomicU64> },
    Landed(Arc<Record>),
    Alone,
    Wait(EventListener),
}

impl Seat {
    fn take(domain: &Domain, key: &ValueKey, is_task: bool, anew: bool) -> Seat {
        let Here { types, parts } = key.here();
        let flight = Arc::new(FlightKey { domain: domain.id(), types, parts: parts.into() });
        let outer = innermost();
        let mut table = table();
        table.flights.entry(flight.clone()).or_default().seats += 1;
        if let Some(outer) = outer.and_then(|outer| table.turns.get_mut(&outer)) {
            outer.needs.push(flight.clone());
        }
        Seat { flight, joined: Instant::now(), outer, is_task, anew }
    }

    /// Takes what there is: what has landed, or the turn, or word of its end.
    fn look(&self) -> Look {
        let mut table = table();
        let id = table.last + 1;
        let Some(flight) = table.flights.get_mut(&self.flight) else { return Look::Alone };
        if flight.turn.is_some() {
            let ended = flight.ended.clone();
            let is_in_vain = table.would_never_end(self);
            return if is_in_vain { Look::Alone } else { Look::Wait(ended.listen()) };
        }
        let will_do = |it: &&Landed| self.joined <= if self.anew { it.began } else { it.at };
        if let Some(landed) = flight.landed.as_ref().filter(will_do) {
            return Look::Landed(landed.record.clone());
        }
        flight.turn = Some(id);
        table.last = id;
        let thread = Arc::new(AtomicU64::new(THREAD.with(|thread| *thread)));
        let holder = Holder {
            flight: self.flight.clone(),
            outer: self.outer,
            needs: Vec::new(),
            thread: thread.clone(),
            is_task: self.is_task,
        };
        table.turns.insert(id, holder);
        Look::Turn { id, thread }
    }

    fn end(self, look: Look) -> Joined {
        match look {
            Look::Turn { id, thread } => {
                let began = Instant::now();
                Joined::Turn(Turn { id, thread, began, landed: None, _seat: self })
            }
            Look::Landed(record) => Joined::Landed(record),
            Look::Alone | Look::Wait(_) => Joined::Alone,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = table();
        if let Some(outer) = self.outer.and_then(|outer| table.turns.get_mut(&outer))
            && let Some(at) = outer.needs.iter().position(|need| *need == self.flight)
        {
            outer.needs.swap_remove(at);
        }
        if let Some(flight) = table.flights.get_mut(&self.flight) {
            flight.seats -= 1;
            if flight.seats == 0 {
                table.flights.remove(&self.flight);
            }
        }
    }
}

impl Table {
    /// Returns whether the end of a flight has to wait for who waits for it.
    fn would_never_end(&self, seat: &Seat) -> bool {
        let mut around = HashSet::new();
        let mut next = seat.outer;
        while let Some(turn) = next.filter(|turn| around.insert(*turn)) {
            next = self.turns.get(&turn).and_then(|holder| holder.outer);
        }
        let here = THREAD.with(|thread| *thread);
        let mut met = HashSet::new();
        let mut left = vec![&seat.flight];
        while let Some(flight) = left.pop() {
            if !met.insert(flight) {
                continue;
            }
            let Some(turn) = self.flights.get(flight).and_then(|flight| flight.turn) else {
                continue;
            };
            if around.contains(&turn) {
                return true;
            }
            let Some(holder) = self.turns.get(&turn) else { continue };
            // A thread that is blocked takes no task further, and what called this call
            // goes on when it returns.
            let is_here = holder.thread.load(Ordering::Relaxed) == here;
            if is_here && !(seat.is_task && holder.is_task) {
                return true;
            }
            left.extend(&holder.needs);
        }
        false
    }
}

/// The caller's turn, until it is dropped.
pub struct Turn {
    id: u64,
    thread: Arc<AtomicU64>,
    began: Instant,
    landed: Option<Landed>,
    /// The flight is left when the turn is over.
    _seat: Seat,
}

impl Turn {
    /// Leaves a record to those who wait, if there is one.
    pub fn land(&mut self, record: Option<Arc<Record>>) {
        let (began, at) = (self.began, Instant::now());
        self.landed = record.map(|record| Landed { record, began, at });
    }

    /// Computes something within this turn.
    pub fn within<R>(&self, compute: impl FnOnce() -> R) -> R {
        let _outer = Outer(INNERMOST.replace(self.id));
        compute()
    }

    /// Begins the turn of a future.
    pub fn within_async<F: Future>(&self, future: F) -> Within<F> {
        Within { turn: self.id, thread: self.thread.clone(), future: Box::pin(future) }
    }
}

/// Gives the innermost turn back when it is dropped.
struct Outer(u64);

impl Drop for Outer {
    fn drop(&mut self) {
        INNERMOST.set(self.0);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = table();
        let Some(holder) = table.turns.remove(&self.id) else { return };
        let Some(flight) = table.flights.get_mut(&holder.flight) else { return };
        flight.turn = None;
        flight.landed = self.landed.take();
        let ended = flight.ended.clone();
        drop(table);
        ended.notify(usize::MAX);
    }
}

/// A future that computes within a turn.
pub struct Within<F> {
    turn: u64,
    thread: Arc<AtomicU64>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.thread.store(THREAD.with(|thread| *thread), Ordering::Relaxed);
        let _outer = Outer(INNERMOST.replace(self.turn));
        self.future.as_mut().poll(context)
    }
}

/// Returns whether nothing is under way in a domain.
#[cfg(test)]
pub fn is_idle(domain: &Domain) -> bool {
    table().flights.keys().all(|flight| flight.domain != domain.id())
}

/// Returns the number of callers in flights of a domain.
#[cfg(test)]
pub fn seats(domain: &Domain) -> usize {
    let table = table();
    let of_it = table.flights.iter().filter(|(flight, _)| flight.domain == domain.id());
    of_it.map(|(_, flight)| flight.seats).sum()
}
