//! Ordinary types of programs go through every kind of store and come back.

#![allow(clippy::option_option, clippy::struct_field_names, reason = "programs have such types")]

use crate::harness::{Cachex, cachex, eventually};
use cachex::{Cache, Options, Value};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

/// A cache in memory, one in a folder, and two machines that share a remote store.
struct Caches {
    world: Cachex,
    url: String,
    memory: Cache,
    folder: Cache,
    machines: [Cache; 2],
}

fn caches() -> Caches {
    let world = cachex();
    std::fs::create_dir(world.path("shared")).unwrap();
    let url = format!("file://{}", world.path("shared").display());
    let on = |machine| Cache::builder().dir(world.path(machine)).remote(&url).open().unwrap();
    let machines = [on("first"), on("second")];
    let folder = Cache::open(world.path("alone")).unwrap();
    Caches { memory: Cache::in_memory(), folder, machines, url, world }
}

impl Caches {
    /// Puts a value there, and has it back.
    fn go_round<T: Value + PartialEq + Debug>(&self, key: &str, value: &T) {
        for cache in [&self.memory, &self.folder, &self.machines[0]] {
            cache.put(key, Options::new(), value).unwrap_or_else(|why| panic!("{value:?}: {why}"));
            assert_eq!(cache.get::<T>(key).as_ref(), Some(value), "{key}");
        }
    }

    /// Sends what the first machine has.
    fn send(&self) {
        let first = self.world.path("first");
        let flush = ["remote", "flush", "--remote", &self.url, "--cache-dir"];
        let arguments = flush.map(std::ffi::OsString::from).into_iter().chain([first.into()]);
        self.world.cli(arguments).once().exits(0);
    }

    /// Has a value on the second machine.
    fn comes_from_afar<T: Value + PartialEq + Debug>(&self, key: &str, value: &T) {
        let what = format!("{key} from afar: {value:?}");
        assert_eq!(eventually(&what, || self.machines[1].get::<T>(key)), *value);
    }
}

macro_rules! types {
    ($($item:item)+) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        $item
    )+};
}

types! {
    struct Unit;
    struct Id(u64);
    struct Pair(i32, String);
    struct Point { x: f64, y: f64 }
    struct Maybe { a: Option<u8>, b: Option<Option<String>> }
    enum Level { Low, High }
    enum Message { Quit, Move { x: i32, y: i32 }, Write(String), Color(u8, u8, u8) }
    struct Tree { name: String, children: Vec<Tree> }

    #[serde(rename_all = "camelCase")]
    struct User {
        user_id: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        e_mails: Vec<String>,
        #[serde(rename = "type")]
        kind: Level,
        created_at: chrono::DateTime<chrono::Utc>,
        avatar: Option<url::Url>,
    }
    #[serde(tag = "event", rename_all = "snake_case")]
    enum Webhook {
        Ping,
        Push { commits: Vec<Commit>, #[serde(flatten)] rest: BTreeMap<String, serde_json::Value> },
        Release(Release),
    }
    struct Commit { sha: String, at: chrono::NaiveDateTime, files: BTreeSet<String> }
    struct Release { tag: String, draft: bool, assets: HashMap<String, Asset> }
    struct Asset { url: url::Url, size: u64, digest: bytes::Bytes }
    #[serde(untagged)]
    enum OneOrMany { One(String), Many(Vec<String>) }
    #[serde(untagged)]
    enum Scalar { Null, Bool(bool), Int(i64), Float(f64), Text(String) }
    #[serde(tag = "t", content = "c")]
    enum Command { Stop, Run(String), Pair(u8, i8), At { x: u32 } }
    struct Page<T> { items: Vec<T>, next: Option<String>, total: Option<u64> }
    struct Config {
        name: String,
        #[serde(default)]
        targets: BTreeMap<String, Target>,
        #[serde(flatten)]
        other: HashMap<String, serde_json::Value>,
    }
    struct Target { path: std::path::PathBuf, timeout: std::time::Duration, features: HashSet<String> }
    struct Row { id: i64, price: f32, note: Option<String>, blob: Vec<u8>, day: chrono::NaiveDate }
    #[serde(transparent)]
    struct Celsius(f32);
    #[serde(deny_unknown_fields)]
    struct Strict { a: u8, #[serde(alias = "c")] b: i128 }
    enum Failure { NotFound { what: String }, Io(String), Other(Box<Failure>) }
    #[serde(into = "String", try_from = "String")]
    struct Version(u8, u8);
    struct Wide { a: u128, b: i128, c: char, d: (bool, ()), e: [u16; 4], f: Box<[u8]> }
    struct Addresses { a: std::net::IpAddr, b: std::net::SocketAddr, c: std::ops::Range<u8> }
    struct Dated(chrono::NaiveDate, u32, Vec<(chrono::NaiveTime, String)>);
    struct Links { by_url: BTreeMap<url::Url, Vec<Id>> }
    struct Json { schema: serde_json::Value, map: serde_json::Map<String, serde_json::Value> }
}

impl From<Version> for String {
    fn from(Version(major, minor): Version) -> String {
        format!("{major}.{minor}")
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        let (major, minor) = text.split_once('.').ok_or("no dot")?;
        let number = |text: &str| text.parse().map_err(|why| format!("{why}"));
        Ok(Version(number(major)?, number(minor)?))
    }
}

fn time() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_700_000_000, 123).unwrap()
}

