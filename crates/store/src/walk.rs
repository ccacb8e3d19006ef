//! Walks over the tables of the old store, page by page.
//!
//! The database is opened anew for each page, so that other readers get their turn. A damaged one
//! could be walked in circles: items out of order are an error that sets the database aside, so
//! every walk ends.

use super::Root;
use super::guard::PULSE;
use super::metadata::key_of;
use super::old::Old;
use super::table::{Ordered, Range};
use anyhow::Result;
use cachex_base::record::entry::Key;
use sled::IVec;
use std::ops::Bound::{self, Excluded, Included, Unbounded};

/// The remaining part of a table to walk, and the direction.
#[derive(Clone, Debug)]
pub struct Span {
    low: Bound<Vec<u8>>,
    high: Bound<Vec<u8>>,
    backward: bool,
}

impl Span {
    /// Returns the span of a whole table.
    pub fn all() -> Span {
        Span::between(Unbounded, Unbounded)
    }

    /// Returns the span of places that begin with `prefix`.
    pub fn of_prefix(prefix: &[u8]) -> Span {
        let high = match prefix.iter().rposition(|&byte| byte < 0xff) {
            Some(last) => {
                let mut high = prefix[..=last].to_vec();
                high[last] += 1;
                Excluded(high)
            }
            None => Unbounded,
        };
        Span::between(Included(prefix.to_vec()), high)
    }

    /// Returns the span of places from `low` to `high`, both inclusive.
    pub fn of_range(low: &[u8], high: &[u8]) -> Span {
        Span::between(Included(low.to_vec()), Included(high.to_vec()))
    }

    fn between(low: Bound<Vec<u8>>, high: Bound<Vec<u8>>) -> Span {
        Span { low, high, backward: false }
    }

    /// Returns the same span in this direction.
    pub fn directed(self, backward: bool) -> Span {
        Span { backward, ..self }
    }

    /// Takes the next items from the span; none if it is exhausted.
    pub fn page(&mut self, table: &dyn Ordered, limit: usize) -> sled::Result<Vec<(IVec, IVec)>> {
        let mut page = Vec::new();
        self.visit(table, limit, |place, value| {
            page.push((place, value));
            Ok(true)
        })?;
        Ok(page)
    }

    /// Takes up to `limit` items from the span and passes them to `visit`, until it returns false.
    /// Returns whether there may be more.
    pub fn visit(
        &mut self,
        table: &dyn Ordered,
        limit: usize,
        mut visit: impl FnMut(IVec, IVec) -> sled::Result<bool>,
    ) -> sled::Result<bool> {
        if limit == 0 {
            return Ok(true);
        }
        let Span { low, high, backward } = self.clone();
        let range = Range { low: as_slice(&low), high: as_slice(&high), backward };
        let mut left = limit;
        let is_over = table.walk(range, &mut |place, value| {
            PULSE.beat();
            if !self.holds(&place) {
                let what = "a table is out of order".to_owned();
                return Err(sled::Error::ReportableBug(what));
            }
            self.pass(&place);
            left -= 1;
            Ok(visit(place, value)? && left > 0)
        })?;
        Ok(!is_over)
    }

    fn holds(&self, place: &[u8]) -> bool {
        let range = (as_slice(&self.low), as_slice(&self.high));
        std::ops::RangeBounds::<[u8]>::contains(&range, place)
    }

    fn pass(&mut self, place: &[u8]) {
        let next = if self.backward { &mut self.high } else { &mut self.low };
        match next {
            // A walk passes thousands of places; their buffer is reused.
            Excluded(known) => {
                known.clear();
                known.extend(place);
            }
            other => *other = Excluded(place.to_vec()),
        }
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// Passes every item of a table to `visit`, in pages of `size` items.
pub fn walk(
    root: &Root,
    size: usize,
    table: impl Fn(&Old) -> &dyn Ordered,
    mut visit: impl FnMut(&Old, &[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let mut span = Span::all();
    loop {
        let walked = Old::with(root, |old| {
            let page = span.page(table(old), size)?;
            for (place, value) in &page {
                visit(old, place, value)?;
            }
            Ok(page.len() < size)
        })?;
        if walked {
            return Ok(());
        }
    }
}

/// Returns the next items of a table whose places are keys.
pub fn keyed_page(
    span: &mut Span,
    table: &dyn Ordered,
    limit: usize,
) -> sled::Result<Vec<(Key, IVec)>> {
    let page = span.page(table, limit)?;
    Ok(page.into_iter().filter_map(|(place, value)| Some((key_of(&place)?, value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scene;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    type Holds<'a> = &'a dyn Fn(&[u8]) -> bool;

    fn places() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0), Just(1), Just(0xfe), Just(0xff)], 0..4)
    }

    fn walked(mut span: Span, table: &dyn Ordered, size: usize) -> Vec<Vec<u8>> {
        let mut places = Vec::new();
        loop {
            let page = span.page(table, size).unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                return places;
            }
            places.extend(page.iter().map(|(place, _)| place.to_vec()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn a_span_is_walked_once_and_in_order(
            held in btree_set(places(), 0..40),
            (a, b) in (places(), places()),
            size in 1..5_usize,
        ) {
            let scene = scene();
            Old::with(&scene.root, |old| {
                for place in &held {
                    old.stats.insert(place, b"".as_slice())?;
                }
                let spans: [(Span, Holds<'_>); 3] = [
                    (Span::all(), &|_| true),
                    (Span::of_prefix(&a), &|place| place.starts_with(&a)),
                    (Span::of_range(&a, &b), &|place| (&a[..]..=&b[..]).contains(&place)),
                ];
                for (span, holds) in spans {
                    let expected: BTreeSet<_> =
                        held.iter().filter(|place| holds(place)).cloned().collect();
                    let mut expected: Vec<_> = expected.into_iter().collect();
                    assert_eq!(walked(span.clone(), &old.stats, size), expected);
                    expected.reverse();
                    assert_eq!(walked(span.directed(true), &old.stats, size), expected);
                }
                Ok(())
            }).unwrap();
        }
    }
}
