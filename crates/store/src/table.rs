//! The tables of the old store, and ordered walks over them.
//!
//! The cost of opening sled depends on its trees and pages. So all tables but one share a single
//! tree, in which each has the places that begin with its letter; the sealed entries, the bulk of
//! the data, are in databases of their own ([`super::shards`]).

use sled::{IVec, Tree};
use std::ops::Bound::{self, Excluded, Included, Unbounded};

/// A range of places in a table, and the direction of a walk.
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    /// The lower bound.
    pub low: Bound<&'a [u8]>,
    /// The upper bound.
    pub high: Bound<&'a [u8]>,
    /// True to walk from the end.
    pub backward: bool,
}

/// A callback that gets a place and its value, and returns whether to continue.
pub type Visit<'a> = &'a mut dyn FnMut(IVec, IVec) -> sled::Result<bool>;

/// A table with ordered places.
pub trait Ordered {
    /// Passes the items of a range to `visit`, in order, until it returns false. Returns whether
    /// the whole range was walked.
    fn walk(&self, range: Range<'_>, visit: Visit<'_>) -> sled::Result<bool>;
}

/// Walks over a tree, see [`Ordered::walk`].
pub(super) fn walk_tree(
    tree: &Tree,
    range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    backward: bool,
    visit: Visit<'_>,
) -> sled::Result<bool> {
    let mut items = tree.range::<Vec<u8>, _>(range);
    loop {
        let Some(item) = (if backward { items.next_back() } else { items.next() }) else {
            return Ok(true);
        };
        let (place, value) = item?;
        if !visit(place, value)? {
            return Ok(false);
        }
    }
}

/// One of the tables that share a tree.
#[derive(Clone, Debug)]
pub struct Table {
    tree: Tree,
    letter: u8,
}

impl Table {
    /// Returns the table of this letter.
    pub fn new(tree: &Tree, letter: u8) -> Table {
        Table { tree: tree.clone(), letter }
    }

    fn place(&self, place: impl AsRef<[u8]>) -> Vec<u8> {
        let place = place.as_ref();
        let mut whole = Vec::with_capacity(place.len() + 1);
        whole.push(self.letter);
        whole.extend_from_slice(place);
        whole
    }

    fn without_letter(place: &IVec) -> IVec {
        place.subslice(1, place.len() - 1)
    }

    /// Returns the value of a place.
    pub fn get(&self, place: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        self.tree.get(self.place(place))
    }

    /// Returns whether a place has a value.
    pub fn contains_key(&self, place: impl AsRef<[u8]>) -> sled::Result<bool> {
        self.tree.contains_key(self.place(place))
    }

    /// Sets the value of a place.
    pub fn insert(&self, place: impl AsRef<[u8]>, value: impl Into<IVec>) -> sled::Result<()> {
        self.tree.insert(self.place(place), value).map(drop)
    }

    /// Removes a place and returns its value.
    pub fn remove(&self, place: impl AsRef<[u8]>) -> sled::Result<Option<IVec>> {
        self.tree.remove(self.place(place))
    }

    /// Returns the items whose places begin with `prefix`, in order.
    pub fn scan_prefix(
        &self,
        prefix: impl AsRef<[u8]>,
    ) -> impl Iterator<Item = sled::Result<(IVec, IVec)>> {
        let items = self.tree.scan_prefix(self.place(prefix));
        items.map(|item| item.map(|(place, value)| (Table::without_letter(&place), value)))
    }

    /// Returns all items, in order.
    pub fn iter(&self) -> impl Iterator<Item = sled::Result<(IVec, IVec)>> {
        self.scan_prefix([])
    }

    /// Returns the items up to a place, in order.
    pub fn up_to(&self, high: Bound<&[u8]>) -> impl Iterator<Item = sled::Result<(IVec, IVec)>> {
        let (low, high) = self.bounds(Range { low: Unbounded, high, backward: false });
        let items = self.tree.range::<Vec<u8>, _>((low, high));
        items.map(|item| item.map(|(place, value)| (Table::without_letter(&place), value)))
    }

    fn bounds(&self, range: Range<'_>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        let with_letter = |bound: Bound<&[u8]>, unbounded: Bound<Vec<u8>>| match bound {
            Included(place) => Included(self.place(place)),
            Excluded(place) => Excluded(self.place(place)),
            Unbounded => unbounded,
        };
        let (first, next) = (Included(vec![self.letter]), Excluded(vec![self.letter + 1]));
        (with_letter(range.low, first), with_letter(range.high, next))
    }
}

#[cfg(test)]
impl Table {
    /// Returns the number of places.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Removes every place.
    pub fn clear(&self) -> sled::Result<()> {
        for item in self.iter() {
            self.remove(item?.0)?;
        }
        Ok(())
    }
}

impl Ordered for Table {
    fn walk(&self, range: Range<'_>, visit: Visit<'_>) -> sled::Result<bool> {
        let shown = &mut |place: IVec, value| visit(Table::without_letter(&place), value);
        walk_tree(&self.tree, self.bounds(range), range.backward, shown)
    }
}
