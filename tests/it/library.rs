//! Values that programs keep in the store of `cachex`.

use crate::harness::{Cachex, World, cachex, eventually, flip};
use cachex::{Cache, Options};
use serde_json::Value;

fn opened(cachex: &Cachex) -> Cache {
    Cache::open(cachex.store()).unwrap()
}

fn named() -> Options {
    Options::new().name("app::fetch")
}

/// What `cachex VERB --json` has to say.
fn told(cachex: &Cachex, verb: &str) -> Value {
    let told = cachex.cli([verb, "--json"]).once().exits(0).stdout();
    serde_json::from_str(&told).unwrap()
}

/// The content of every length that lies in another way.
fn contents() -> Vec<Vec<u8>> {
    [0, 1, 2000, 2048, 2049, 70_000, 3 << 20].map(|len| vec![b'x'; len]).into()
}

#[test]
fn values_outlive_those_who_recorded_them() {
    let cachex = cachex();
    for content in contents() {
        let key = ("content", content.len());
        opened(&cachex).value(key, named(), || content.clone());
        let again = opened(&cachex).value(key, named(), || -> Vec<u8> { unreachable!() });
        assert_eq!(again.len(), content.len());
        assert!(again == content);
    }
}

#[test]
fn values_are_found_after_a_fold() {
    let cachex = cachex();
    let cache = opened(&cachex);
    for content in contents() {
        cache.put(("content", content.len()), named(), &content).unwrap();
    }
    cachex.folds();
    // The fast copies, which the fold has left.
    std::fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    for content in contents() {
        assert!(cache.get::<Vec<u8>>(("content", content.len())) == Some(content));
    }
    // What was asked for is at hand again.
    assert!(!cachex.stored_in("v2/young").is_empty());
}

#[test]
fn values_are_listed_shown_counted_and_forgotten_as_results_are() {
    let cachex = cachex();
    let cache = opened(&cachex);
    for n in 0..3_u32 {
        cache.value(("fetch", n), named().expires_in("1h").unwrap(), || n.to_string());
    }
    assert_eq!(cache.get::<String>(("fetch", 1)).as_deref(), Some("1"));
    cachex.cli(["list"]).once().exits(0).shows(&["app::fetch"]);
    let listed = told(&cachex, "list");
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    let key = listed[0]["key"].as_str().unwrap();
    cachex.cli(["show", key]).once().exits(0).shows(&["app::fetch", "expires"]);
    cachex.cli(["stats"]).once().exits(0).shows(&["app::fetch"]);
    cachex.cli(["doctor"]).once().exits(0);
    cachex.cli(["forget", "--command", "app::*"]).once().exits(0).shows(&["3 entries"]);
    assert_eq!(cache.get::<String>(("fetch", 1)), None);
}

#[test]
fn a_value_is_removed_from_wherever_it_lies() {
    let cachex = cachex();
    let cache = opened(&cachex);
    for folds in [false, true] {
        cache.put("a", named(), &1).unwrap();
        if folds {
            cachex.folds();
        }
        assert!(cache.remove::<i32>("a").unwrap());
        assert!(!cache.remove::<i32>("a").unwrap());
        assert_eq!(cache.get::<i32>("a"), None);
    }
}

#[test]
fn clear_drops_everything() {
    let cachex = cachex();
    let cache = opened(&cachex);
    cache.put("a", named(), &1).unwrap();
    cachex.run("echo").once().misses();
    cache.clear().unwrap();
    assert_eq!(cache.get::<i32>("a"), None);
    cachex.run("echo").once().misses();
}

#[test]
fn a_value_that_was_damaged_is_computed_again() {
    let cachex = cachex();
    let cache = opened(&cachex);
    for content in contents() {
        cache.put("a", named(), &content).unwrap();
        let folder = if content.len() > 2048 { "v2/blobs" } else { "v2/young" };
        for file in cachex.stored_in(folder) {
            flip(&cachex.store().join(file), 60);
        }
        assert_eq!(cache.value("a", named(), || b"new".to_vec()), b"new");
        assert_eq!(cache.get::<Vec<u8>>("a").as_deref(), Some(&b"new"[..]));
        cache.clear().unwrap();
    }
}

