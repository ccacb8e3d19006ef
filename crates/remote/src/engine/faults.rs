//! What goes wrong with a server, in plain words.

use super::{STALL, kinds};
use anyhow::{Result, anyhow};
use opendal::ErrorKind;
use std::time::Duration;

/// What a remote store does within the time that it may take for a step.
pub(super) async fn within<T>(step: impl IntoFuture<Output = T>) -> Result<T> {
    within_time(STALL, step).await
}

pub(super) async fn within_time<T>(
    limit: Duration,
    step: impl IntoFuture<Output = T>,
) -> Result<T> {
    tokio::time::timeout(limit, step.into_future()).await.map_err(|_| stalled(limit))
}

/// What is said of a connection that stands still.
pub(super) fn stalled(limit: Duration) -> anyhow::Error {
    anyhow!("nothing came or went for {}", humantime::format_duration(limit))
}

/// Whether an object is not there, but what it would be in is.
pub(super) fn is_absence(error: &opendal::Error) -> bool {
    const NOWHERE: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"];
    let is_nowhere = || NOWHERE.iter().any(|words| error.message().contains(words));
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) && !is_nowhere()
}

/// Whether something was written; what was there already under a name that says what
/// it is need not be.
pub(super) fn taken(written: opendal::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        written => written.map_err(in_plain_words),
    }
}

/// What a server answered that said nothing else.
fn status_of(error: &opendal::Error) -> Option<String> {
    let told = error.to_string();
    let (_, rest) = told.split_once("status: ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty()).then(|| format!("the server answers with status {number}"))
}

/// What `OpenDAL` says where a request did not get through.
const UNSENT: &str = "send http request";

/// What went wrong, as far as that helps who reads it: what caused it says most.
pub(super) fn in_plain_words(error: opendal::Error) -> anyhow::Error {
    let what = match error.kind() {
        ErrorKind::PermissionDenied => "access is denied, the credentials may be wrong: ",
        ErrorKind::ConfigInvalid => "a setting is missing or wrong: ",
        ErrorKind::RateLimited => "it is asked too often: ",
        _ => "",
    };
    let message = error.message().to_owned();
    let status = (message.is_empty()).then(|| status_of(&error)).flatten();
    // No answer came: who would have passed it on is a part of why.
    let way = (message == UNSENT).then(kinds::by_way_of_a_proxy).flatten().unwrap_or_default();
    let cause = anyhow::Error::from(error);
    let cause = cause.chain().skip(1).last().map_or(message, ToString::to_string);
    // One line, and no page of HTML.
    let line = cause.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = status.unwrap_or_else(|| line.chars().take(200).collect());
    anyhow!("{what}{line}{way}")
}
