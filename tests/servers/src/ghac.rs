//! The cache service of GitHub Actions, version 2: Twirp calls that lead to the
//! signed address of a blob, as Azure's Blob Storage would have it.
//!
//! As with the real one, what was finished is never written again, and what was
//! not finished is not there.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use ghac::v1 as messages;
use headers::authorization::{Authorization, Bearer};
use headers::{ContentRange, HeaderMapExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the calls are.
const CALLS: &str = "/twirp/github.actions.results.api.v1.CacheService/";
/// What a signed address ends with.
const SIGNATURE: &str = "sig=granted";

type Answer = Response<Full<Bytes>>;

/// Serves this folder to who bears this token.
pub fn service(
    folder: PathBuf,
    token: String,
) -> impl Service<Request<Incoming>, Response = Answer, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let shared = Arc::new((folder, token));
    service_fn(move |request| {
        let shared = shared.clone();
        async move {
            let answer = answer(&shared.0, &shared.1, request).await;
            Ok(answer.unwrap_or_else(|error| {
                with_status(StatusCode::BAD_REQUEST, format!("{error:#}").into_bytes())
            }))
        }
    })
}

async fn answer(folder: &Path, token: &str, request: Request<Incoming>) -> Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    if let Some(call) = path.strip_prefix(CALLS) {
        let bearer = head.headers.typed_get::<Authorization<Bearer>>();
        if bearer.is_none_or(|bearer| bearer.token() != token) {
            return Ok(with_status(StatusCode::UNAUTHORIZED, Vec::new()));
        }
        // Through whatever the caller reached this, it reaches the blobs too.
        let host = head.headers.get(header::HOST).context("no host")?.to_str()?;
        return called(folder, call, body, &format!("http://{host}/blobs"));
    }
    let name = path.strip_prefix("/blobs/").context("neither a call nor a blob")?;
    if name.contains('/') || !query.contains(SIGNATURE) {
        return Ok(with_status(StatusCode::FORBIDDEN, Vec::new()));
    }
    match head.method {
        Method::PUT => put(&folder.join(name), query, &body),
        Method::GET => get(&folder.join(name), head.headers.get(header::RANGE)),
        _ => Ok(with_status(StatusCode::METHOD_NOT_ALLOWED, Vec::new())),
    }
}

/// One of the three calls; `blobs` is the address of all blobs.
fn called(folder: &Path, call: &str, body: Bytes, blobs: &str) -> Result<Answer> {
    let signed = |name: &str| format!("{blobs}/{name}?{SIGNATURE}");
    match call {
        "CreateCacheEntry" => {
            let asked = messages::CreateCacheEntryRequest::decode(body)?;
            let [begun, finished] = names(&asked.key, &asked.version);
            if folder.join(finished).exists() {
                return Ok(with_status(StatusCode::CONFLICT, Vec::new()));
            }
            let signed_upload_url = signed(&begun);
            Ok(message(&messages::CreateCacheEntryResponse { ok: true, signed_upload_url }))
        }
        "FinalizeCacheEntryUpload" => {
            let asked = messages::FinalizeCacheEntryUploadRequest::decode(body)?;
            let [begun, finished] = names(&asked.key, &asked.version).map(|name| folder.join(name));
            let size = fs::metadata(&begun)?.len();
            anyhow::ensure!(i64::try_from(size)? == asked.size_bytes, "{size} bytes are there");
            fs::rename(begun, finished)?;
            Ok(message(&messages::FinalizeCacheEntryUploadResponse { ok: true, entry_id: 1 }))
        }
        "GetCacheEntryDownloadURL" => {
            let asked = messages::GetCacheEntryDownloadUrlRequest::decode(body)?;
            let [_, finished] = names(&asked.key, &asked.version);
            let mut answer = messages::GetCacheEntryDownloadUrlResponse::default();
            if folder.join(&finished).exists() {
                answer.ok = true;
                answer.signed_download_url = signed(&finished);
                answer.matched_key = asked.key;
            }
            Ok(message(&answer))
        }
        _ => bail!("no call {call}"),
    }
}

/// The files of an entry: while it is uploaded, and from then on.
fn names(key: &str, version: &str) -> [String; 2] {
    let key = format!("{version}/{key}");
    // No per cent sign, which an address would have encoded once more.
    let key = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string().replace('%', "_");
    ["begun", "finished"].map(|state| format!("{state}-{key}"))
}

/// A whole blob, a block of it, or the list of its blocks.
fn put(path: &Path, query: &str, body: &[u8]) -> Result<Answer> {
    let query: Vec<(&str, &str)> =
        query.split('&').filter_map(|part| part.split_once('=')).collect();
    let value = |name| query.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
    let block = |id: &str| {
        let id: String = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into();
        let id = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
        path.with_extension(id)
    };
    match value("comp") {
        None => fs::write(path, body)?,
        Some("block") => fs::write(block(value("blockid").context("no block")?), body)?,
        Some("blocklist") => {
            let list = std::str::from_utf8(body)?.split("<Latest>").skip(1);
            let blocks = list.filter_map(|block| block.split_once("</Latest>"));
            let whole = blocks.map(|(id, _)| fs::read(block(id))).collect::<Result<Vec<_>, _>>()?;
            fs::write(path, whole.concat())?;
        }
        Some(other) => bail!("no comp={other}"),
    }
    Ok(with_status(StatusCode::CREATED, Vec::new()))
}

/// A blob, or the range of it that was asked for.
fn get(path: &Path, range: Option<&header::HeaderValue>) -> Result<Answer> {
    let Ok(whole) = fs::read(path) else {
        return Ok(with_status(StatusCode::NOT_FOUND, Vec::new()));
    };
    let Some(range) = range else {
        return Ok(with_status(StatusCode::OK, whole));
    };
    let range = range.to_str()?.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let (first, last) = range.context("a range of another kind")?;
    let end = whole.len() as u64;
    let first: u64 = first.parse()?;
    let past = if last.is_empty() { end } else { end.min(last.parse::<u64>()? + 1) };
    if first >= past {
        return Ok(with_status(StatusCode::RANGE_NOT_SATISFIABLE, Vec::new()));
    }
    let part = whole[usize::try_from(first)?..usize::try_from(past)?].to_vec();
    let mut answer = with_status(StatusCode::PARTIAL_CONTENT, part);
    answer.headers_mut().typed_insert(ContentRange::bytes(first..past, end)?);
    Ok(answer)
}

fn message(message: &impl Message) -> Answer {
    with_status(StatusCode::OK, message.encode_to_vec())
}

fn with_status(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer
}
