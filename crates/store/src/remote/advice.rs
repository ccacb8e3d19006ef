//! Advice about a remote store that does not work, based on its error message.
//!
//! Engines, libraries and the system word the same errors differently. The table lists what these
//! words have in common; if nothing matches, the message stands alone.

/// Parts of error messages, in lower case, and the advice for them. The first match wins.
const KNOWN: [(&[&str], &str); 17] = [
    (
        &["machine's clock"],
        "set the clock of this machine, or of the server, by NTP say: what was recorded by a clock \
         that is ahead is not served until its time has come",
    ),
    (
        &["by way of the proxy", "proxy authentication", "status 407"],
        "see to the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names, or put the host of \
         the store in NO_PROXY",
    ),
    (
        &["nosuchbucket", "no such bucket", "bucket does not exist", "containernotfound"],
        "what the URL names is not there: the bucket or container has to be made first",
    ),
    (
        &["refused", "no such file or directory (os error 2)"],
        "nothing listens there: is the server running, and are host and port right?",
    ),
    (
        &["the name `", "dns error", "no records found", "not known"],
        "is the name of the host spelt right, and can it be resolved here?",
    ),
    (
        &["db index", "cluster mode"],
        "the number in the URL is that of a database which the server does not have: leave it out, \
         or see `databases` in its configuration; a prefix keeps teams apart as well \
         (`redis://host/0/team`)",
    ),
    (
        &["no answer within", "timed out", "nothing came or went"],
        "it does not answer in time: are port and scheme right, or is a firewall in between? a \
         store that is far away may need a longer --remote-timeout",
    ),
    (
        &["certificate", "tls", "handshake", "corrupt message"],
        "the encrypted connection failed: is the scheme right, and is the server's certificate \
         one that this machine trusts?",
    ),
    (
        &[
            "noperm",
            "noauth",
            "wrongpass",
            "denied",
            "forbidden",
            "unauthorized",
            "status 401",
            "status 403",
        ],
        "access was denied: see to user, password or token, and to what they may do there",
    ),
    (
        &["credential"],
        "no credentials were found; cachex-remotes(7) lists the variables for this kind of store",
    ),
    (
        &["a setting is missing or wrong"],
        "check the URL and the variables for this kind of store; cachex-remotes(7) lists them",
    ),
    (
        &["there is no folder"],
        "make that folder, or mount what it is to be on: it is not made, lest a disk that is not \
         mounted be taken for an empty store",
    ),
    (
        &["a web page"],
        "something else answers in its place: is the URL right, or does the network want somebody \
         to log in first?",
    ),
    (&["not found"], "what the URL names is not there: it has to be made first"),
    (
        &["no space", "insufficient storage", "maxmemory", "out of memory", "quota"],
        "it is full: make room there, or let it drop what was used least recently",
    ),
    (&["it is asked too often"], "it limits how often it is asked; try again later"),
    (
        &["end of file", "reset by peer", "broken pipe", "connection closed", "parse error"],
        "it ended the connection: is the scheme right, or does something else listen there?",
    ),
];

/// Returns the message of a failed store, followed by advice.
pub fn with(why: &str) -> String {
    format!("{why}; {}", about(why).unwrap_or("`cachex remote check` says more"))
}

/// Returns the message of a failed store, followed by advice if there is any.
pub fn if_any(why: &str) -> String {
    about(why).map_or_else(|| why.to_owned(), |advice| format!("{why}; {advice}"))
}

/// Returns advice about a step that failed with this message, if there is any.
pub fn about(why: &str) -> Option<&'static str> {
    let why = why.to_lowercase();
    let known = KNOWN.iter().find(|(words, _)| words.iter().any(|word| why.contains(word)));
    known.map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn what_is_commonly_wrong_is_told_apart() {
        for (why, word) in [
            ("Connection refused (os error 111)", "running"),
            ("the name `cache.exmaple` is not found", "spelt"),
            ("the name `cache.example` cannot be resolved: request timed out", "spelt"),
            ("ERR DB index is out of range", "leave it out"),
            ("ERR SELECT is not allowed in cluster mode", "leave it out"),
            ("there is no space left: the server answers with status 507", "room"),
            ("no answer within 1s", "--remote-timeout"),
            ("access is denied, the credentials may be wrong: NOAUTH", "password"),
            ("failed to load signing credential", "variables"),
            ("a setting is missing or wrong: region is empty", "variables"),
            ("invalid peer certificate: UnknownIssuer", "certificate"),
            ("\"OOM\": command not allowed when used memory > 'maxmemory'", "room"),
            ("S3Error { code: \"NoSuchBucket\" }", "made first"),
            ("tcp connect error: Connection refused (by way of the proxy http://a:1)", "NO_PROXY"),
            ("it answers with a web page", "log in"),
            ("NOPERM this user has no permissions", "what they may do"),
        ] {
            assert!(about(why).is_some_and(|advice| advice.contains(word)), "{why}");
        }
        assert_eq!(about("the moon is in the way"), None);
    }
}
