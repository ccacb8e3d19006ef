//! The sender of an entry in a remote store, for people who wonder where a result is from.
//!
//! A sender describes itself, so the description is only as trustworthy as the sender, except for
//! the key that signed the entry. In the local store it is kept in place of the components of the
//! key, which a fetched entry does not have.

use crate::components;
use cachex_base::process::lineage;
use cachex_base::record::entry::Entry;
use cachex_remote::{Access, PublicKey};
use serde::{Deserialize, Serialize};

/// The maximum length of each detail that is kept, in bytes.
const LONGEST: usize = 200;

/// Variables of CI systems with the address of a job's page.
const JOBS: [&str; 7] = [
    "CI_JOB_URL",
    "BUILD_URL",
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "TRAVIS_JOB_WEB_URL",
    "DRONE_BUILD_LINK",
    "SEMAPHORE_WORKFLOW_ID",
];

/// The sender of an entry. The field names are public: see docs/json.md.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the machine.
    pub host: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The job of a CI system, as the address of its page if it has one.
    pub job: Option<String>,
    /// The public key that signed the entry, once that is verified.
    pub key: Option<String>,
}

impl Origin {
    /// Returns the origin of what this process sends.
    pub fn here() -> Origin {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let github = || {
            let [server, repository, run] =
                ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
            Some(format!("{}/{}/actions/runs/{}", server?, repository?, run?))
        };
        let host = Some(lineage::host()).filter(|host| !host.is_empty());
        Origin {
            host,
            user: variable("USER").or_else(|| variable("LOGNAME")).or_else(user),
            job: github().or_else(|| JOBS.into_iter().find_map(variable)),
            key: None,
        }
        .within_limits()
    }

    /// Returns what a sender said, cut to the limits.
    pub fn within_limits(self) -> Origin {
        let cut = |text: Option<String>| {
            let text: String = text?.chars().filter(|c| !c.is_control()).collect();
            let text = &text[..text.floor_char_boundary(LONGEST)];
            (!text.is_empty()).then(|| text.to_owned())
        };
        Origin { host: cut(self.host), user: cut(self.user), job: cut(self.job), key: self.key }
    }

    /// Sets the key that an entry's signature was verified with.
    pub fn signed_by(self, key: Option<PublicKey>) -> Origin {
        Origin { key: key.map(|key| key.to_string()), ..self }
    }

    /// Returns whether an entry of the local store may be served under these access settings. An
    /// entry that was fetched before keys were named, or under other keys, is not signed by any
    /// of them.
    pub fn is_accepted(entry: &Entry, access: &Access) -> bool {
        let signed = |origin: Origin| {
            let key = origin.key?;
            access.accepted().any(|accepted| accepted.to_string() == key).then_some(())
        };
        !access.wants_signatures()
            || Origin::of_parts(&entry.parts).is_none_or(|origin| signed(origin).is_some())
    }

    /// Describes the origin in one line.
    pub fn words(&self) -> String {
        let Origin { host, user, job, key } = self;
        let named = match (user, host) {
            (Some(user), Some(host)) => format!("{user} on {host}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => "somebody".to_owned(),
        };
        let job = job.as_ref().map(|job| format!(", job {job}"));
        let key = key.as_ref().map(|key| format!(", signed with {key}"));
        named + &job.unwrap_or_default() + &key.unwrap_or_default()
    }

    /// Returns the origin as the components of a fetched entry.
    pub fn to_parts(&self) -> Vec<u8> {
        let Origin { host, user, job, key } = self;
        let said = [("host", host), ("user", user), ("job", job), ("key", key)];
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        components::of_origin(said.map(|(name, value)| format!("{name}={value}")))
    }

    /// Returns the origin of an entry with these components, or `None` if it was recorded here.
    pub fn of_parts(stored: &[u8]) -> Option<Origin> {
        let said: Vec<String> = components::origin_of(stored)?;
        let named = |name: &str| {
            let value = said.iter().find_map(|said| said.strip_prefix(name)?.strip_prefix('='));
            value.map(str::to_owned)
        };
        let [host, user, job, key] = ["host", "user", "job", "key"].map(named);
        Some(Origin { host, user, job, key })
    }
}

/// Returns the name of the user of this process, unless it comes from a directory service: the C
/// library would have to load a module for that, and it is linked statically.
fn user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let of_this = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    };
    users.lines().find_map(of_this)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_back_cut_and_without_control_characters() {
        let said = Origin {
            host: Some("runner\x1b[31m-7".to_owned()),
            user: Some("é".repeat(300)),
            job: Some("\n".to_owned()),
            key: None,
        };
        let kept = said.within_limits();
        assert_eq!(kept.host.as_deref(), Some("runner[31m-7"));
        assert_eq!(kept.user.as_ref().map(String::len), Some(LONGEST));
        assert_eq!(kept.job, None);
        let key = PublicKey([3; 32]);
        let kept = kept.signed_by(Some(key));
        assert_eq!(Origin::of_parts(&kept.to_parts()), Some(kept));
        assert_eq!(Origin::of_parts(b""), None);
        assert_eq!(Origin::of_parts(&Origin::default().to_parts()), Some(Origin::default()));
    }
}
