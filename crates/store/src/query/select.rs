//! Answers queries: which tree is walked, and how far.
//!
//! If a tree has the entries in the requested order, the walk stops when there are enough of them.
//! Otherwise it visits everything that may match, keeps the keys of the best candidates, up to the
//! limit of the query, and reads the entries afterwards: memory holds one page and the candidates.

use super::{Matcher, Order, Query, Rank};
use crate::indexes::{name_place, tag_place};
use crate::metadata::{EntryMetadata, joined, split};
use crate::old::{Old, step};
use crate::table::Ordered;
use crate::walk::Span;
use crate::{Root, fold, guard};
use anyhow::Result;
use cachex_base::record::entry::{Entry, Key};
use sled::IVec;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The maximum number of entries that an index may lead to before a walk in the order of last use
/// is better, if only the first few in that order are requested.
const PROBE: usize = 1000;
/// The minimum page size, however few entries are requested.
const LEAST: usize = 64;
/// The number of entries visited while other readers wait.
const PAGE: usize = 10_000;

/// A matching entry: its metadata and its sealed form.
pub type Found = (EntryMetadata, IVec);

/// Passes matching entries to `emit`, in order, page by page; an empty page says that the search
/// continues. Returns the number of matches, if all entries were visited.
pub fn select(
    root: &Root,
    query: &Query,
    emit: &mut dyn FnMut(Vec<Found>) -> Result<()>,
) -> Result<Option<u64>> {
    let matcher = query.filter.matcher()?;
    if !guard::exists(root) {
        return Ok(Some(0));
    }
    let plan = Plan::of(root, query, &matcher)?;
    if plan.is_in_order {
        stream(root, query, &matcher, plan, emit)
    } else {
        let (best, matched) = best(root, query, &matcher, plan, emit)?;
        hand_out(root, best, &matcher, emit)?;
        Ok(Some(matched))
    }
}

/// The plan of a walk.
struct Plan {
    source: Source,
    span: Span,
    /// True if entries are met in the requested order.
    is_in_order: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Entries,
    Tag { place: usize },
    Command,
    Expiry,
    Use,
}

impl Plan {
    fn of(root: &Root, query: &Query, matcher: &Matcher<'_>) -> Result<Plan> {
        let filter = &query.filter;
        let by_key = query.order == Order::Key;
        let by_use = Plan {
            source: Source::Use,
            span: Span::all().directed(query.descends()),
            is_in_order: true,
        };
        let (source, span, has_key_order) = if let Some((first, last)) = matcher.keys() {
            (Source::Entries, Span::of_range(&first.0, &last.0), true)
        } else if let Some(argv) = &filter.argv {
            (Source::Command, Span::of_prefix(argv), true)
        } else if let Some(tag) = &filter.tag {
            let place = tag_place(tag);
            (Source::Tag { place: place.len() }, Span::of_prefix(&place), true)
        } else if let Some(name) = &filter.name {
            (Source::Command, Span::of_prefix(&name_place(name)), false)
        } else if let Some(time) = &filter.gone_at {
            let last = joined(&time.0.to_be_bytes(), &Key([0xff; 32]));
            (Source::Expiry, Span::of_range(&[], &last), false)
        } else if query.order == Order::Used {
            return Ok(by_use);
        } else {
            (Source::Entries, Span::all(), true)
        };
        if query.order == Order::Used && query.limit.is_some_and(|limit| limit < PROBE) {
            let mut probe = span.clone();
            let seen = Old::with(root, |old| Ok(probe.page(source.of(old), PROBE + 1)?.len()))?;
            if seen > PROBE {
                return Ok(by_use);
            }
        }
        let is_in_order = by_key && has_key_order;
        let span = span.directed(is_in_order && query.descends());
        Ok(Plan { source, span, is_in_order })
    }
}

impl Source {
    fn of(self, old: &Old) -> &dyn Ordered {
        match self {
            Source::Entries => &old.entries,
            Source::Tag { .. } => &old.indexes.tags,
            Source::Command => &old.indexes.commands,
            Source::Expiry => &old.indexes.expiries,
            Source::Use => &old.indexes.uses,
        }
    }

    /// Reads the entry that a place leads to, if it still does and the entry matches.
    fn follow(
        self,
        old: &Old,
        place: &[u8],
        value: IVec,
        matcher: &Matcher<'_>,
    ) -> sled::Result<Option<(Entry, Found)>> {
        let key = match self {
            Source::Entries => place.try_into().ok().map(Key),
            Source::Use | Source::Expiry => split(place).map(|(_, key)| key),
            Source::Tag { .. } | Source::Command => {
                place.split_last_chunk().map(|(_, key)| Key(*key))
            }
        };
        let Some(key) = key else { return Ok(None) };
        let sealed = match self {
            Source::Entries => Some(value),
            Source::Tag { place: len } if place.len() != len + key.0.len() => None,
            _ => old.entries.get(key.0)?,
        };
        let found = match sealed {
            Some(sealed) => look_at(old, &key, sealed, matcher)?,
            None => None,
        };
        // An entry that was used or recorded again has another place and is met there.
        let number = || split(place).map(|(number, _)| number);
        let is_outdated = |facts: &EntryMetadata| match self {
            Source::Use => number() != Some(facts.last_use),
            Source::Expiry => number() != facts.gone,
            _ => false,
        };
        Ok(found.filter(|(_, (facts, _))| !is_outdated(facts)))
    }
}