fn url(path: &str) -> url::Url {
    url::Url::parse(&format!("https://example.org/{path}?q=1#top")).unwrap()
}

fn user(full_name: Option<&str>, e_mails: &[&str]) -> User {
    User {
        user_id: 7,
        full_name: full_name.map(str::to_owned),
        e_mails: e_mails.iter().map(|mail| (*mail).to_owned()).collect(),
        kind: Level::High,
        created_at: time(),
        avatar: full_name.map(url),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line for each type")]
fn fifty_ordinary_types_go_through_memory_a_folder_and_a_remote_store() {
    let caches = caches();
    macro_rules! go_round {
        ($($value:expr),+ $(,)?) => {{
            let mut count = 0;
            $(
                count += 1;
                caches.go_round(&format!("value {count}"), &$value);
            )+
            caches.send();
            let all = std::mem::take(&mut count);
            $(
                count += 1;
                caches.comes_from_afar(&format!("value {count}"), &$value);
            )+
            all
        }};
    }
    let commit = || Commit {
        sha: "c0ffee".into(),
        at: time().naive_utc(),
        files: BTreeSet::from(["a".into(), "b".into()]),
    };
    let asset = || Asset { url: url("a"), size: 1, digest: bytes::Bytes::from_static(b"\0\xff") };
    let target = || Target {
        path: "/a/b".into(),
        timeout: std::time::Duration::new(1, 5),
        features: HashSet::from(["x".into(), "y".into(), "z".into()]),
    };
    let json = || serde_json::json!({"a": [1, -1, 2.5, null, {"b": "c"}], "d": {}});
    let count = go_round![
        Unit,
        Id(1),
        Pair(-1, "a".into()),
        Point { x: 0.1, y: -0.0 },
        Maybe { a: None, b: Some(None) },
        Maybe { a: Some(1), b: None },
        vec![Level::Low, Level::High],
        [Message::Quit, Message::Move { x: 1, y: 2 }],
        [Message::Write("w".into()), Message::Color(1, 2, 3)],
        Tree { name: "a".into(), children: vec![Tree { name: "b".into(), children: vec![] }] },
        user(None, &[]),
        user(Some("Ada"), &["a@example.org"]),
        vec![user(None, &["b"]), user(Some("Bob"), &[])],
        Webhook::Ping,
        Webhook::Push { commits: vec![commit()], rest: BTreeMap::from([("x".into(), json())]) },
        Webhook::Release(Release {
            tag: "v1".into(),
            draft: false,
            assets: HashMap::from([("a".into(), asset()), ("b".into(), asset())]),
        }),
        [OneOrMany::One("a".into()), OneOrMany::Many(vec!["a".into(), "b".into()])],
        vec![
            Scalar::Null,
            Scalar::Bool(true),
            Scalar::Int(-5),
            Scalar::Float(0.5),
            Scalar::Text("t".into()),
        ],
        [Command::Stop, Command::Run("r".into()), Command::Pair(1, -1), Command::At { x: 1 }],
        Page { items: vec![Id(1), Id(2)], next: None, total: Some(2) },
        Page { items: vec![user(None, &[])], next: Some("n".into()), total: None },
        Config { name: "c".into(), targets: BTreeMap::new(), other: HashMap::new() },
        Config {
            name: "c".into(),
            targets: BTreeMap::from([("t".into(), target())]),
            other: HashMap::from([("k".into(), json())]),
        },
        Row { id: -1, price: 0.1, note: None, blob: vec![0; 5000], day: time().date_naive() },
        Celsius(21.5),
        Strict { a: 1, b: i128::MIN },
        Failure::Other(Box::new(Failure::NotFound { what: "it".into() })),
        Some(Failure::Io("io".into())),
        Version(1, 2),
        Wide {
            a: u128::MAX,
            b: -1,
            c: 'ß',
            d: (true, ()),
            e: [1; 4],
            f: vec![1, 2].into_boxed_slice(),
        },
        Addresses { a: [127, 0, 0, 1].into(), b: "[::1]:80".parse().unwrap(), c: 1..3 },
        Dated(time().date_naive(), 3, vec![(time().time(), "noon".into())]),
        Links { by_url: BTreeMap::from([(url("b"), vec![Id(1)]), (url("a"), vec![])]) },
        Json { schema: json(), map: json().as_object().unwrap().clone() },
        Ok::<User, Failure>(user(None, &[])),
        Some(Some(())),
        None::<u8>,
        (),
        "text".to_owned(),
        vec![7_u8; 100_000],
        bytes::Bytes::from(vec![7; 100_000]),
        time(),
        url("x"),
        json(),
        HashMap::from([(1_u8, vec!["a".to_owned()]), (2, vec![])]),
        HashSet::from([Level::Low as u8, Level::High as u8]),
        std::time::SystemTime::UNIX_EPOCH,
        std::num::NonZeroU32::MIN,
        (1_u8, 'a', 2.5_f32, [true; 3]),
        std::borrow::Cow::<'static, str>::Borrowed("cow"),
        vec![BTreeMap::from([("k".to_owned(), Some(json()))])],
    ];
    assert!(count >= 50, "{count}");
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        ".{0,8}".prop_map(Scalar::Text),
    ]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_filter("JSON has no others", |it| it.is_finite()).prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        Just(Message::Quit),
        any::<(i32, i32)>().prop_map(|(x, y)| Message::Move { x, y }),
        ".{0,8}".prop_map(Message::Write),
        any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Message::Color(r, g, b)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_value_is_it_comes_back(
        scalars in prop::collection::vec(scalar(), 0..6),
        json in json(),
        messages in prop::collection::vec(message(), 0..6),
        name in prop::option::of(".{0,8}"),
        mails in prop::collection::vec(".{0,8}", 0..3),
        nested in prop::option::of(prop::option::of(any::<u8>())),
        map in prop::collection::hash_map(any::<i16>(), prop::option::of(".{0,4}"), 0..5),
    ) {
        thread_local! {
            static CACHES: Caches = caches();
        }
        CACHES.with(|caches| {
            let mut user = user(None, &[]);
            (user.full_name, user.e_mails) = (name, mails);
            let rest = BTreeMap::from([("json".to_owned(), json.clone())]);
            caches.go_round("a", &(scalars, messages.clone(), nested, map));
            caches.go_round("b", &user);
            caches.go_round("c", &Webhook::Push { commits: vec![], rest });
            caches.go_round("d", &json);
            caches.go_round("e", &messages);
        });
    }
}
