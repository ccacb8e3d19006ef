//! Facts about the types of values, each found out once in a process.

use super::codec::Known;
use super::shape;
pub use super::shape::Shape;
use cachex_base::process::forked::PerProcess;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Facts about one type.
pub struct TypeFacts {
    /// A fingerprint of what its `Deserialize` asks for.
    pub shape: Shape,
    is_described: AtomicBool,
    /// A lock of the parent process may be held for ever.
    known: PerProcess<Mutex<Arc<Known>>>,
}

impl TypeFacts {
    /// Returns whether its values are stored in the form that describes itself.
    pub fn is_described(&self) -> bool {
        self.is_described.load(Ordering::Relaxed)
    }

    /// Has its values stored in that form from now on.
    pub fn describe(&self) {
        self.is_described.store(true, Ordering::Relaxed);
        // Values that were read back in the other form prove nothing about this one.
        *self.lock() = Arc::default();
    }

    /// Returns the structure of all values that were read back so far.
    pub fn known(&self) -> Arc<Known> {
        self.lock().clone()
    }

    /// Adds to the known structure.
    pub fn learn(&self, new: Known) {
        let mut known = self.lock();
        *known = Arc::new(Known::clone(&known).with(new));
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Known>> {
        // Nothing panics while it is held.
        self.known.get().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The facts about a type.
pub fn of<T: serde::de::DeserializeOwned + 'static>() -> &'static TypeFacts {
    thread_local! {
        static MET: RefCell<HashMap<TypeId, &'static TypeFacts>> = RefCell::default();
    }
    let id = TypeId::of::<T>();
    if let Some(facts) = MET.with_borrow(|met| met.get(&id).copied()) {
        return facts;
    }
    let facts = shared::<T>(id);
    MET.with_borrow_mut(|met| met.insert(id, facts));
    facts
}

/// The facts about types, shared by all threads.
fn shared<T: serde::de::DeserializeOwned + 'static>(id: TypeId) -> &'static TypeFacts {
    static ALL: PerProcess<Mutex<HashMap<TypeId, &'static TypeFacts>>> = PerProcess::new();
    let all = || ALL.get().lock().unwrap_or_else(PoisonError::into_inner);
    let found = all().get(&id).copied();
    found.unwrap_or_else(|| {
        // Not while the map is locked: what reads itself is the program's own code.
        let outline = shape::of::<T>();
        *all().entry(id).or_insert_with(|| {
            // For as long as the process: there are no more of them than types.
            Box::leak(Box::new(TypeFacts {
                shape: outline.shape,
                is_described: AtomicBool::new(!outline.is_whole),
                known: PerProcess::new(),
            }))
        })
    })
}
