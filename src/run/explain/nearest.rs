//! The recorded entry that is nearest to a call without one.
//!
//! An entry of the same command line comes before one with only the same command name, then the one
//! with the fewest differing components, then the newest. Young entries that were not folded yet
//! are read; the old store is queried for those used last, a few hundred at most.

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

/// The most entries of the old store that are examined for each query.
const CANDIDATES: usize = 300;
/// The most young files that are read.
const YOUNG: usize = 4096;
/// The longest wait for the old store on behalf of a user who did not ask for this.
pub(in crate::run) const MOMENT: Duration = Duration::from_secs(1);
/// The most differences shown in one line.
const TOLD: usize = 2;

/// The extent of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Searches entries of the same command line, until one is found.
    Line,
    /// Searches all entries with the same command name, waiting this long for an answer.
    Name(Duration),
}

/// The nearest entry and its differences.
pub struct Nearest {
    /// The entry.
    pub entry: Entry,
    /// True if it has the same arguments, as far as they were kept.
    pub same_line: bool,
    /// Its differences from the call.
    pub comparison: Result<Comparison, Incomparable>,
    /// The kind of standard input when recorded, if known.
    pub stdin: Option<&'static str>,
    /// The command to run, truncated as in an entry.
    pub about: About,
    /// The current path of the executable.
    pub executable: Option<PathBuf>,
}

/// The reason why two keys cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// The MACs were made with a secret that is not the store's current one.
    OtherSecret,
    /// The entry has no key components.
    NoParts,
}

impl Nearest {
    /// Returns a sentence for each difference.
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

    /// Describes the entry and its differences in one line.
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

    /// Returns the facts from which the sentences are made.
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
    /// Returns the entry nearest to a call that has none.
    pub(in crate::run) fn nearest(
        &self,
        root: &Root,
        call: &Call,
        reach: Reach,
    ) -> Option<Nearest> {
        self.nearest_to(root, call, call.executable.as_ref(), reach)
    }

    /// Describes the nearest entry in one line, for users who asked for that. Takes little time.
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
                let differences = if more == 1 { "difference" } else { "differences" };
                format!(
                    "{}, and {more} more {differences}, since {age} ago",
                    told[..TOLD].join(", ")
                )
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
        // Without a secret nothing can be compared, so any value will do.
        let secret = secret::read(root).ok().flatten().unwrap_or_default();
        let terminal = self.terminal();
        let subject = self.subject_of(call, executable, terminal.as_ref());
        let now = Parts::decode(&subject.parts(secret).ok()?)?;
        let about = self.about(call);
        let mut search = Search { key: &call.key, about: &about, now: &now, reach, best: None };
        search.run(root);
        let Found { entry, same_line, comparison } = search.best?;
        // A newer version of the same entry may not have been folded yet.
        let newer = Young::new(root).get(&entry.key).ok().flatten();
        let entry = newer.filter(|newer| newer.created > entry.created).unwrap_or(entry);
        let stdin = stdin_of(&entry, &secret);
        let executable = executable.map(|executable| executable.place().to_owned());
        Some(Nearest { entry, same_line, comparison, stdin, about, executable })
    }
}

/// Returns the kind of standard input when recorded, if its MAC alone tells.
fn stdin_of(entry: &Entry, secret: &Secret) -> Option<&'static str> {
    use stdin::{CLOSED, EMPTY, INHERIT, NULL, TERMINAL, WRITE_ONLY};
    let parts = Parts::decode(&entry.parts)?;
    let then = parts.list.iter().find(|part| part.kind == Kind::Stdin)?.sum;
    [EMPTY, WRITE_ONLY, TERMINAL, CLOSED, NULL, INHERIT]
        .into_iter()
        .find(|kind| components::sum_of(secret, Kind::Stdin, &Digest::Kind(kind).bytes()) == then)
}

/// A candidate for the nearest entry.
struct Found {
    entry: Entry,
    same_line: bool,
    comparison: Result<Comparison, Incomparable>,
}

impl Found {
    /// Returns a rank that is smaller the nearer the entry is.
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
        // Folded entries are queried, and not read one by one.
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
            // Folded entries may still have fast copies here.
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

    /// Queries the old store. Recently used entries come first if there is time to sort them.
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
