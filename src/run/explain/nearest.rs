//! What comes closest to a call that nothing is recorded of.
//!
//! An entry of the same command line comes before one that only has the same
//! command name, then the one of which the fewest parts differ, then the newest.
//! Young entries are read, those that were not folded yet; the old store is asked
//! for those that were used last, a few hundred at the most.

use crate::run::explain::differences::sentences::Sides;
use crate::run::explain::differences::{self, Comparison};
use crate::run::{Call, Runner};
use anyhow::{Result, bail};
use cachex_base::record::entry::{About, Entry, Key};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote::{self, Credentials};
use cachex_exec::invocation::Executable;
use cachex_exec::stdin::{self, Digest};
use cachex_store::components::{self, Kind, Parts};
use cachex_store::db_client::DbClient;
use cachex_store::indexes::command_place;
use cachex_store::query::{Filter, Order, Query};
use cachex_store::secret::{self, Secret};
use cachex_store::young::Young;
use cachex_store::{Root, filter};
use serde_bytes::ByteBuf;
use std::cmp::Reverse;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// So many entries of the old store are looked at for each question.
const CANDIDATES: usize = 300;
/// So many young files are read.
const YOUNG: usize = 4096;
/// Who did not ask for it waits no longer for the old store.
pub(in crate::run) const MOMENT: Duration = Duration::from_secs(1);
/// So many differences are told in one line.
const TOLD: usize = 2;

/// How far one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// For entries of the same command line, and no further than it takes to
    /// find one.
    Line,
    /// For all that have the same command name, waiting so long for an answer.
    Name(Duration),
}

/// What comes closest.
pub struct Nearest {
    /// The entry.
    pub entry: Entry,
    /// Whether it has the same arguments, as far as they are kept.
    pub same_line: bool,
    /// In what it differs.
    pub comparison: Result<Comparison, Incomparable>,
    /// What was standard input, if that is known.
    pub stdin: Option<&'static str>,
    /// What is to be run, cut as an entry keeps it.
    pub about: About,
    /// The executable, where it lies now.
    pub executable: Option<PathBuf>,
}

/// Why nothing can be said about the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// The sums were made with another secret than the store has now.
    OtherSecret,
    /// There are none.
    NoParts,
}

impl Nearest {
    /// A sentence for each difference.
    pub fn sentences(&self, credentials: Credentials) -> Vec<String> {
        match &self.comparison {
            Ok(comparison) => self.sides(credentials).sentences(comparison),
            Err(Incomparable::OtherSecret) => {
                vec!["recorded with another secret, parts cannot be compared".to_owned()]
            }
            Err(Incomparable::NoParts) => {
                vec!["recorded without its parts, they cannot be compared".to_owned()]
            }
        }
    }

    /// The entry and its differences in one line.
    pub fn in_a_line(&self) -> String {
        let entry = &self.entry;
        let line = if self.same_line {
            String::new()
        } else {
            format!(" of `{}`", Credentials::Masked.line(entry.about.words()))
        };
        let told = self.sentences(Credentials::Masked);
        let more = match told.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(", and {more} more, which `cachex explain` lists"),
        };
        let told = told[..told.len().min(TOLD)].join(", ");
        let age = quote::age(Timestamp::now(), entry.created);
        format!("nearest: {}{line}, recorded {age} ago: {told}{more}", messages::short(&entry.key))
    }

    /// What the sentences are told from.
    pub fn sides(&self, credentials: Credentials) -> Sides<'_> {
        Sides {
            now: &self.about,
            then: &self.entry.about,
            executable: self.executable.as_deref(),
            stdin: self.stdin,
            credentials,
        }
    }
}

impl Runner<'_> {
    /// What comes closest to a call that has no entry.
    pub(in crate::run) fn nearest(
        &self,
        root: &Root,
        call: &Call,
        reach: Reach,
    ) -> Option<Nearest> {
        self.nearest_to(root, call, call.executable.as_ref(), reach)
    }

    /// A line about that, for who asked for one, and found out by asking nobody
    /// for long.
    pub(in crate::run) fn nearest_in_words(
        &self,
        root: &Root,
        executable: &Executable,
        call: &Call,
    ) -> Option<String> {
        let nearest = self.nearest_to(root, call, Some(executable), Reach::Line)?;
        let differences = nearest.comparison.as_ref().ok()?.distance();
        let age = quote::age(Timestamp::now(), nearest.entry.created);
        let told = nearest.sentences(Credentials::Masked);
        let more = differences.saturating_sub(TOLD);
        Some(match &told[..] {
            [one] if one.ends_with(" differs") => {
                format!("{one} from the one recorded {age} ago")
            }
            _ if more > 0 => {
                format!("{}, and {more} more differences, since {age} ago", told[..TOLD].join(", "))
            }
            _ => format!("{}, since {age} ago", told.join(", ")),
        })
    }

    fn nearest_to(
        &self,
        root: &Root,
        call: &Call,
        executable: Option<&Executable>,
        reach: Reach,
    ) -> Option<Nearest> {
        // Without one nothing compares, and every secret is as good as another.
        let secret = secret::read(root).ok().flatten().unwrap_or_default();
        let terminal = self.terminal();
        let subject = self.subject_of(call, executable, terminal.as_ref());
        let now = Parts::decode(&subject.parts(secret).ok()?)?;
        let about = self.about();
        let mut search = Search { key: &call.key, about: &about, now: &now, reach, best: None };
        search.run(root);
        let Found { entry, same_line, comparison } = search.best?;
        // A younger version of the same entry may not have been folded yet.
        let newer = Young::new(root).get(&entry.key).ok().flatten();
        let entry = newer.filter(|newer| newer.created > entry.created).unwrap_or(entry);
        let stdin = stdin_of(&entry, &secret);
        let executable = executable.map(|executable| executable.place().to_owned());
        Some(Nearest { entry, same_line, comparison, stdin, about, executable })
    }
}