/// Returns an entry if it is intact and matches.
fn look_at(
    old: &Old,
    key: &Key,
    sealed: IVec,
    matcher: &Matcher<'_>,
) -> sled::Result<Option<(Entry, Found)>> {
    step()?;
    let Ok(entry) = Entry::open(key, &sealed) else { return Ok(None) };
    let facts = old.facts(key)?.unwrap_or_else(|| EntryMetadata::of(&entry, &sealed));
    Ok(matcher.matches(&entry, &facts).then_some((entry, (facts, sealed))))
}

/// Answers from a tree that has the requested order.
fn stream(
    root: &Root,
    query: &Query,
    matcher: &Matcher<'_>,
    mut plan: Plan,
    emit: &mut dyn FnMut(Vec<Found>) -> Result<()>,
) -> Result<Option<u64>> {
    let limit = query.limit.unwrap_or(usize::MAX);
    let mut size = limit.saturating_add(1).clamp(LEAST, fold::BATCH);
    let mut count = 0;
    loop {
        let mut page = Vec::new();
        let mut is_enough = false;
        let is_more = Old::with(root, |old| {
            let source = plan.source;
            Ok(plan.span.visit(source.of(old), size, |place, value| {
                if let Some((_, found)) = source.follow(old, &place, value, matcher)? {
                    is_enough = count == limit;
                    if !is_enough {
                        page.push(found);
                        count += 1;
                    }
                }
                Ok(!is_enough)
            })?)
        })?;
        emit(page)?;
        if is_enough {
            return Ok(None);
        }
        if !is_more {
            return Ok(Some(count as u64));
        }
        // Few entries match: readers wait equally long for a page of any tree.
        size = fold::BATCH;
    }
}

/// Returns the best matches, in order, and the number of all matches.
fn best(
    root: &Root,
    query: &Query,
    matcher: &Matcher<'_>,
    mut plan: Plan,
    emit: &mut dyn FnMut(Vec<Found>) -> Result<()>,
) -> Result<(Vec<Candidate>, u64)> {
    let limit = query.limit.unwrap_or(usize::MAX);
    let descends = query.descends();
    let mut best = BinaryHeap::new();
    let mut matched = 0;
    loop {
        let is_more = Old::with(root, |old| {
            let source = plan.source;
            Ok(plan.span.visit(source.of(old), PAGE, |place, value| {
                let followed = source.follow(old, &place, value, matcher)?;
                let Some((entry, found)) = followed else { return Ok(true) };
                matched += 1;
                let rank = query.order.rank(&entry, &found.0);
                let found = (best.len() < fold::BATCH).then_some(found);
                best.push(Candidate { rank, key: entry.key, descends, found });
                if best.len() > limit {
                    best.pop();
                }
                Ok(true)
            })?)
        })?;
        emit(Vec::new())?;
        if !is_more {
            return Ok((best.into_sorted_vec(), matched));
        }
    }
}

/// Emits the candidates, except those removed meanwhile.
fn hand_out(
    root: &Root,
    mut candidates: Vec<Candidate>,
    matcher: &Matcher<'_>,
    emit: &mut dyn FnMut(Vec<Found>) -> Result<()>,
) -> Result<()> {
    for candidates in candidates.chunks_mut(fold::BATCH) {
        let found = |candidate: &mut Candidate| candidate.found.take();
        let page = if candidates.iter().all(|candidate| candidate.found.is_some()) {
            candidates.iter_mut().filter_map(found).collect()
        } else {
            Old::with(root, |old| {
                let mut page = Vec::with_capacity(candidates.len());
                for Candidate { key, .. } in candidates {
                    if let Some(sealed) = old.entries.get(key.0)?
                        && let Some((_, found)) = look_at(old, key, sealed, matcher)?
                    {
                        page.push(found);
                    }
                }
                Ok(page)
            })?
        };
        emit(page)?;
    }
    Ok(())
}

/// A candidate for the best matches; greater ones come later.
struct Candidate {
    rank: Rank,
    key: Key,
    descends: bool,
    /// The entry, kept while there are not too many.
    found: Option<Found>,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        let order = (&self.rank, &self.key).cmp(&(&other.rank, &other.key));
        if self.descends { order.reverse() } else { order }
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
