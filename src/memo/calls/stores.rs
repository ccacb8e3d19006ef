//! Operations on several stores in turn, for threads and tasks alike.
//!
//! For a thread each store is called as it is, so these futures are done when they are
//! polled for the first time ([`at_once`]). A task awaits the futures of a store that has
//! some, and leaves what blocks to other threads.

use super::super::async_storage::{AsyncStore, Boxed};
use super::super::backend::{Failure, Lock, Record, Storage, TooLong};
use super::super::domain::Moment;
use super::super::key::ValueKey;
use super::super::observe::Event;
use super::super::{Error, process};
use super::{Found, Inner};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A thread, which may be blocked.
    Thread,
    /// A task, which may not.
    Task,
}

/// Returns the result of a future of a [`Caller::Thread`], which never waits.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a thread is blocked where a task would wait"),
    }
}

/// Returns the answer of one store.
type Answer<R> = Result<R, Failure>;

impl Inner {
    /// Asks one store, by one of the two ways.
    async fn ask<R: Send + 'static>(
        self: &Arc<Inner>,
        caller: Caller,
        at: usize,
        key: &ValueKey,
        call: impl FnOnce(&dyn Storage, &ValueKey) -> Answer<R> + Send + 'static,
        start: impl for<'f> FnOnce(&'f dyn AsyncStore, &'f ValueKey) -> Boxed<'f, R>,
    ) -> Answer<R> {
        let store = &*self.stores[at];
        if caller == Caller::Thread || store.is_immediate() {
            return call(store, key);
        }
        if let Some(store) = store.as_async() {
            return start(store, key).await;
        }
        let key = key.clone();
        self.aside(move |inner| call(&*inner.stores[at], &key)).await
    }

    /// The first record in a store from this one on that is of use to a task; or, `again`,
    /// that is fresh, after nothing was found and others were waited for.
    pub(super) async fn search_for_a_task(
        self: &Arc<Inner>,
        from: usize,
        key: &ValueKey,
        again: bool,
    ) -> Option<Found> {
        for at in from..self.reach(key) {
            let call = move |store: &dyn Storage, key: &ValueKey| {
                if again { store.get_again(key) } else { store.get(key) }
            };
            let answer = self.ask(Caller::Task, at, key, call, |store, key| store.get(key));
            // Below a store that fails may lie what that has superseded.
            let found = answer.await.ok()?;
            if let Some(found) = found.and_then(|record| Found::of_use(record, at, again)) {
                return Some(found);
            }
        }
        None
    }

    /// Has one store keep a record.
    pub(super) async fn put_in(
        self: &Arc<Inner>,
        caller: Caller,
        at: usize,
        key: &ValueKey,
        record: &Arc<Record>,
    ) -> Answer<()> {
        let (own, other) = (record.clone(), record.clone());
        let call = move |store: &dyn Storage, key: &ValueKey| store.put(key, &own);
        self.ask(caller, at, key, call, |store, key| store.put(key, other)).await
    }

    /// Records in every store that can; from below, so that what is known above is not
    /// lacking there. Whether it stays: it does not if it was removed meanwhile.
    pub(super) async fn keep(
        self: &Arc<Inner>,
        caller: Caller,
        key: &ValueKey,
        record: &Arc<Record>,
        began: Moment,
    ) -> bool {
        if self.domain.was_removed(key, began) {
            return false;
        }
        let (mut is_kept, mut failure) = (false, None);
        for at in (0..self.reach(key)).rev() {
            match self.put_in(caller, at, key, record).await {
                Ok(()) => is_kept = true,
                Err(why) => failure = Some(why),
            }
        }
        if self.domain.was_removed(key, began) {
            let _ = self.drop_record(caller, key).await;
            return false;
        }
        if is_kept {
            self.observer.tell(&Event::Recorded { name: &record.name, bytes: record.value.len() });
        } else {
            let why = failure.map_or_else(|| Error::no_store(&record.name), Error::Storage);
            self.observer.tell(&Event::NotRecorded { name: &record.name, why: &why });
        }
        true
    }

    /// Records in every store; it is enough if one keeps it, unless another fails.
    pub async fn put(
        self: &Arc<Inner>,
        caller: Caller,
        key: &ValueKey,
        record: &Arc<Record>,
    ) -> Result<(), Error> {
        let (mut is_kept, mut refusal) = (false, None);
        for at in (0..self.reach(key)).rev() {
            match self.put_in(caller, at, key, record).await {
                Ok(()) => is_kept = true,
                Err(why) if why.is::<TooLong>() => refusal = Some(why),
                Err(why) => return Err(Error::Storage(why)),
            }
        }
        match refusal.filter(|_| !is_kept) {
            Some(why) => Err(Error::Storage(why)),
            None => Ok(()),
        }
    }

    /// Removes a value, also one that is just being computed.
    pub async fn remove(self: &Arc<Inner>, caller: Caller, key: &ValueKey) -> Result<bool, Error> {
        self.domain.remove(key);
        let removed = self.drop_record(caller, key).await.map_err(Error::Storage)?;
        if removed {
            self.observer.tell(&Event::Removed);
        }
        Ok(removed)
    }

    /// Drops a record from every store, from below, so that what is removed from above is
    /// not found below; whether there was one.
    async fn drop_record(self: &Arc<Inner>, caller: Caller, key: &ValueKey) -> Answer<bool> {
        let mut removed = false;
        for at in (0..self.reach(key)).rev() {
            let call = |store: &dyn Storage, key: &ValueKey| store.remove(key);
            removed |= self.ask(caller, at, key, call, |store, key| store.remove(key)).await?;
        }
        Ok(removed)
    }

    /// Removes everything.
    pub async fn clear(self: &Arc<Inner>, caller: Caller) -> Result<(), Error> {
        self.domain.clear();
        self.references.clear();
        for at in (0..self.stores.len()).rev() {
            let store = &*self.stores[at];
            let answer = match store.as_async().filter(|_| caller == Caller::Task) {
                Some(store) => store.clear().await,
                None if caller == Caller::Thread || store.is_immediate() => store.clear(),
                None => self.aside(move |inner| inner.stores[at].clear()).await,
            };
            answer.map_err(Error::Storage)?;
        }
        Ok(())
    }

    /// Keeps other processes from computing a value, unless one does.
    pub(super) async fn try_lock(self: &Arc<Inner>, caller: Caller, key: &ValueKey) -> Lock {
        for at in 0..self.reach(key) {
            let store = &*self.stores[at];
            let answer = if caller == Caller::Thread || store.is_immediate() {
                store.try_lock(key)
            } else if store.as_async().is_some() {
                // An asynchronous store has no locks.
                continue;
            } else {
                let key = key.clone();
                self.aside(move |inner| inner.stores[at].try_lock(&key)).await
            };
            match answer {
                Ok(Lock::None) | Err(_) => {}
                Ok(lock) => return lock,
            }
        }
        Lock::None
    }

    /// Runs work that takes long on a thread for that.
    pub(super) async fn aside<R: Send + 'static>(
        self: &Arc<Inner>,
        work: impl FnOnce(&Inner) -> R + Send + 'static,
    ) -> R {
        if process::is_forked() {
            // The threads have stayed with the parent.
            return work(self);
        }
        let inner = self.clone();
        blocking::unblock(move || work(&inner)).await
    }
}