#[test]
fn a_store_that_is_gone_keeps_nothing_from_being_computed() {
    let cachex = cachex();
    for options in [named(), named().allow_concurrent(false)] {
        let cache = opened(&cachex);
        std::fs::remove_dir_all(cachex.store()).unwrap();
        assert_eq!(cache.value("a", options, || 1), 1);
        assert_eq!(cache.value("a", options, || 2), 2);
        assert!(cache.put("a", options, &1).is_err());
    }
}

#[test]
fn a_folder_that_cannot_be_one_is_an_error() {
    let cachex = cachex();
    let file = cachex.write("file", "");
    let why = Cache::open(&file).unwrap_err().to_string();
    assert!(why.contains(file.to_str().unwrap()), "{why}");
    let why = Cache::builder().dir(cachex.store()).remote("gopher://host").open().unwrap_err();
    assert!(why.to_string().contains("gopher"), "{why}");
}

#[test]
fn one_of_many_processes_computes_and_all_have_the_same() {
    let cachex = cachex();
    let program = World::example("processes");
    let call = cachex.shell(&format!("exec {} {}", program.display(), cachex.store().display()));
    let leaders = call.simultaneously(8).exits(0).stdouts();
    assert_eq!(leaders.len(), 8);
    assert!(leaders.iter().all(|leader| *leader == leaders[0]), "{leaders:?}");
    assert_eq!(call.once().exits(0).stdout(), leaders[0]);
    assert_eq!(call.clone().after("59m").once().exits(0).stdout(), leaders[0]);
    assert_ne!(call.after("1h").once().exits(0).stdout(), leaders[0]);
}

#[test]
fn values_are_shared_by_a_remote_store() {
    let cachex = cachex();
    std::fs::create_dir(cachex.path("shared")).unwrap();
    let url = format!("file://{}", cachex.path("shared").display());
    let on = |machine| Cache::builder().dir(cachex.path(machine)).remote(&url).open().unwrap();
    let (first, second) = (on("first"), on("second"));
    for content in contents() {
        let key = ("content", content.len());
        first.value(key, named(), || content.clone());
        let got = eventually("a value from afar", || second.get::<Vec<u8>>(key));
        assert!(got == content);
    }
    assert_eq!(second.get::<Vec<u8>>("none"), None);
    assert!(first.remove::<Vec<u8>>(("content", 1)).is_ok());
    let third = on("third");
    assert_eq!(third.get::<Vec<u8>>(("content", 1)), None);
    assert!(third.get::<Vec<u8>>(("content", 0)).is_some());
}

#[test]
fn what_the_command_line_recorded_is_not_taken_for_a_value() {
    let cachex = cachex();
    let cache = opened(&cachex);
    cachex.run("echo").once().misses();
    assert_eq!(cache.get::<String>("echo"), None);
    cache.put("echo", named(), &"value".to_owned()).unwrap();
    cachex.run("echo").once().hits();
}

#[test]
fn a_remote_store_is_asked_once_for_what_it_has_not() {
    let cachex = cachex();
    std::fs::create_dir(cachex.path("shared")).unwrap();
    let url = format!("file://{}", cachex.path("shared").display());
    let cache = Cache::builder().dir(cachex.store()).remote(&url).open().unwrap();
    assert_eq!(cache.value("a", named().allow_concurrent(false), || 1), 1);
    let told = cachex.cli(["remote", "stats", "--json", "--remote", &url]).once().exits(0);
    let told: Value = serde_json::from_str(&told.stdout()).unwrap();
    assert_eq!(told["misses"], 1, "{told}");
}

#[test]
fn stores_of_all_kinds_are_used_in_one_program() {
    let cachex = cachex();
    let both = Cache::builder().memory(1 << 20).dir(cachex.store()).open().unwrap();
    let (memory, folder) = (Cache::in_memory(), opened(&cachex));
    both.put("a", named(), &1).unwrap();
    assert_eq!((memory.get::<i32>("a"), folder.get::<i32>("a")), (None, Some(1)));
    // What is in memory is served from there.
    folder.put("a", named(), &2).unwrap();
    assert_eq!((both.get::<i32>("a"), folder.get::<i32>("a")), (Some(1), Some(2)));
    both.clear().unwrap();
    assert_eq!((both.get::<i32>("a"), folder.get::<i32>("a")), (None, None));
}
