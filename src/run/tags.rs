//! Adds the caller's tags to entries that are served.

use super::Runner;
use cachex_base::record::entry::Entry;
use cachex_base::text::values::Mode;
use cachex_store::tags::{self, Added};
use cachex_store::{Root, db_client};

impl Runner<'_> {
    /// Adds the tags of this call that a served entry lacks. If the store is busy, a background
    /// process does that.
    pub(super) fn tag(&self, root: &Root, entry: &Entry) {
        if self.config.tags.is_empty() || self.config.mode == Mode::ReadOnly {
            return;
        }
        let lacking = tags::lacking(entry, self.config.tags.iter().map(|tag| &tag.0));
        if lacking.is_empty() {
            return;
        }
        let added = match tags::try_to_add(root, &entry.key, &lacking) {
            Ok(Added::NotNow) => db_client::start_tagging(root.path(), &entry.key, &lacking),
            done => done.map(drop),
        };
        if let Err(error) = added {
            self.messages().warn(format_args!("the result is not tagged: {error:#}"));
        }
    }
}
