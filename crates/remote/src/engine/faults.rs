//! Errors of servers in plain words.

use super::{STALL, kinds};
use anyhow::{Result, anyhow};
use opendal::ErrorKind;
use std::time::Duration;

/// Runs a step of a remote store within its time limit.
pub(super) async fn within<T>(step: impl IntoFuture<Output = T>) -> Result<T> {
    within_time(STALL, step).await
}

pub(super) async fn within_time<T>(
    limit: Duration,
    step: impl IntoFuture<Output = T>,
) -> Result<T> {
    tokio::time::timeout(limit, step.into_future()).await.map_err(|_| stalled(limit))
}

/// Returns the error of a connection that stalled.
pub(super) fn stalled(limit: Duration) -> anyhow::Error {
    anyhow!("nothing came or went for {}", humantime::format_duration(limit))
}

/// Returns whether an object does not exist, but its container does.
pub(super) fn is_absence(error: &opendal::Error) -> bool {
    const NOWHERE: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"];
    let is_nowhere = || NOWHERE.iter().any(|words| error.message().contains(words));
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) && !is_nowhere()
}

/// Returns whether something was written. It is no error if it exists already under a name that is
/// derived from its content.
pub(super) fn taken(written: opendal::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        written => written.map_err(in_plain_words),
    }
}

/// Returns the status of the answer that an error is about.
fn status_of(error: &opendal::Error) -> Option<String> {
    let told = error.to_string();
    let (_, rest) = told.split_once("status: ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty()).then_some(number)
}

/// `OpenDAL`'s message for a request that was not sent.
const UNSENT: &str = "send http request";

/// Converts an error for its reader: the root cause says most.
pub(super) fn in_plain_words(error: opendal::Error) -> anyhow::Error {
    let status = status_of(&error);
    let what = match error.kind() {
        // The text beside it may be anything.
        _ if status.as_deref() == Some("507") => "there is no space left: ",
        ErrorKind::PermissionDenied => "access is denied, the credentials may be wrong: ",
        ErrorKind::ConfigInvalid => "a setting is missing or wrong: ",
        ErrorKind::RateLimited => "it is asked too often: ",
        _ => "",
    };
    let message = error.message().to_owned();
    // The server may have said nothing else.
    let status = status.filter(|_| message.is_empty());
    let status = status.map(|number| format!("the server answers with status {number}"));
    // No answer came, and the proxy may be the reason.
    let way = (message == UNSENT).then(kinds::by_way_of_a_proxy).flatten().unwrap_or_default();
    let cause = anyhow::Error::from(error);
    let cause = cause.chain().skip(1).last().map_or(message, ToString::to_string);
    // One line, and not a page of HTML.
    let line = cause.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = status.unwrap_or_else(|| line.chars().take(200).collect());
    anyhow!("{what}{line}{way}")
}