/// What standard input was, of the kinds that can be told from their sum alone.
fn stdin_of(entry: &Entry, secret: &Secret) -> Option<&'static str> {
    use stdin::{CLOSED, EMPTY, INHERIT, NULL, TERMINAL, WRITE_ONLY};
    let parts = Parts::decode(&entry.parts)?;
    let then = parts.list.iter().find(|part| part.kind == Kind::Stdin)?.sum;
    [EMPTY, WRITE_ONLY, TERMINAL, CLOSED, NULL, INHERIT]
        .into_iter()
        .find(|kind| components::sum_of(secret, Kind::Stdin, &Digest::Kind(kind).bytes()) == then)
}

/// A candidate.
struct Found {
    entry: Entry,
    same_line: bool,
    comparison: Result<Comparison, Incomparable>,
}

impl Found {
    /// The smaller, the nearer.
    fn rank(&self) -> impl Ord + use<> {
        let distance = self.comparison.as_ref().map_or(usize::MAX, Comparison::distance);
        (!self.same_line, distance, Reverse(self.entry.created))
    }
}

struct Search<'s> {
    key: &'s Key,
    about: &'s About,
    now: &'s Parts,
    reach: Reach,
    best: Option<Found>,
}

impl Search<'_> {
    fn run(&mut self, root: &Root) {
        // What was folded is asked for, and not read one by one.
        let held = filter::contents(root).unwrap_or_default();
        self.read_young(root, |key| held.binary_search(&key.prefix()).is_err());
        let line = Filter { argv: Some(command_place(&self.about.argv)), ..Filter::default() };
        let asked = match self.reach {
            Reach::Line if self.has_line() => Ok(()),
            Reach::Line => self.ask(root, line, MOMENT),
            Reach::Name(patience) => self.ask(root, line, patience).and_then(|()| {
                let name = Some(ByteBuf::from(self.about.name()));
                let name = Filter { name, ..Filter::default() };
                if self.has_line() { Ok(()) } else { self.ask(root, name, patience) }
            }),
        };
        if asked.is_err() {
            // Their fast copies may be here.
            self.read_young(root, |key| held.binary_search(&key.prefix()).is_ok());
        }
    }

    fn has_line(&self) -> bool {
        self.best.as_ref().is_some_and(|best| best.same_line)
    }

    fn read_young(&mut self, root: &Root, which: impl Fn(&Key) -> bool) {
        let young = Young::new(root);
        let keys = young.keys().unwrap_or_default();
        for key in keys.iter().filter(|key| which(key)).take(YOUNG) {
            if let Ok(Some(entry)) = young.get(key) {
                self.look_at(entry);
            }
        }
    }

    /// An entry that was used lately is looked at before one that was not, where
    /// there is the time to find out which those are.
    fn ask(&mut self, root: &Root, filter: Filter, patience: Duration) -> Result<()> {
        let began = Instant::now();
        let order = match self.reach {
            Reach::Line => Order::Key,
            Reach::Name(_) => Order::Used,
        };
        let query = Query { filter, order, limit: Some(CANDIDATES), ..Query::default() };
        DbClient::new(root).query_within(&query, patience, &mut |entry, _| {
            self.look_at(entry);
            if began.elapsed() > patience {
                bail!("it takes too long");
            }
            Ok(())
        })?;
        Ok(())
    }

    fn look_at(&mut self, entry: Entry) {
        let same_line = entry.about.argv == self.about.argv;
        let is_near = match self.reach {
            Reach::Line => same_line,
            Reach::Name(_) => same_line || entry.about.name() == self.about.name(),
        };
        if !is_near || entry.key == *self.key {
            return;
        }
        let parts = Parts::decode(&entry.parts);
        let comparison = match parts.filter(|parts| !parts.is_of_a_fetched_entry()) {
            Some(then) => differences::compare(self.now, &then).ok_or(Incomparable::OtherSecret),
            None => Err(Incomparable::NoParts),
        };
        let found = Found { entry, same_line, comparison };
        if self.best.as_ref().is_none_or(|best| found.rank() < best.rank()) {
            self.best = Some(found);
        }
    }
}
